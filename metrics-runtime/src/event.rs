//! Events: facts about a domain, stated by production code.

use std::any::{Any, TypeId};
use std::fmt;
use std::ptr::NonNull;

/// A plain domain fact, such as "a save attempt finished".
///
/// Implemented by [`#[metric_event]`](macro@crate::metric_event); an event needs neither `Clone` nor `Debug` nor `Sync`.
/// It may own heap data: the library drops each event exactly once.
///
/// ```
/// use mvx_metrics::{MetricEvent, metric_event};
///
/// #[metric_event(name = "cache.miss")]
/// struct CacheMiss {
///     key: String,
/// }
///
/// fn name_of<E: MetricEvent>(_: &E) -> &'static str {
///     E::EVENT_TYPE
/// }
///
/// assert_eq!(name_of(&CacheMiss { key: "a".to_owned() }), "cache.miss");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric event: an event is a struct or an enum with `#[metric_event]`",
    label = "not a metric event",
    note = "a recorder takes the event itself: no reference, `Option`, `Box` or list of it"
)]
pub trait MetricEvent: Send + 'static {
    /// The stable name of this kind of event, such as `document_storage.save.attempt`.
    const EVENT_TYPE: &'static str;
}

/// A borrowed view of an event of any type.
///
/// ```
/// use mvx_metrics::{EventRef, metric_event};
///
/// #[metric_event(name = "cache.miss")]
/// struct CacheMiss {
///     key_length: usize,
/// }
///
/// let miss = CacheMiss { key_length: 7 };
/// let event = EventRef::from(&miss);
/// assert_eq!(event.event_type(), "cache.miss");
/// assert!(event.is::<CacheMiss>());
/// assert_eq!(event.downcast_ref::<CacheMiss>().map(|miss| miss.key_length), Some(7));
/// ```
#[derive(Clone, Copy)]
pub struct EventRef<'a> {
    event_type: &'static str,
    event: &'a dyn Any,
}

impl<'a> EventRef<'a> {
    /// The name of the event's type, [`MetricEvent::EVENT_TYPE`].
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        self.event_type
    }

    /// Whether the event is an `E`.
    #[must_use]
    pub fn is<E: MetricEvent>(&self) -> bool {
        self.event.is::<E>()
    }

    pub(crate) fn type_id(&self) -> TypeId {
        self.event.type_id()
    }

    /// The event, without its type.
    pub(crate) fn erased(&self) -> NonNull<()> {
        NonNull::from(self.event).cast()
    }

    /// The event as an `E`, or `None` when it is of another type.
    #[must_use]
    pub fn downcast_ref<E: MetricEvent>(&self) -> Option<&'a E> {
        self.event.downcast_ref()
    }
}

impl<'a, E: MetricEvent> From<&'a E> for EventRef<'a> {
    fn from(event: &'a E) -> Self {
        Self { event_type: E::EVENT_TYPE, event }
    }
}

impl fmt::Debug for EventRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventRef").field("event_type", &self.event_type).finish_non_exhaustive()
    }
}
