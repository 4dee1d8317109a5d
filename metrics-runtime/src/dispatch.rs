//! Dispatch: from an event's type to the handlers that list it, without trial and error.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

use crate::event::{EventRef, MetricEvent};
use crate::metric::HandleEvent;

/// One entry of a metric's handler table: an event type and how the metric `M` handles it.
pub struct EventHandler<M: ?Sized> {
    type_id: TypeId,
    event_type: &'static str,
    handle: fn(&mut M, EventRef<'_>) -> bool,
}

impl<M> EventHandler<M> {
    /// The entry for the event `E`.
    #[must_use]
    pub const fn of<E: MetricEvent>() -> Self
    where
        M: HandleEvent<E>,
    {
        Self { type_id: TypeId::of::<E>(), event_type: E::EVENT_TYPE, handle: handle_one::<M, E> }
    }
}

impl<M: ?Sized> EventHandler<M> {
    /// The name of the event type.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        self.event_type
    }

    pub(crate) fn handle(&self, metric: &mut M, event: EventRef<'_>) -> bool {
        (self.handle)(metric, event)
    }
}

impl<M: ?Sized> fmt::Debug for EventHandler<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventHandler").field("event_type", &self.event_type).finish_non_exhaustive()
    }
}

fn handle_one<M: HandleEvent<E>, E: MetricEvent>(metric: &mut M, event: EventRef<'_>) -> bool {
    event.downcast_ref::<E>().is_some_and(|event| metric.handle(event))
}

/// Events of one type that were queued in a row, in order of acceptance.
pub struct EventRun<'a, E> {
    events: PhantomData<&'a E>,
}

impl<'a, E: MetricEvent> Iterator for EventRun<'a, E> {
    type Item = &'a E;

    fn next(&mut self) -> Option<&'a E> {
        None
    }
}
