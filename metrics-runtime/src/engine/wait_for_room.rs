//! Registering an event that waits for room: in a thread that blocks, or in a future. [`room`](super::room) has the protocol.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::completion::Waiter;
use super::recorder_inner::RecorderInner;
use super::registering::Refused;
use super::room::{RoomCompletion, Ticket};
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::thread_role;

/// The longest time that a producer waits, in place of a timeout that the clock cannot count to.
const MAX_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

impl RecorderInner {
    /// Registers an event. While the queue is full it blocks the thread, at most for `timeout`.
    #[inline]
    pub(crate) fn register_event_blocking<E: MetricEvent>(
        self: &Arc<Self>,
        event: E,
        timeout: Duration,
    ) -> Result<(), RegisterEventError<E>> {
        match self.register_in_turn(event) {
            Ok(()) => Ok(()),
            Err(Refused::Full(event)) => self.block_for_room(event, timeout),
            Err(Refused::Closed(event, error)) => Err(self.reject(event, error)),
        }
    }

    /// Registers an event. While the queue is full it waits.
    pub(crate) fn register_event_async<E: MetricEvent>(
        self: &Arc<Self>,
        event: E,
    ) -> impl Future<Output = Result<(), RegisterEventError<E>>> + Send {
        RegisterEvent { recorder: self, event: Some(event), place: None }
    }

    /// Registers an event if there is room. Producers that wait come first.
    #[inline]
    fn register_in_turn<E: MetricEvent>(self: &Arc<Self>, event: E) -> Result<(), Refused<E>> {
        if self.room.has_waiters() { Err(Refused::Full(event)) } else { self.register_now(event) }
    }

    /// Registers an event if there is room.
    #[inline]
    fn register_now<E: MetricEvent>(self: &Arc<Self>, event: E) -> Result<(), Refused<E>> {
        match self.try_reserve() {
            Ok(permit) => {
                permit.send(event);
                Ok(())
            }
            Err(reason) => self.push_slow(event, reason),
        }
    }

    #[cold]
    #[inline(never)]
    fn block_for_room<E: MetricEvent>(
        self: &Arc<Self>,
        mut event: E,
        timeout: Duration,
    ) -> Result<(), RegisterEventError<E>> {
        if self.blocking_would_deadlock() {
            return self.register_without_waiting(event);
        }
        let deadline = Instant::now() + timeout.min(MAX_TIMEOUT);
        let mut ticket = None;
        loop {
            let (place, room) = self.enter_line(ticket);
            ticket = Some(place);
            let timed_out = !self.is_closed() && room.wait_until(deadline).is_none();
            let registered = self.register_now(event);
            self.leave_line(place);
            event = match registered {
                Ok(()) => return Ok(()),
                Err(Refused::Closed(event, error)) => return Err(self.reject(event, error)),
                Err(Refused::Full(event)) if timed_out => return Err(self.reject(event, self.overflow())),
                Err(Refused::Full(event)) => event,
            };
        }
    }

    /// Registers an event where waiting would be a deadlock.
    fn register_without_waiting<E: MetricEvent>(
        self: &Arc<Self>,
        event: E,
    ) -> Result<(), RegisterEventError<E>> {
        self.register_now(event).map_err(|refused| match refused {
            Refused::Full(event) => self.reject(event, MetricsRecorderError::WouldDeadlock),
            Refused::Closed(event, error) => self.reject(event, error),
        })
    }

    /// Enters the line of producers and requests the turn that will wake this one.
    fn enter_line(self: &Arc<Self>, ticket: Option<Ticket>) -> (Ticket, Arc<RoomCompletion>) {
        let place = self.room.enter(ticket, &self.queue);
        let _role = thread_role::enter_producer();
        self.ensure_scheduled();
        place
    }

    /// Leaves the line of producers, and wakes those that are due (L2 in [`room`](super::room)).
    fn leave_line(&self, ticket: Ticket) {
        self.room.leave(ticket);
        self.wake_producers();
    }

    /// Whether a thread that blocks here would block the thread that makes room.
    fn blocking_would_deadlock(&self) -> bool {
        thread_role::in_metrics() || thread_role::in_hook() || self.placement.runs_on_current_thread()
    }

    /// Whether a future that is polled here waits for its own end.
    fn awaiting_would_deadlock(&self) -> bool {
        thread_role::in_metrics() || thread_role::in_hook_of(self.identity())
    }
}

/// The future of an event that waits for room.
struct RegisterEvent<'a, E: MetricEvent> {
    recorder: &'a Arc<RecorderInner>,
    /// `None` once it is registered or handed back.
    event: Option<E>,
    place: Option<Place>,
}

/// A place in the line of producers.
struct Place {
    ticket: Ticket,
    room: Waiter<()>,
}

// The event is not pinned: the future moves it.
impl<E: MetricEvent> Unpin for RegisterEvent<'_, E> {}

impl<E: MetricEvent> Future for RegisterEvent<'_, E> {
    type Output = Result<(), RegisterEventError<E>>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let recorder = this.recorder;
        loop {
            let has_waited = this.place.is_some();
            if let Some(place) = &mut this.place
                && !recorder.is_closed()
                && !recorder.awaiting_would_deadlock()
            {
                ready!(place.room.poll(task));
            }
            let event = this.event.take().expect("a future is not polled after its end");
            let registered =
                if has_waited { recorder.register_now(event) } else { recorder.register_in_turn(event) };
            let ticket = this.leave_line();
            let event = match registered {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(Refused::Closed(event, error)) => return Poll::Ready(Err(recorder.reject(event, error))),
                Err(Refused::Full(event)) => event,
            };
            if recorder.awaiting_would_deadlock() {
                return Poll::Ready(recorder.register_without_waiting(event));
            }
            this.event = Some(event);
            let (ticket, room) = recorder.enter_line(ticket);
            this.place = Some(Place { ticket, room: Waiter::new(room) });
        }
    }
}

impl<E: MetricEvent> RegisterEvent<'_, E> {
    /// Leaves the line. Returns the ticket of the place.
    fn leave_line(&mut self) -> Option<Ticket> {
        let Place { ticket, room } = self.place.take()?;
        drop(room);
        self.recorder.leave_line(ticket);
        Some(ticket)
    }
}

impl<E: MetricEvent> Drop for RegisterEvent<'_, E> {
    fn drop(&mut self) {
        self.leave_line();
    }
}
