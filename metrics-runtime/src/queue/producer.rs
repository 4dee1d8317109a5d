//! The producers' side: reserving a position in the usual case, and everything else in the slow path.

use std::marker::PhantomData;

use crate::event::MetricEvent;
use crate::queue::segment::{Installed, Spare, is_segment_start, reserved_slot, segment_end};
use crate::queue::slot::{self, Slot};
use crate::queue::{CLOSED, PARKED, POSITION, Queue};
use crate::sync::{MutexGuard, Ordering, spin_loop};

/// How long a producer backs off after it has lost an exchange: about a microsecond. The winner hands over some 50 events
/// in that time, each at the price of a single producer.
#[cfg(not(mvx_loom))]
const BACKOFF_SPINS: u32 = 64;
/// One spin lets loom schedule another thread.
#[cfg(mvx_loom)]
const BACKOFF_SPINS: u32 = 1;
/// How often a producer tries to lock before it sleeps. The lock is held for less than one back-off, unless its holder is
/// preempted.
const MAX_LOCK_ATTEMPTS: u32 = if cfg!(mvx_loom) { 1 } else { 16 };

/// The producer's duty after its event was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WakeHint {
    /// Nothing.
    None,
    /// Make sure that the consumer looks soon: a quarter of the limit is pending.
    Early,
    /// Wake the consumer: it was parked.
    Unpark,
}

/// Why an event was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushError {
    Closed,
    Full,
}

/// Why [`Queue::try_reserve`] gives no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReserveError {
    /// The tail is not below `fast_limit`: the queue is closed, parked or full, or a checkpoint or a new segment is due.
    AtFastLimit,
    /// Another producer reserved the position.
    Contended,
    /// Events of this type do not fit a slot and must be boxed first.
    NeedsBox,
}

/// A reserved, free slot for an event that fits. The consumer cannot go past it until the event is sent.
#[must_use]
pub(crate) struct Permit<'q, E> {
    slot: &'q Slot,
    event: PhantomData<fn(E)>,
}

impl<E: MetricEvent> Permit<'_, E> {
    #[inline]
    pub(crate) fn send(self, event: E) {
        // SAFETY: `try_reserve` makes a permit for a slot that it has reserved and for a type that fits; it is used up here.
        unsafe { self.slot.publish(event) };
    }
}

/// A reserved slot. The producer must publish its event before anything else.
struct Reservation<'q> {
    slot: &'q Slot,
    hint: WakeHint,
}

impl Queue {
    /// Reserves a position in the usual case. Every other case is for [`push_slow`](Self::push_slow).
    #[inline]
    pub(crate) fn try_reserve<E: MetricEvent>(&self) -> Result<Permit<'_, E>, ReserveError> {
        if const { !slot::fits::<E>() } {
            return Err(ReserveError::NeedsBox);
        }
        Ok(Permit { slot: self.try_advance()?, event: PhantomData })
    }

    /// Moves the tail on by one if it is below `fast_limit`; returns the slot of the position that this reserves.
    #[inline]
    fn try_advance(&self) -> Result<&Slot, ReserveError> {
        // A stale value makes the exchange fail. Acquire: pairs with the exchange in `advance_locked`, which cleared PARKED or
        // reserved the first position of this segment; the exchanges since then continue its release sequence. So `last`
        // below is that segment or a later one, and all that the consumer freed before it was installed is visible (Q3).
        let tail = self.tail().load(Ordering::Acquire);
        // Acquire: pairs with the store in `advance_locked`, so that the exchange before that store precedes the one below.
        if tail >= self.line().fast_limit.load(Ordering::Acquire) {
            return Err(ReserveError::AtFastLimit);
        }
        // Acquire: pairs with `install` and `remove_first`. These ran after the tail had left this segment, so if this thread
        // read a later value here, the tail below would have moved on too. Thus with the exchange it is the segment (Q7).
        let last = self.line().last.load(Ordering::Acquire);
        // Relaxed: acquired above.
        self.tail()
            .compare_exchange(tail, tail + 1, Ordering::Relaxed, Ordering::Relaxed)
            .map_err(|_| ReserveError::Contended)?;
        // SAFETY: the exchange reserved the position, and `last` is its segment.
        Ok(unsafe { reserved_slot(last, tail) })
    }

    /// Hands an event over, or gives it back, after [`try_reserve`](Self::try_reserve) gave no permit for that reason.
    ///
    /// Allocates before it reserves, and frees after it has published.
    pub(crate) fn push_slow<E: MetricEvent>(
        &self,
        event: E,
        reason: ReserveError,
    ) -> Result<WakeHint, (PushError, E)> {
        if reason == ReserveError::Contended {
            back_off();
        }
        // Dropped after publishing.
        let mut spare = Spare::new(&self.line().pool);
        if const { slot::fits::<E>() } {
            match self.reserve_slow(&mut spare) {
                Ok(Reservation { slot, hint }) => {
                    // SAFETY: the slot is reserved and free (Q3), and the event fits.
                    unsafe { slot.publish(event) };
                    Ok(hint)
                }
                Err(error) => Err((error, event)),
            }
        } else {
            // Relaxed: a hint, which saves the allocation when the queue is closed or full.
            if let Err(error) = self.check_room(self.tail().load(Ordering::Relaxed)) {
                return Err((error, event));
            }
            let event = Box::new(event);
            match self.reserve_slow(&mut spare) {
                Ok(Reservation { slot, hint }) => {
                    // SAFETY: the slot is reserved and free (Q3), and the event does not fit.
                    unsafe { slot.publish_boxed(event) };
                    Ok(hint)
                }
                Err(error) => Err((error, *event)),
            }
        }
    }

    /// Hands an event over, or gives it back.
    #[cfg(test)]
    pub(crate) fn push<E: MetricEvent>(&self, event: E) -> Result<WakeHint, (PushError, E)> {
        match self.try_reserve() {
            Ok(permit) => {
                permit.send(event);
                Ok(WakeHint::None)
            }
            Err(reason) => self.push_slow(event, reason),
        }
    }

    /// Reserves a position in every case in which the queue is open and has room: by the usual way, or with `park_lock`.
    fn reserve_slow(&self, spare: &mut Spare<'_>) -> Result<Reservation<'_>, PushError> {
        loop {
            match self.try_advance() {
                Ok(slot) => return Ok(Reservation { slot, hint: WakeHint::None }),
                Err(ReserveError::Contended) => {
                    back_off();
                    continue;
                }
                Err(_) => {}
            }
            // Relaxed: `advance_locked` reads it again.
            let tail = self.tail().load(Ordering::Relaxed);
            self.check_room(tail)?;
            if needs_segment(tail) {
                spare.prepare(tail & POSITION);
            }
            if let Some(reservation) = self.advance_locked(spare)? {
                return Ok(reservation);
            }
        }
    }

    /// Locks `park_lock`. A thread that sleeps for it costs more than the lock is held, so this one spins for a while first.
    fn lock_as_producer(&self) -> MutexGuard<'_, Installed> {
        for _ in 0..MAX_LOCK_ATTEMPTS {
            if let Some(guard) = self.park_lock().try_lock() {
                return guard;
            }
            back_off();
        }
        self.park_lock().lock()
    }

    /// Says whether the queue refuses an event now. Reads `head`, a cache line of the consumer, only if it must.
    fn check_room(&self, tail: u64) -> Result<(), PushError> {
        let line = self.line();
        if tail & CLOSED != 0 {
            return Err(PushError::Closed);
        }
        // Relaxed: every limit ever stored there keeps Q1.
        if tail < line.fast_limit.load(Ordering::Relaxed) {
            return Ok(());
        }
        if tail & POSITION >= self.consumed() + line.limit { Err(PushError::Full) } else { Ok(()) }
    }

    /// As [`reserve_slow`](Self::reserve_slow), for a queue that is parked or has its tail at `fast_limit`.
    ///
    /// Returns `None` when the caller must retry. Then another producer has moved `fast_limit`, or the spare has no
    /// segment although the tail now needs one.
    fn advance_locked(&self, spare: &mut Spare<'_>) -> Result<Option<Reservation<'_>>, PushError> {
        let mut installed = self.lock_as_producer();
        let line = self.line();
        // Relaxed: the exchange checks it. Except for CLOSED it is the latest value if it is parked or at `fast_limit`,
        // because such a tail changes under `park_lock` only (Q4, Q8).
        let tail = self.tail().load(Ordering::Relaxed);
        let position = tail & POSITION;
        // Relaxed: written under the lock only.
        let at_fast_limit = position >= line.fast_limit.load(Ordering::Relaxed);
        if tail & CLOSED != 0 {
            return Err(PushError::Closed);
        }
        if tail & PARKED == 0 && !at_fast_limit {
            return Ok(None);
        }
        let head = self.consumed();
        let end = head + line.limit;
        if position >= end {
            return Err(PushError::Full);
        }
        if !self.install(&mut installed, position, spare) {
            return Ok(None);
        }
        // Relaxed: written under the lock only.
        let last = line.last.load(Ordering::Relaxed);
        // Release: pairs with the load in `try_advance`. The lock orders everything else.
        if self.tail().compare_exchange(tail, position + 1, Ordering::Release, Ordering::Relaxed).is_err() {
            // Only `close` changes such a tail without the lock. The segment stays for the next producer: the consumer
            // may be looking at it.
            return Err(PushError::Closed);
        }
        if at_fast_limit {
            let fast_limit = end.min(position + line.stride).min(segment_end(position));
            // Release: pairs with `try_advance`.
            line.fast_limit.store(fast_limit, Ordering::Release);
        }
        let hint = if tail & PARKED != 0 {
            WakeHint::Unpark
        } else if position - head >= line.limit / 4 {
            WakeHint::Early
        } else {
            WakeHint::None
        };
        // SAFETY: the exchange reserved the position. The lock keeps other segments from being installed since.
        let slot = unsafe { reserved_slot(last, position) };
        Ok(Some(Reservation { slot, hint }))
    }
}

/// Whether a segment must be installed before this tail, which is parked or at `fast_limit`, moves on.
fn needs_segment(tail: u64) -> bool {
    tail & PARKED != 0 || is_segment_start(tail & POSITION)
}

/// Lets the winner of an exchange go on alone for a while.
fn back_off() {
    for _ in 0..BACKOFF_SPINS {
        spin_loop();
    }
}
