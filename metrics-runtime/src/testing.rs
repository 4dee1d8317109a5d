//! Help for tests: a recorder that keeps all events.

use std::any::TypeId;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dispatch::MetricBox;
use crate::engine::{MetricSource, Registered};
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::recorder::{AnyEvent, MetricStore, ReadMetric, Recorder};

/// A recorder that keeps events for assertions. Clones share the kept events.
///
/// It accepts every event and every metric, but applies no event to a metric:
/// [`metric_snapshots`](Recorder::metric_snapshots) is empty, and a [`MetricHandle`](crate::MetricHandle) reads the metric's
/// first state. Its entity id is `capture`, its namespace `metrics`, and it is always `RUNNING`.
///
/// ```
/// use mvx_metrics::testing::CaptureRecorder;
/// use mvx_metrics::{Recorder, metric_event};
///
/// #[metric_event]
/// #[derive(Debug, PartialEq)]
/// struct Paid {
///     cents: u64,
/// }
///
/// fn checkout(recorder: &impl Recorder) {
///     recorder.emit(Paid { cents: 250 });
/// }
///
/// let recorder = CaptureRecorder::new();
/// checkout(&recorder);
/// assert_eq!(recorder.take::<Paid>(), [Paid { cents: 250 }]);
/// ```
#[derive(Clone, Default)]
pub struct CaptureRecorder {
    captured: Arc<Mutex<Captured>>,
}

#[derive(Default)]
struct Captured {
    events: Vec<AnyEvent<'static>>,
    metrics: Vec<Arc<str>>,
}

impl CaptureRecorder {
    /// A recorder without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out the kept events of type `E`, in order.
    #[doc(alias = "events")]
    #[must_use]
    pub fn take<E: MetricEvent>(&self) -> Vec<E> {
        let found: Vec<_> = self.lock().events.extract_if(.., |event| event.is::<E>()).collect();
        found.into_iter().filter_map(|event| event.downcast().ok()).collect()
    }

    /// The number of kept events of type `E`.
    #[must_use]
    pub fn count<E: MetricEvent>(&self) -> usize {
        self.lock().events.iter().filter(|event| event.is::<E>()).count()
    }

    /// The types of all kept events, in order.
    #[must_use]
    pub fn event_types(&self) -> Vec<&'static str> {
        self.lock().events.iter().map(AnyEvent::event_type).collect()
    }

    /// The names of the metrics that were registered, in order.
    #[must_use]
    pub fn metric_names(&self) -> Vec<String> {
        self.lock().metrics.iter().map(ToString::to_string).collect()
    }

    /// Drops all kept events.
    pub fn clear(&self) {
        // Dropped after the lock is released: the `Drop` of an event is user code.
        let events = std::mem::take(&mut self.lock().events);
        drop(events);
    }

    /// Keeps the name of a metric, once.
    fn note(&self, metric: &Arc<str>) -> Registered {
        let mut captured = self.lock();
        if captured.metrics.contains(metric) {
            return Registered::Replaced;
        }
        captured.metrics.push(Arc::clone(metric));
        Registered::Added
    }

    fn lock(&self) -> MutexGuard<'_, Captured> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder for CaptureRecorder {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
        let event = event.into_owned();
        self.lock().events.push(event);
        Ok(())
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        None
    }

    fn entity_id(&self) -> &'static str {
        "capture"
    }

    fn namespace(&self) -> &'static str {
        "metrics"
    }

    fn metric_store(&self) -> Option<&dyn MetricStore> {
        Some(self)
    }
}

impl MetricStore for CaptureRecorder {
    fn add(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError> {
        Ok(self.note(&metric.name))
    }

    fn find_or_add(&self, metric: MetricBox) -> Result<MetricSource, MetricsRecorderError> {
        self.note(&metric.name);
        Ok(MetricSource::unregistered(metric))
    }

    fn read(&self, _: TypeId, _: &mut ReadMetric<'_>) -> Result<(), MetricsRecorderError> {
        Ok(())
    }
}

impl fmt::Debug for CaptureRecorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CaptureRecorder")
            .field("event_types", &self.event_types())
            .field("metric_names", &self.metric_names())
            .finish()
    }
}
