//! Registering events, except those that wait for room.

use std::sync::Arc;

use super::per_thread::PerThread;
use super::placement::Placement;
use super::recorder_inner::RecorderInner;
use super::settings::QueueOverflowPolicy;
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::panics;
use crate::queue::{Permit, PushError, ReserveError, WakeHint};
use crate::state::MetricsRecorderState;
use crate::thread_role;

/// An event that the queue has not accepted.
pub(super) enum Refused<E> {
    Full(E),
    /// The recorder accepts no events, for this reason.
    Closed(E, MetricsRecorderError),
}

impl RecorderInner {
    /// Reserves a position in the usual case: the recorder accepts events, its consumer is awake, and there is room.
    #[inline]
    pub(crate) fn try_reserve<E: MetricEvent>(&self) -> Result<Permit<'_, E>, ReserveError> {
        self.queue.try_reserve()
    }

    /// Registers an event that [`try_reserve`](Self::try_reserve) has no place for: through the ring of this thread if the
    /// recorder has such rings.
    ///
    /// It is a cold function of its own, so that the code of an ordered recorder's usual case is as if there were no rings.
    #[cold]
    #[inline(never)]
    pub(crate) fn register_otherwise<E: MetricEvent>(
        self: &Arc<Self>,
        event: E,
        reason: ReserveError,
    ) -> Result<(), RegisterEventError<E>> {
        match &self.per_thread {
            Some(per_thread) => self.register_per_thread(per_thread, event, reason),
            None => self.register_slow(event, reason),
        }
    }

    #[inline(never)]
    fn register_per_thread<E: MetricEvent>(
        self: &Arc<Self>,
        per_thread: &PerThread,
        event: E,
        reason: ReserveError,
    ) -> Result<(), RegisterEventError<E>> {
        match per_thread.try_push(event) {
            Ok(()) => Ok(()),
            Err(event) => self.register_slow(event, reason),
        }
    }

    /// As [`register_otherwise`](Self::register_otherwise), for code that can do nothing about an error. A closed queue costs a
    /// count, and neither a lock nor an error.
    #[cold]
    #[inline(never)]
    pub(crate) fn emit_otherwise<E: MetricEvent>(self: &Arc<Self>, event: E, reason: ReserveError) {
        match &self.per_thread {
            Some(per_thread) => self.emit_per_thread(per_thread, event, reason),
            None if self.queue.is_closed() => self.reject_silently(event),
            None => self.emit_slow(event, reason),
        }
    }

    #[inline(never)]
    fn emit_per_thread<E: MetricEvent>(
        self: &Arc<Self>,
        per_thread: &PerThread,
        event: E,
        reason: ReserveError,
    ) {
        match per_thread.try_push(event) {
            Ok(()) => {}
            Err(event) if per_thread.rings.is_closed() => self.reject_silently(event),
            Err(event) => self.emit_slow(event, reason),
        }
    }

    #[cold]
    #[inline(never)]
    fn emit_slow<E: MetricEvent>(self: &Arc<Self>, event: E, reason: ReserveError) {
        if let Err(error) = self.register_slow(event, reason) {
            panics::catch_and_ignore(|| drop(error));
        }
    }

    /// Drops and counts an event that no caller wants back.
    fn reject_silently<E: MetricEvent>(&self, event: E) {
        self.counters.count_rejected();
        panics::catch_and_ignore(|| drop(event));
    }

    /// Registers an event in every case.
    #[cold]
    #[inline(never)]
    pub(crate) fn register_slow<E: MetricEvent>(
        self: &Arc<Self>,
        event: E,
        reason: ReserveError,
    ) -> Result<(), RegisterEventError<E>> {
        match self.push_slow(event, reason) {
            Ok(()) => Ok(()),
            Err(Refused::Full(event)) => self.refuse_full(event),
            Err(Refused::Closed(event, error)) => Err(self.reject(event, error)),
        }
    }

    /// As [`register_slow`](Self::register_slow). It hands every refused event back, and counts none.
    pub(super) fn push_slow<E: MetricEvent>(
        self: &Arc<Self>,
        event: E,
        reason: ReserveError,
    ) -> Result<(), Refused<E>> {
        let mut reason = reason;
        let mut event = event;
        loop {
            if self.is_disabled() {
                panics::catch_and_ignore(|| drop(event));
                return Ok(());
            }
            let pushed = match &self.per_thread {
                Some(per_thread) => self.push_to_ring(per_thread, event),
                None => self.queue.push_slow(event, reason),
            };
            let refused = match pushed {
                Ok(hint) => {
                    self.after_accepting(hint);
                    return Ok(());
                }
                Err((PushError::Full, event)) => return Err(Refused::Full(event)),
                Err((PushError::Closed, event)) => event,
            };
            let Some(error) = self.refusal() else {
                // The recorder was started again after the queue was found closed.
                event = refused;
                reason = ReserveError::AtFastLimit;
                continue;
            };
            return Err(Refused::Closed(refused, error));
        }
    }

    /// Hands an event back and counts it.
    pub(super) fn reject<E>(&self, event: E, error: MetricsRecorderError) -> RegisterEventError<E> {
        self.counters.count_rejected();
        RegisterEventError::new(event, error)
    }

    /// The error for an event that finds the queue full.
    pub(super) fn overflow(&self) -> MetricsRecorderError {
        MetricsRecorderError::QueueOverflow { limit: usize::try_from(self.limit()).unwrap_or(usize::MAX) }
    }

    /// Follows the hint that the queue, or a ring, gave the producer of an accepted event.
    fn after_accepting(self: &Arc<Self>, hint: WakeHint) {
        let _role = thread_role::enter_producer();
        match hint {
            WakeHint::None => {}
            WakeHint::Early => {
                if self.schedule_state.set_turn_pending() {
                    self.ensure_scheduled();
                }
            }
            WakeHint::Unpark => {
                self.ensure_started();
                // Such a small queue is full before the loop polls it.
                self.schedule(self.limit() < 4);
            }
        }
        if self.per_thread.as_ref().is_some_and(|per_thread| per_thread.wants_cut()) {
            self.schedule(true);
        }
    }

    /// Drops or refuses an event that finds the queue full.
    fn refuse_full<E: MetricEvent>(self: &Arc<Self>, event: E) -> Result<(), RegisterEventError<E>> {
        if !self.schedule_state.is_queued_hint() {
            // The producer that unparked the queue may have been preempted before it scheduled the recorder.
            let _role = thread_role::enter_producer();
            self.ensure_scheduled();
        }
        match self.settings.overflow {
            QueueOverflowPolicy::Drop => {
                if self.counters.drops.count(E::EVENT_TYPE) {
                    // The consumer may have had its last turn before this drop was counted.
                    let _role = thread_role::enter_producer();
                    self.ensure_scheduled();
                }
                panics::catch_and_ignore(|| drop(event));
                Ok(())
            }
            QueueOverflowPolicy::Error => Err(self.reject(event, self.overflow())),
        }
    }

    /// Why the recorder accepts no events. `None` when it does. It takes no lock.
    pub(super) fn refusal(&self) -> Option<MetricsRecorderError> {
        if self.is_closed() { self.published_state.refusal() } else { None }
    }

    /// Starts a recorder that has accepted its first event.
    ///
    /// The producer of that event calls it. The producer may be preempted between its event and this call. So every call that
    /// relies on the start calls it, too.
    pub(super) fn ensure_started(self: &Arc<Self>) {
        if self.state() == MetricsRecorderState::Virgin && !self.is_parked() {
            self.start_silently();
        }
    }

    /// Starts the recorder if its first event was accepted, and requests an urgent turn.
    pub(super) fn ensure_scheduled(self: &Arc<Self>) {
        self.ensure_started();
        self.schedule(true);
    }

    /// Requests a turn. When the event loop has ended, the recorder is cancelled.
    pub(super) fn schedule(self: &Arc<Self>, urgent: bool) {
        match &self.placement {
            Placement::Disabled => {}
            Placement::Task(_) => self.placement.wake_task(),
            // The task of the hook schedules the recorder when the hook has ended, if the queue is not parked then. The event
            // of this call has unparked it before.
            Placement::Loop(_) if self.awaits_on_starting() => {}
            Placement::Loop(placement) => {
                if !placement.event_loop.schedule(self, urgent) {
                    self.cancel();
                }
            }
        }
    }
}
