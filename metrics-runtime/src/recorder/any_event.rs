//! An event of any type, on its way into a recorder.

use std::any::Any;
use std::fmt;

use super::MetricsRecorder;
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::{EventRef, MetricEvent};
use crate::panics::CatchDropPanic;

/// An event of any type, on its way into a recorder of your own: see [`Recorder::register_any`](crate::Recorder::register_any).
///
/// It can be looked at, passed on to another recorder, taken out with its type, or dropped. On its way from an emitting call
/// it borrows the event, so nothing is allocated. [`into_owned`](Self::into_owned) boxes the event. The result is
/// `AnyEvent<'static>`, which can be kept, sent to another thread, and registered there.
///
/// ```
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{AnyEvent, Recorder, metric_event};
///
/// #[metric_event(name = "cache.miss")]
/// struct CacheMiss {
///     key: String,
/// }
///
/// let event = AnyEvent::new(CacheMiss { key: "a".to_owned() });
/// assert_eq!(event.event_type(), "cache.miss");
/// assert_eq!(event.downcast_ref::<CacheMiss>().map(|miss| miss.key.len()), Some(1));
///
/// let recorder = CaptureRecorder::new();
/// std::thread::scope(|scope| scope.spawn(|| recorder.register_any(event)).join()).expect("no panic")?;
/// assert_eq!(recorder.take::<CacheMiss>()[0].key, "a");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "an event that is not registered is dropped"]
pub struct AnyEvent<'a>(Place<'a>);

enum Place<'a> {
    /// The slot is full until this value is used up.
    Borrowed(&'a mut (dyn EventSlot + Send)),
    Owned(CatchDropPanic<Box<dyn EventSlot + Send>>),
}

impl AnyEvent<'static> {
    /// Boxes an event.
    pub fn new<E: MetricEvent>(event: E) -> Self {
        Self::boxed(Box::new(Some(event)))
    }

    fn boxed(slot: Box<dyn EventSlot + Send>) -> Self {
        Self(Place::Owned(CatchDropPanic::new(slot)))
    }
}

impl<'a> AnyEvent<'a> {
    /// The event in this slot, which must be full.
    pub(super) fn borrowed(slot: &'a mut (dyn EventSlot + Send)) -> Self {
        Self(Place::Borrowed(slot))
    }

    /// The name of the event's type, [`MetricEvent::EVENT_TYPE`].
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        self.slot().event_type()
    }

    /// Whether the event is an `E`.
    #[must_use]
    pub fn is<E: MetricEvent>(&self) -> bool {
        self.downcast_ref::<E>().is_some()
    }

    /// The event as an `E`, or `None` when it is of another type.
    #[must_use]
    pub fn downcast_ref<E: MetricEvent>(&self) -> Option<&E> {
        self.slot().as_any().downcast_ref::<Option<E>>()?.as_ref()
    }

    /// Takes the event out, without an allocation.
    ///
    /// # Errors
    /// The event itself when it is of another type.
    pub fn downcast<E: MetricEvent>(mut self) -> Result<E, Self> {
        let slot = self.slot_mut().as_any_mut().downcast_mut::<Option<E>>();
        slot.and_then(Option::take).ok_or(self)
    }

    /// A view of the event, as metrics and [`Metric::handle_event`](crate::Metric::handle_event) take it.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "the slot is full until the event is used up")]
    pub fn view(&self) -> EventRef<'_> {
        self.slot().view().expect("the slot is full")
    }

    /// The event in a box of its own, so that it can be kept or sent to another thread. An event that has one already stays
    /// there.
    pub fn into_owned(self) -> AnyEvent<'static> {
        match self.0 {
            Place::Borrowed(slot) => AnyEvent::boxed(slot.move_to_box()),
            Place::Owned(slot) => AnyEvent(Place::Owned(slot)),
        }
    }

    /// Registers the event with a recorder, which gives it its type back.
    pub(super) fn register_with(
        mut self,
        recorder: &MetricsRecorder,
    ) -> Result<(), RegisterEventError<Self>> {
        match self.slot_mut().register_with(recorder) {
            Ok(()) => Ok(()),
            Err(error) => Err(RegisterEventError::new(self, error)),
        }
    }

    /// The box of an owned event.
    pub(super) fn into_box(self) -> Option<CatchDropPanic<Box<dyn EventSlot + Send>>> {
        match self.0 {
            Place::Borrowed(_) => None,
            Place::Owned(slot) => Some(slot),
        }
    }

    fn slot(&self) -> &(dyn EventSlot + Send) {
        match &self.0 {
            Place::Borrowed(slot) => *slot,
            Place::Owned(slot) => &***slot,
        }
    }

    fn slot_mut(&mut self) -> &mut (dyn EventSlot + Send) {
        match &mut self.0 {
            Place::Borrowed(slot) => *slot,
            Place::Owned(slot) => &mut ***slot,
        }
    }
}

impl fmt::Debug for AnyEvent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AnyEvent").field("event_type", &self.event_type()).finish_non_exhaustive()
    }
}

/// An `Option<E>` of any type of event. Other crates cannot name it.
pub trait EventSlot: Any {
    fn event_type(&self) -> &'static str;

    fn view(&self) -> Option<EventRef<'_>>;

    fn as_any(&self) -> &dyn Any;

    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// Registers the event. When the recorder refuses it, it stays in the slot.
    fn register_with(&mut self, recorder: &MetricsRecorder) -> Result<(), MetricsRecorderError>;

    /// Takes the event out of another slot of this type, if this slot is empty.
    fn refill(&mut self, other: &mut dyn Any);

    /// Moves the event into a slot in a box.
    fn move_to_box(&mut self) -> Box<dyn EventSlot + Send>;
}

impl<E: MetricEvent> EventSlot for Option<E> {
    fn event_type(&self) -> &'static str {
        E::EVENT_TYPE
    }

    fn view(&self) -> Option<EventRef<'_>> {
        self.as_ref().map(EventRef::from)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn register_with(&mut self, recorder: &MetricsRecorder) -> Result<(), MetricsRecorderError> {
        let Some(event) = self.take() else {
            return Ok(());
        };
        recorder.register_event(event).map_err(|refused| {
            let (event, error) = refused.into_parts();
            *self = Some(event);
            error
        })
    }

    fn refill(&mut self, other: &mut dyn Any) {
        if let (None, Some(other)) = (&self, other.downcast_mut::<Self>()) {
            *self = other.take();
        }
    }

    fn move_to_box(&mut self) -> Box<dyn EventSlot + Send> {
        Box::new(self.take())
    }
}
