//! The handoff: a bounded queue of events with many producers and one consumer.
//!
//! # Memory
//!
//! Each accepted event has a *position*, counted from 0 for the life of the recorder. Position `p` lives in slot
//! `p % SEGMENT_SLOTS` of segment `p / SEGMENT_SLOTS`; the [`Directory`] finds the segment. Segments are allocated when
//! a producer first needs one and go back to the pool when the consumer is done with them.
//!
//! # Algorithm
//!
//! One word, `tail`, carries the next position and two flags. The flags stand above the position, so that
//! one comparison with `bound` tells a producer all it must know in the usual case: the queue is
//! open, its consumer is awake, there is room, and no checkpoint is due. One compare-exchange then makes the position its
//! own. The producer writes its event into the slot and publishes it by storing the pointer to the type's metadata. The
//! consumer reads published slots in order of position, clears them, and moves `head`.
//!
//! # Speed
//!
//! What a handoff costs is the way of cache lines between cores, not instructions. A locked instruction waits for all
//! stores before it, so a slot that still lies in the consumer's cache would hold up the *next* event's exchange:
//! producers fetch slots for writing ahead of their use, and so does the consumer, which will clear
//! them. `tail` is alone on its line, and what producers only read is on another one. A producer that loses an exchange
//! stays away for a while, because two that take the line from each other at every event cost more than one that waits.
//!
//! # Invariants
//!
//! * Q1: `head <= tail.position <= head + limit`. A producer reserves only after it has seen `position < bound`, `bound`
//!   never exceeds a `head + limit` that was seen before, and `head` only grows.
//! * Q2: a position is reserved by one producer, written once, published once, and consumed once, after it was published.
//! * Q3: when `head` reaches `p + limit` for the first time, slot `p` is free; when it passes the end of a segment, that
//!   segment has left the directory. Both happen before the release store of `head`; with Q1 a producer that may
//!   reserve `p + limit` therefore never meets what is left of `p`.
//! * Q4: PARKED is set only while `tail.position == head` and under `gate`, and is cleared only under `gate`; a producer
//!   that finds it goes through `gate`. While it is set no position is reserved, so the consumer may take the last
//!   segment away before it lets go of `gate`.
//! * Q5: whoever clears PARKED learns so and wakes the consumer; there is no other way from "nothing pending" to
//!   "something pending", so no wake-up is lost.
//! * Q6: after CLOSED is set no position is reserved until it is cleared again.

#![allow(unsafe_code, reason = "events are stored in place and shared without locks; Q1 to Q6 make it sound")]

mod segment;
pub(crate) mod slot;

#[cfg(all(test, mvx_loom))]
mod models;
#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use crate::event::{EventRef, MetricEvent};
use crate::queue::segment::{Directory, SEGMENT_SLOTS};
use crate::queue::slot::{EventMeta, Slot};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock, spin_loop};

pub(crate) use crate::queue::segment::SegmentPool;

/// The queue is closed to new events.
const CLOSED: u64 = 1 << 63;
/// The consumer has gone to sleep; the next producer wakes it.
const PARKED: u64 = 1 << 62;
const FLAGS: u64 = CLOSED | PARKED;
/// Positions stand below the flags: 62 bits, which a billion events a second fill in 146 years.
const POSITION: u64 = !FLAGS;

/// How long a producer stays away after it has lost an exchange, in pauses of the processor: about a microsecond, in
/// which the winner hands over some 50 events at the price of one producer.
#[cfg(not(mvx_loom))]
const BACK_OFF: u32 = 64;
/// One is enough for loom to let another thread go on.
#[cfg(mvx_loom)]
const BACK_OFF: u32 = 1;

/// Keeps a value on a cache line of its own. Not on a pair of lines, although processors like to fetch pairs: with 100,000
/// recorders the memory would be missed more than the time.
#[repr(align(64))]
struct Line<T>(T);

pub(crate) struct Queue {
    /// The next position, CLOSED and PARKED.
    tail: Line<AtomicU64>,
    producers: Line<ProducerLine>,
    consumer: Line<ConsumerLine>,
}

/// What producers read for each event and seldom write.
struct ProducerLine {
    /// A tail below it may be moved on without further questions: no flag is set, a `head` that was seen leaves room (Q1),
    /// and it is not yet time to look whether the consumer is asleep at its post.
    bound: AtomicU64,
    directory: Directory,
    limit: u64,
    /// The next checkpoint is that many positions ahead.
    stride: u64,
    pool: Arc<SegmentPool>,
}

struct ConsumerLine {
    /// All positions before it are consumed. Written by the consumer only.
    head: AtomicU64,
    gate: Mutex<()>,
}

/// What a producer has to do after its event was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// Nothing.
    Quietly,
    /// See that the consumer is about to look: a good part of the limit is pending.
    FillingUp,
    /// Wake the consumer: it was parked.
    Unparking,
}

/// Why an event was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Closed,
    Full,
}

/// A free slot that is the holder's to fill. To be filled at once: the consumer waits there.
#[must_use]
pub(crate) struct Vacancy<'q>(&'q Slot);

impl Vacancy<'_> {
    #[inline]
    pub(crate) fn fill<E: MetricEvent>(self, event: E) {
        // SAFETY: a vacancy is made for a reserved, free slot, and is used up here.
        unsafe { self.0.publish(event) };
    }
}

/// Why there is no [`Vacancy`] without further questions. Not to be lost: there may be a position in it.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(crate) enum NoVacancy {
    /// The queue is closed, its consumer asleep, the limit reached, or a checkpoint due.
    Unusual,
    /// Another producer was faster.
    Contended,
    /// This position is the caller's, but its segment is missing.
    Reserved(u64),
}

/// A position that is the caller's to write to.
struct Reservation {
    position: u64,
    accepted: Accepted,
}

impl Queue {
    /// An open queue whose consumer is parked.
    pub(crate) fn new(limit: u64, pool: Arc<SegmentPool>) -> Self {
        debug_assert!(limit > 0);
        let line = ProducerLine {
            bound: AtomicU64::new(0),
            directory: Directory::new(limit),
            limit,
            // Often enough to be seen between a quarter of the limit and half of it.
            stride: (limit / 4).clamp(1, SEGMENT_SLOTS),
            pool,
        };
        Self {
            tail: Line(AtomicU64::new(PARKED)),
            producers: Line(line),
            consumer: Line(ConsumerLine { head: AtomicU64::new(0), gate: Mutex::new(()) }),
        }
    }

    fn tail(&self) -> &AtomicU64 {
        &self.tail.0
    }

    fn line(&self) -> &ProducerLine {
        &self.producers.0
    }

    fn head(&self) -> &AtomicU64 {
        &self.consumer.0.head
    }

    pub(crate) fn limit(&self) -> u64 {
        self.line().limit
    }

    /// The position of the next event: how many were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        // Acquire: not older than a `head` that was read before it.
        self.tail().load(Ordering::Acquire) & POSITION
    }

    /// How many events were consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        // Acquire: the effects of all consumed events are seen.
        self.head().load(Ordering::Acquire)
    }

    /// Reserves a position in the usual case: the queue is open and awake, there is room, the segment is there, and no
    /// other producer comes first. Everything else is for [`push_with_care`](Self::push_with_care).
    #[inline]
    pub(crate) fn vacancy(&self) -> Result<Vacancy<'_>, NoVacancy> {
        let line = self.line();
        // Relaxed: a stale value only makes the exchange below fail.
        let tail = self.tail().load(Ordering::Relaxed);
        // Acquire: pairs with the release store of whoever has seen the head behind this bound, so that the slots that
        // were freed and the segments that were removed before that head are seen so.
        if tail >= line.bound.load(Ordering::Acquire) {
            return Err(NoVacancy::Unusual);
        }
        // Acquire: pairs with the release of the exchange that cleared PARKED, which follows upon the consumer's last use
        // of the segment; the exchanges in between continue its release sequence.
        if self.tail().compare_exchange(tail, tail + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return Err(NoVacancy::Contended);
        }
        // No flag was set, so the tail was the position.
        //
        // SAFETY: a bound above 0 was stored after the directory was made; the exchange reserved the position.
        match unsafe { line.directory.slot(tail) } {
            Some(slot) => Ok(Vacancy(slot)),
            None => Err(NoVacancy::Reserved(tail)),
        }
    }

    /// Hands an event over, or gives it back, when [`vacancy`](Self::vacancy) has found none for that reason.
    pub(crate) fn push_with_care<E: MetricEvent>(
        &self,
        event: E,
        reason: NoVacancy,
    ) -> Result<Accepted, (Refusal, E)> {
        match self.reserve_with_care(reason) {
            Ok(Reservation { position, accepted }) => {
                let line = self.line();
                // SAFETY: the reservation, which implies that the directory was made.
                let slot = unsafe { line.directory.slot_or_install(position, &line.pool) };
                // The slot is free (Q3) and reserved for this caller (Q2).
                Vacancy(slot).fill(event);
                Ok(accepted)
            }
            Err(refusal) => Err((refusal, event)),
        }
    }

    /// Hands an event over, or gives it back.
    #[cfg(test)]
    pub(crate) fn push<E: MetricEvent>(&self, event: E) -> Result<Accepted, (Refusal, E)> {
        match self.vacancy() {
            Ok(vacancy) => {
                vacancy.fill(event);
                Ok(Accepted::Quietly)
            }
            Err(reason) => self.push_with_care(event, reason),
        }
    }

    /// Reserves a position when there is more to it than moving the tail on.
    fn reserve_with_care(&self, reason: NoVacancy) -> Result<Reservation, Refusal> {
        match reason {
            NoVacancy::Reserved(position) => {
                return Ok(Reservation { position, accepted: Accepted::Quietly });
            }
            NoVacancy::Contended => back_off(),
            NoVacancy::Unusual => {}
        }
        loop {
            // Relaxed: checked by the exchange.
            let tail = self.tail().load(Ordering::Relaxed);
            if tail & FLAGS != 0 {
                return self.reserve_through_gate();
            }
            let accepted = self.examine(tail)?;
            // Acquire, as in `vacancy`.
            match self.tail().compare_exchange(tail, tail + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(position) => return Ok(Reservation { position, accepted }),
                Err(_) => back_off(),
            }
        }
    }

    /// The same for a queue that is closed or whose consumer is parked.
    fn reserve_through_gate(&self) -> Result<Reservation, Refusal> {
        let _gate = lock(&self.consumer.0.gate);
        self.line().directory.make();
        // Relaxed: checked by the exchange.
        let mut tail = self.tail().load(Ordering::Relaxed);
        loop {
            if tail & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            let position = tail & POSITION;
            let accepted = self.examine(position)?;
            // Release shows the directory to all later producers, acquire as in `vacancy`.
            match self.tail().compare_exchange(tail, position + 1, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if tail & PARKED != 0 => {
                    return Ok(Reservation { position, accepted: Accepted::Unparking });
                }
                Ok(_) => return Ok(Reservation { position, accepted }),
                Err(now) => tail = now,
            }
        }
    }

    /// Whether there is room for a position; if so, moves `bound` on when that position has reached it.
    fn examine(&self, position: u64) -> Result<Accepted, Refusal> {
        let line = self.line();
        // Acquire, and release below, as in `vacancy`.
        if position < line.bound.load(Ordering::Acquire) {
            return Ok(Accepted::Quietly);
        }
        let head = self.consumed();
        let end = head + line.limit;
        if position >= end {
            return Err(Refusal::Full);
        }
        // A store of another producer may come in between. Each of them stores what Q1 allows, and one that is too low
        // costs no more than another look.
        line.bound.store(end.min(position + line.stride), Ordering::Release);
        // A position that is behind the head is stale; its exchange will fail.
        let fills_up = position.saturating_sub(head) >= line.limit / 4;
        Ok(if fills_up { Accepted::FillingUp } else { Accepted::Quietly })
    }

    /// Refuses events from now on; returns how many were accepted.
    pub(crate) fn close(&self) -> u64 {
        // AcqRel: ordered with the pushes before it and the state change that follows it.
        self.tail().fetch_or(CLOSED, Ordering::AcqRel) & POSITION
    }

    /// Accepts events again.
    pub(crate) fn reopen(&self) {
        // AcqRel, as in `close`.
        self.tail().fetch_and(!CLOSED, Ordering::AcqRel);
    }

    /// Tells the producers that the consumer goes to sleep, unless something is pending.
    ///
    /// Whether the consumer may sleep: it may not when the queue is closed, because then there is an end to be made.
    pub(crate) fn park(&self, _consumer: &mut Consumer) -> bool {
        let _gate = lock(&self.consumer.0.gate);
        // Relaxed: only the consumer writes it.
        let head = self.head().load(Ordering::Relaxed);
        // Relaxed: checked by the exchange.
        let tail = self.tail().load(Ordering::Relaxed);
        if tail & POSITION != head {
            return false;
        }
        // AcqRel: whoever clears PARKED comes through the gate; the exchange itself orders nothing more than the flags.
        if self.tail().compare_exchange(tail, tail | PARKED, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        let line = self.line();
        if line.directory.is_made() {
            // SAFETY: everything is consumed, and PARKED keeps producers out until the gate opens (Q4).
            unsafe { line.directory.recycle(head, &line.pool) };
        }
        tail & CLOSED == 0
    }

    /// Whether the consumer has parked and nobody has unparked it.
    pub(crate) fn is_parked(&self) -> bool {
        // Acquire: ordered with the exchange that unparks.
        self.tail().load(Ordering::Acquire) & PARKED != 0
    }

    /// Whether nothing is pending and the queue is open.
    pub(crate) fn is_idle(&self) -> bool {
        // Relaxed: a look, to be repeated if it comes too early.
        let head = self.head().load(Ordering::Relaxed);
        let tail = self.tail().load(Ordering::Relaxed);
        tail & !PARKED == head
    }

    /// The next events of one type in a row, at most `most`; `None` when the next event is not there yet.
    ///
    /// `most` is best no more than what is pending: the slots of a run are fetched for writing before they are looked at,
    /// which a producer that is about to write them would feel.
    #[inline]
    pub(crate) fn next_run<'q>(&'q self, _consumer: &'q mut Consumer, most: u64) -> Option<Run<'q>> {
        let directory = &self.line().directory;
        if !directory.is_made() {
            return None;
        }
        // Relaxed: only the consumer writes it.
        let head = self.head().load(Ordering::Relaxed);
        // SAFETY: the directory is made, and the consumer removes a segment only when it consumes a run, which this
        // borrow of it rules out.
        let slots = unsafe { directory.slots_from(head) }?;
        let slots = &slots[..slots.len().min(usize::try_from(most).unwrap_or(usize::MAX))];
        let meta = slots.first()?.published()?;
        let same = |slot: &Slot| slot.published().is_some_and(|other| ptr::eq(other, meta));
        let mut length = 1;
        while length < slots.len() {
            slot::fetch_ahead(slots, length);
            if !same(&slots[length]) {
                break;
            }
            length += 1;
        }
        Some(Run { queue: self, slots: &slots[..length], meta, head })
    }
}

/// Lets the winner of an exchange go on alone for a while.
fn back_off() {
    for _ in 0..BACK_OFF {
        spin_loop();
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut consumer = Consumer::new();
        while let Some(run) = self.next_run(&mut consumer, SEGMENT_SLOTS) {
            run.consume();
        }
    }
}

/// The right to consume. There is one for each queue, kept under the lock of the recorder's metrics.
pub(crate) struct Consumer(());

impl Consumer {
    /// The caller makes one for each queue.
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// Published events of one type in a row, still in the queue.
///
/// Dropping a run leaves its events pending; [`consume`](Run::consume) drops the events.
pub(crate) struct Run<'q> {
    queue: &'q Queue,
    slots: &'q [Slot],
    meta: &'static EventMeta,
    head: u64,
}

impl Run<'_> {
    pub(crate) fn meta(&self) -> &'static EventMeta {
        self.meta
    }

    /// The slots of the run, all published with [`meta`](Self::meta).
    pub(crate) fn slots(&self) -> &[Slot] {
        self.slots
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The first event of the run, to be shown to a hook.
    pub(crate) fn first(&mut self) -> PendingEvent<'_> {
        PendingEvent { slot: &self.slots[0], meta: self.meta, one_thread: PhantomData }
    }

    /// Drops the events and makes room for as many.
    pub(crate) fn consume(self) {
        for slot in self.slots {
            // SAFETY: published with this meta, and the run, which alone refers to the event, is given up.
            unsafe { slot.clear(self.meta) };
        }
        let head = self.head + self.len();
        if head.is_multiple_of(SEGMENT_SLOTS) {
            let line = self.queue.line();
            // SAFETY: its last slot was just freed, so all its positions are consumed (Q2).
            unsafe { line.directory.recycle(self.head, &line.pool) };
        }
        // Release: the freed slots and the removed segment (Q3), and whatever the events changed.
        self.queue.head().store(head, Ordering::Release);
    }
}

/// An event that is still in the queue, to be looked at by one thread at a time.
///
/// It moves between threads with the task that consumes it, which asks no more of an event than `Send`. It can neither be
/// shared nor copied, and what it lends out ends before it moves; so an event without `Sync` is never seen by two threads
/// at once.
pub(crate) struct PendingEvent<'q> {
    slot: &'q Slot,
    meta: &'static EventMeta,
    one_thread: PhantomData<Cell<()>>,
}

impl PendingEvent<'_> {
    pub(crate) fn view(&self) -> EventRef<'_> {
        // SAFETY: the slot was published with this meta, and the run this was borrowed from keeps it.
        unsafe { self.slot.view(self.meta) }
    }
}
