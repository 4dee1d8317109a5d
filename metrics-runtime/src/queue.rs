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
//! One word, `tail`, carries the next position and two flags, so that a single compare-exchange answers
//! all that a producer must know: is the queue open, is there room, which position is mine, must somebody be woken.
//! The producer then writes its event into the slot and publishes it by storing the pointer to the type's metadata.
//! The consumer reads published slots in order of position, clears them, and moves [`head`](Queue::head).
//!
//! # Invariants
//!
//! * Q1: `head <= tail.position <= head + limit`. A producer reserves only after it has seen `position < head + limit`,
//!   and `head` only grows.
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
use crate::sync::{Arc, AtomicPtr, AtomicU64, Mutex, Ordering, lock};

pub(crate) use crate::queue::segment::SegmentPool;

/// The queue is closed to new events.
const CLOSED: u64 = 1;
/// The consumer has gone to sleep; the next producer wakes it.
const PARKED: u64 = 2;
const FLAGS: u64 = CLOSED | PARKED;
/// Positions stand above the flags: 62 bits, which a billion events a second fill in 146 years.
const POSITION_SHIFT: u32 = 2;
const ONE: u64 = 1 << POSITION_SHIFT;

/// Keeps what producers write and what the consumer writes on different cache lines.
#[repr(align(64))]
struct CacheLine<T>(T);

pub(crate) struct Queue {
    producers: CacheLine<ProducerLine>,
    /// All positions before it are consumed. Written by the consumer only.
    head: CacheLine<AtomicU64>,
    pool: Arc<SegmentPool>,
    gate: Mutex<()>,
}

struct ProducerLine {
    /// The next position, CLOSED and PARKED.
    tail: AtomicU64,
    /// A value `head` had: producers look at `head` itself only when this one leaves no room.
    head_seen: AtomicU64,
    limit: u64,
    /// A position with none of these bits is where a producer looks whether the consumer is asleep at its post.
    check_mask: u64,
    /// Null until the first event.
    directory: AtomicPtr<Directory>,
}

/// What a producer has to do after its event was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// Nothing.
    Quietly,
    /// Wake the consumer if it dozes although the queue fills up.
    AtCheckpoint,
    /// Wake the consumer: it was parked.
    Unparking,
}

/// Why an event was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Closed,
    Full,
}

impl Queue {
    /// An open queue whose consumer is parked.
    pub(crate) fn new(limit: u64, pool: Arc<SegmentPool>) -> Self {
        debug_assert!(limit > 0);
        // A quarter of the limit, as a power of two, at most a segment.
        let checkpoint = (limit / 4).clamp(1, SEGMENT_SLOTS);
        let check_mask = (1 << checkpoint.ilog2()) - 1;
        Self {
            producers: CacheLine(ProducerLine {
                tail: AtomicU64::new(PARKED),
                head_seen: AtomicU64::new(0),
                limit,
                check_mask,
                directory: AtomicPtr::new(ptr::null_mut()),
            }),
            head: CacheLine(AtomicU64::new(0)),
            pool,
            gate: Mutex::new(()),
        }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.producers.0.limit
    }

    /// The position of the next event: how many were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        // Acquire: not older than a `head` that was read before it.
        self.producers.0.tail.load(Ordering::Acquire) >> POSITION_SHIFT
    }

    /// How many events were consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        // Acquire: the effects of all consumed events are seen.
        self.head.0.load(Ordering::Acquire)
    }

    /// Hands an event over, or gives it back.
    #[inline]
    pub(crate) fn push<E: MetricEvent>(&self, event: E) -> Result<Accepted, (Refusal, E)> {
        let line = &self.producers.0;
        // Relaxed: a stale value only makes the exchange below fail.
        let mut tail = line.tail.load(Ordering::Relaxed);
        let position = loop {
            if tail & FLAGS != 0 {
                return self.push_through_gate(event);
            }
            let position = tail >> POSITION_SHIFT;
            if !self.has_room(position) {
                return Err((Refusal::Full, event));
            }
            // Acquire: pairs with the release of the exchange that cleared PARKED, behind which the directory was made;
            // the exchanges in between continue its release sequence.
            match line.tail.compare_exchange_weak(tail, tail + ONE, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break position,
                Err(now) => tail = now,
            }
        };
        // SAFETY: the exchange above reserved the position.
        unsafe { self.write(position, event) };
        Ok(if position & line.check_mask == 0 { Accepted::AtCheckpoint } else { Accepted::Quietly })
    }

    /// The same for a queue that is closed or whose consumer is parked.
    #[cold]
    fn push_through_gate<E: MetricEvent>(&self, event: E) -> Result<Accepted, (Refusal, E)> {
        let line = &self.producers.0;
        let position = {
            let _gate = lock(&self.gate);
            if line.directory.load(Ordering::Relaxed).is_null() {
                let directory = Box::into_raw(Box::new(Directory::new(line.limit)));
                // Relaxed: the exchange below releases it.
                line.directory.store(directory, Ordering::Relaxed);
            }
            let mut tail = line.tail.load(Ordering::Relaxed);
            loop {
                if tail & CLOSED != 0 {
                    return Err((Refusal::Closed, event));
                }
                let position = tail >> POSITION_SHIFT;
                if !self.has_room(position) {
                    return Err((Refusal::Full, event));
                }
                let next = (tail & !PARKED) + ONE;
                // Release shows the directory to all later producers, acquire as in `push`.
                match line.tail.compare_exchange_weak(tail, next, Ordering::AcqRel, Ordering::Relaxed) {
                    Ok(_) if tail & PARKED == 0 => break Err(position),
                    Ok(_) => break Ok(position),
                    Err(now) => tail = now,
                }
            }
        };
        let (position, accepted) = match position {
            Ok(position) => (position, Accepted::Unparking),
            Err(position) => (position, Accepted::AtCheckpoint),
        };
        // SAFETY: the exchange above reserved the position.
        unsafe { self.write(position, event) };
        Ok(accepted)
    }

    /// Whether a position is within the limit (Q1).
    #[inline]
    fn has_room(&self, position: u64) -> bool {
        let line = &self.producers.0;
        // Acquire, and release below: who relies on a head that another producer has read must also see the slots that
        // were freed before it.
        if position < line.head_seen.load(Ordering::Acquire) + line.limit {
            return true;
        }
        let head = self.consumed();
        line.head_seen.store(head, Ordering::Release);
        position < head + line.limit
    }

    /// # Safety
    /// The caller has reserved the position and not yet published it.
    #[inline]
    unsafe fn write<E: MetricEvent>(&self, position: u64, event: E) {
        // SAFETY: a reservation implies that the directory was made.
        let directory = unsafe { self.directory().unwrap_unchecked() };
        // SAFETY: the caller's reservation.
        let slot = unsafe { directory.slot_or_install(position, &self.pool) };
        // SAFETY: the slot is free (Q3) and reserved for this caller (Q2).
        unsafe { slot.publish(event) };
    }

    #[inline]
    fn directory(&self) -> Option<&Directory> {
        // Relaxed: seen through the acquire of the tail; it is set once and dropped with the queue.
        let directory = self.producers.0.directory.load(Ordering::Relaxed);
        // SAFETY: null or from `Box::into_raw`, and freed by `Drop` only.
        unsafe { directory.as_ref() }
    }

    /// Refuses events from now on; returns how many were accepted.
    pub(crate) fn close(&self) -> u64 {
        // AcqRel: ordered with the pushes before it and the state change that follows it.
        self.producers.0.tail.fetch_or(CLOSED, Ordering::AcqRel) >> POSITION_SHIFT
    }

    /// Accepts events again.
    pub(crate) fn reopen(&self) {
        self.producers.0.tail.fetch_and(!CLOSED, Ordering::AcqRel);
    }

    /// Tells the producers that the consumer goes to sleep, unless something is pending.
    ///
    /// Whether the consumer may sleep: it may not when the queue is closed, because then there is an end to be made.
    pub(crate) fn park(&self, _consumer: &mut Consumer) -> bool {
        let _gate = lock(&self.gate);
        let tail_word = &self.producers.0.tail;
        // Relaxed: only the consumer writes it.
        let head = self.head.0.load(Ordering::Relaxed);
        // Relaxed: checked by the exchange.
        let tail = tail_word.load(Ordering::Relaxed);
        if tail >> POSITION_SHIFT != head {
            return false;
        }
        // AcqRel: whoever clears PARKED comes through the gate; the exchange itself orders nothing more than the flags.
        if tail_word.compare_exchange(tail, tail | PARKED, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        if let Some(directory) = self.directory() {
            // SAFETY: everything is consumed, and PARKED keeps producers out until the gate opens (Q4).
            unsafe { directory.recycle(head, &self.pool) };
        }
        tail & CLOSED == 0
    }

    /// Whether the consumer has parked and nobody has unparked it.
    pub(crate) fn is_parked(&self) -> bool {
        // Acquire: ordered with the exchange that unparks.
        self.producers.0.tail.load(Ordering::Acquire) & PARKED != 0
    }

    /// Whether nothing is pending and the queue is open.
    pub(crate) fn is_idle(&self) -> bool {
        let head = self.head.0.load(Ordering::Relaxed);
        let tail = self.producers.0.tail.load(Ordering::Relaxed);
        tail & !PARKED == head << POSITION_SHIFT
    }

    /// The next events of one type in a row, at most `most`; `None` when the next event is not there yet.
    #[inline]
    pub(crate) fn next_run<'q>(&'q self, _consumer: &'q mut Consumer, most: u64) -> Option<Run<'q>> {
        let directory = self.directory()?;
        // Relaxed: only the consumer writes it.
        let head = self.head.0.load(Ordering::Relaxed);
        // SAFETY: the consumer removes a segment only when it consumes a run, which this borrow of it rules out.
        let slots = unsafe { directory.slots_from(head) }?;
        let meta = slots[0].published()?;
        let most = slots.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let same = |slot: &Slot| slot.published().is_some_and(|other| ptr::eq(other, meta));
        let length = 1 + slots[1..most.max(1)].iter().take_while(|slot| same(slot)).count();
        Some(Run { queue: self, directory, slots: &slots[..length], meta, head })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut consumer = Consumer::new();
        while let Some(run) = self.next_run(&mut consumer, SEGMENT_SLOTS) {
            run.consume();
        }
        let directory = self.producers.0.directory.swap(ptr::null_mut(), Ordering::Relaxed);
        if !directory.is_null() {
            // SAFETY: from `Box::into_raw`, and `&mut self` says that nobody else uses it.
            drop(unsafe { Box::from_raw(directory) });
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
    directory: &'q Directory,
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
            // SAFETY: its last slot was just freed, so all its positions are consumed (Q2).
            unsafe { self.directory.recycle(self.head, &self.queue.pool) };
        }
        // Release: the freed slots and the removed segment (Q3), and whatever the events changed.
        self.queue.head.0.store(head, Ordering::Release);
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
