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
}

/// Lets the winner of an exchange go on alone for a while.
fn back_off() {
    for _ in 0..BACK_OFF {
        spin_loop();
    }
}
