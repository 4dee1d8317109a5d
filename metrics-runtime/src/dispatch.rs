//! Dispatch: finds the handlers of an event by its type, and calls them.
//!
//! A metric implements [`HandleEvent`] for each event it listens to and lists them as [`EventHandler`]s. [`MetricSet`] merges
//! these lists into one table when the metric is registered. There it finds the handlers of a batch by the `TypeId` of its
//! events.

#![allow(
    unsafe_code,
    reason = "calls handlers of erased metrics with erased events; T1 and T2 of `MetricSet` make it sound"
)]

mod metric;
mod metric_set;

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;

use crate::event::{EventRef, MetricEvent};
use crate::queue::slot::Slot;

pub(crate) use metric::no_shard;
pub use metric::{Metric, TypedMetric};
pub(crate) use metric_set::{
    MetricBox, MetricFailure, MetricSet, ReadTyped, ShardPlan, Typed, declaration_of_type, descriptors,
    snapshots,
};

type BatchHandler = unsafe fn(NonNull<()>, &[Slot]);
type OneHandler = unsafe fn(NonNull<()>, NonNull<()>) -> bool;

/// How a metric interprets the event `E`.
///
/// `#[derive(Metric)]` implements it for each event of the metric, so a test can call it; [`Metric`](trait@crate::Metric) has an example by hand.
///
/// ```
/// use mvx_metrics::{Counter, HandleEvent, Metric, metric_event};
///
/// #[metric_event]
/// struct Rang {
///     by_mistake: bool,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Rang), when = |e| !e.by_mistake)]
/// struct Bell {
///     times: Counter,
/// }
///
/// let mut bell = Bell::default();
/// assert!(bell.handle(&Rang { by_mistake: false }));
/// assert!(!bell.handle(&Rang { by_mistake: true }));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the event `{E}`: implement `HandleEvent<{E}>` for it",
    label = "no handler for `{E}`"
)]
pub trait HandleEvent<E: MetricEvent> {
    /// Applies one event; `true` when the event was accepted, so that state may have changed.
    fn handle(&mut self, event: &E) -> bool;

    /// Applies a batch of events in order. The recorder calls it once for all events of this type that are queued in a row.
    fn handle_batch(&mut self, batch: EventBatch<'_, E>) {
        for event in batch {
            self.handle(event);
        }
    }
}

/// One entry of a metric's handler table: an event type and how the metric `M` handles it.
///
/// See [`Metric::handlers`].
#[repr(transparent)]
pub struct EventHandler<M: ?Sized> {
    erased: ErasedHandler,
    metric: PhantomData<fn(&mut M)>,
}

/// An [`EventHandler`] of a metric of any type. Its functions are those of that type.
#[derive(Clone, Copy)]
struct ErasedHandler {
    type_id: TypeId,
    event_type: &'static str,
    batch: BatchHandler,
    one: OneHandler,
}

impl<M> EventHandler<M> {
    /// The entry for the event `E`.
    #[must_use]
    pub const fn of<E: MetricEvent>() -> Self
    where
        M: HandleEvent<E>,
    {
        let erased = ErasedHandler {
            type_id: TypeId::of::<E>(),
            event_type: E::EVENT_TYPE,
            batch: handle_batch::<M, E>,
            one: handle_one::<M, E>,
        };
        Self { erased, metric: PhantomData }
    }

    pub(crate) fn handle(&self, metric: &mut M, event: EventRef<'_>) -> bool {
        let ErasedHandler { type_id, one, .. } = self.erased;
        // SAFETY: `of` made the function for an `M`, and for the event's type.
        event.type_id() == type_id && unsafe { one(NonNull::from(metric).cast(), event.erased()) }
    }
}

impl<M: ?Sized> EventHandler<M> {
    /// The name of the event type.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        self.erased.event_type
    }
}

impl<M: ?Sized> fmt::Debug for EventHandler<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventHandler").field("event_type", &self.event_type()).finish_non_exhaustive()
    }
}

/// # Safety
/// `metric` is an `M` that no other code uses during the call. The slots hold events of type `E` during the call.
unsafe fn handle_batch<M: HandleEvent<E>, E: MetricEvent>(metric: NonNull<()>, slots: &[Slot]) {
    // SAFETY: passed on.
    let metric = unsafe { metric.cast::<M>().as_mut() };
    metric.handle_batch(EventBatch { slots: slots.iter(), events: PhantomData });
}

/// Applies an event outside of a batch.
///
/// # Safety
/// As [`handle_batch`], with one event of type `E`.
unsafe fn handle_one<M: HandleEvent<E>, E: MetricEvent>(metric: NonNull<()>, event: NonNull<()>) -> bool {
    // SAFETY: passed on.
    let metric = unsafe { metric.cast::<M>().as_mut() };
    // SAFETY: passed on.
    metric.handle(unsafe { event.cast::<E>().as_ref() })
}

/// Events of one type that were queued in a row, in the order in which the recorder accepted them.
pub struct EventBatch<'a, E> {
    /// Slots with events of type `E` that stay there during `'a`. Only [`handle_batch`] makes an `EventBatch`.
    slots: slice::Iter<'a, Slot>,
    events: PhantomData<&'a E>,
}

impl<'a, E: MetricEvent> Iterator for EventBatch<'a, E> {
    type Item = &'a E;

    #[inline]
    fn next(&mut self) -> Option<&'a E> {
        let slot = self.slots.next()?;
        // SAFETY: the field `slots` promises it.
        Some(unsafe { slot.event::<E>() })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}

impl<E: MetricEvent> ExactSizeIterator for EventBatch<'_, E> {}

impl<E> fmt::Debug for EventBatch<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventBatch").field("len", &self.slots.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::MetricSnapshot;

    struct Sold(u32);
    struct Returned;

    impl MetricEvent for Sold {
        const EVENT_TYPE: &'static str = "sold";
    }

    impl MetricEvent for Returned {
        const EVENT_TYPE: &'static str = "returned";
    }

    /// It accepts sales of at least one item, and no returns.
    struct Sales;

    impl HandleEvent<Sold> for Sales {
        fn handle(&mut self, event: &Sold) -> bool {
            event.0 > 0
        }
    }

    impl HandleEvent<Returned> for Sales {
        fn handle(&mut self, _: &Returned) -> bool {
            false
        }
    }

    impl Metric for Sales {
        fn metric_name(&self) -> &'static str {
            "sales"
        }

        fn handlers() -> &'static [EventHandler<Self>] {
            const { &[EventHandler::of::<Sold>(), EventHandler::of::<Returned>()] }
        }

        fn snapshot(&self) -> MetricSnapshot {
            MetricSnapshot::of_static("sales")
        }
    }

    #[test]
    fn a_metric_accepts_an_event_if_one_of_its_handlers_does() {
        assert!(Sales.handle_event(EventRef::from(&Sold(1))));
        assert!(!Sales.handle_event(EventRef::from(&Sold(0))));
        assert!(!Sales.handle_event(EventRef::from(&Returned)));
    }

    #[test]
    fn a_handler_shows_its_type_of_event() {
        let handler = &Sales::handlers()[0];
        assert_eq!(handler.event_type(), "sold");
        assert_eq!(format!("{handler:?}"), "EventHandler { event_type: \"sold\", .. }");
    }

    #[test]
    fn a_batch_knows_how_many_events_are_left() {
        let slots = [Slot::new(), Slot::new()];
        let batch = EventBatch::<Sold> { slots: slots.iter(), events: PhantomData };
        assert_eq!(batch.size_hint(), (2, Some(2)));
        assert_eq!(format!("{batch:?}"), "EventBatch { len: 2, .. }");
    }
}
