//! The producers' side: reserving a position, and going through the gate when there is more to it.

use crate::event::MetricEvent;
use crate::queue::slot::Slot;
use crate::queue::{CLOSED, FLAGS, PARKED, POSITION, Queue};
use crate::sync::{Ordering, lock, spin_loop};

/// How long a producer stays away after it has lost an exchange, in pauses of the processor: about a microsecond, in
/// which the winner hands over some 50 events at the price of one producer.
#[cfg(not(mvx_loom))]
const BACK_OFF: u32 = 64;
/// One is enough for loom to let another thread go on.
#[cfg(mvx_loom)]
const BACK_OFF: u32 = 1;

/// What a producer has to do after its event was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WakeHint {
    /// Nothing.
    None,
    /// See that the consumer is about to look: a good part of the limit is pending.
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

/// A free slot that is the holder's to fill. To be filled at once: the consumer waits there.
#[must_use]
pub(crate) struct Permit<'q>(&'q Slot);

impl Permit<'_> {
    #[inline]
    pub(crate) fn send<E: MetricEvent>(self, event: E) {
        // SAFETY: a permit is made for a reserved, free slot, and is used up here.
        unsafe { self.0.publish(event) };
    }
}

/// Why there is no [`Permit`] without further questions. Not to be lost: there may be a position in it.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(crate) enum ReserveError {
    /// The queue is closed, its consumer asleep, the limit reached, or a checkpoint due.
    AtFastLimit,
    /// Another producer was faster.
    Contended,
    /// This position is the caller's, but its segment is missing.
    Reserved(u64),
}

/// A position that is the caller's to write to.
struct Reservation {
    position: u64,
    accepted: WakeHint,
}

impl Queue {
    /// Reserves a position in the usual case: the queue is open and awake, there is room, the segment is there, and no
    /// other producer comes first. Everything else is for [`push_slow`](Self::push_slow).
    #[inline]
    pub(crate) fn try_reserve(&self) -> Result<Permit<'_>, ReserveError> {
        let line = self.line();
        // Relaxed: a stale value only makes the exchange below fail.
        let tail = self.tail().load(Ordering::Relaxed);
        // Acquire: pairs with the release store of whoever has seen the head behind this limit, so that the slots that
        // were freed and the segments that were removed before that head are seen so.
        if tail >= line.fast_limit.load(Ordering::Acquire) {
            return Err(ReserveError::AtFastLimit);
        }
        // Acquire: pairs with the release of the exchange that cleared PARKED, which follows upon the consumer's last use
        // of the segment; the exchanges in between continue its release sequence.
        if self.tail().compare_exchange(tail, tail + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return Err(ReserveError::Contended);
        }
        // No flag was set, so the tail was the position.
        //
        // SAFETY: a limit above 0 was stored after the directory was made; the exchange reserved the position.
        match unsafe { line.directory.slot(tail) } {
            Some(slot) => Ok(Permit(slot)),
            None => Err(ReserveError::Reserved(tail)),
        }
    }

    /// Hands an event over, or gives it back, when [`try_reserve`](Self::try_reserve) has found none for that reason.
    pub(crate) fn push_slow<E: MetricEvent>(
        &self,
        event: E,
        reason: ReserveError,
    ) -> Result<WakeHint, (PushError, E)> {
        match self.reserve_slow(reason) {
            Ok(Reservation { position, accepted }) => {
                let line = self.line();
                // SAFETY: the reservation, which implies that the directory was made.
                let slot = unsafe { line.directory.slot_or_install(position, &line.pool) };
                // The slot is free (Q3) and reserved for this caller (Q2).
                Permit(slot).send(event);
                Ok(accepted)
            }
            Err(refusal) => Err((refusal, event)),
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

    /// Reserves a position when there is more to it than moving the tail on.
    fn reserve_slow(&self, reason: ReserveError) -> Result<Reservation, PushError> {
        match reason {
            ReserveError::Reserved(position) => {
                return Ok(Reservation { position, accepted: WakeHint::None });
            }
            ReserveError::Contended => back_off(),
            ReserveError::AtFastLimit => {}
        }
        loop {
            // Relaxed: checked by the exchange.
            let tail = self.tail().load(Ordering::Relaxed);
            if tail & FLAGS != 0 {
                return self.reserve_locked();
            }
            let accepted = self.examine(tail)?;
            // Acquire, as in `try_reserve`.
            match self.tail().compare_exchange(tail, tail + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(position) => return Ok(Reservation { position, accepted }),
                Err(_) => back_off(),
            }
        }
    }

    /// The same for a queue that is closed or whose consumer is parked.
    fn reserve_locked(&self) -> Result<Reservation, PushError> {
        let _guard = lock(&self.consumer.0.park_lock);
        self.line().directory.make();
        // Relaxed: checked by the exchange.
        let mut tail = self.tail().load(Ordering::Relaxed);
        loop {
            if tail & CLOSED != 0 {
                return Err(PushError::Closed);
            }
            let position = tail & POSITION;
            let accepted = self.examine(position)?;
            // Release shows the directory to all later producers, acquire as in `try_reserve`.
            match self.tail().compare_exchange(tail, position + 1, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if tail & PARKED != 0 => {
                    return Ok(Reservation { position, accepted: WakeHint::Unpark });
                }
                Ok(_) => return Ok(Reservation { position, accepted }),
                Err(now) => tail = now,
            }
        }
    }

    /// Whether there is room for a position; if so, moves `fast_limit` on when that position has reached it.
    fn examine(&self, position: u64) -> Result<WakeHint, PushError> {
        let line = self.line();
        // Acquire, and release below, as in `try_reserve`.
        if position < line.fast_limit.load(Ordering::Acquire) {
            return Ok(WakeHint::None);
        }
        let head = self.consumed();
        let end = head + line.limit;
        if position >= end {
            return Err(PushError::Full);
        }
        // A store of another producer may come in between. Each of them stores what Q1 allows, and one that is too low
        // costs no more than another look.
        line.fast_limit.store(end.min(position + line.stride), Ordering::Release);
        // A position that is behind the head is stale; its exchange will fail.
        let fills_up = position.saturating_sub(head) >= line.limit / 4;
        Ok(if fills_up { WakeHint::Early } else { WakeHint::None })
    }
}

/// Lets the winner of an exchange go on alone for a while.
fn back_off() {
    for _ in 0..BACK_OFF {
        spin_loop();
    }
}
