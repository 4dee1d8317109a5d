//! The arguments of hooks: the recorder that a hook runs for, and the change of one of its metrics.

use std::any::TypeId;
use std::fmt;

use crate::dispatch::{Metric, MetricBox, TypedMetric};
use crate::error::MetricsRecorderError;
use crate::event::EventRef;
use crate::panics::Panic;
use crate::queue::PendingEvent;
use crate::snapshot::{MetricSnapshot, MetricSnapshots, Timestamp};
use crate::state::MetricsRecorderState;
use crate::stats::RecorderStats;

/// The recorder that a hook runs for: its names, its state, its counts and its metrics.
///
/// It is borrowed for the call, so hooks cannot keep their recorder alive with it. Snapshots own what they show, and may be
/// kept or sent.
///
/// ```
/// use mvx_metrics::{HookError, RecorderContext, RecorderHooks};
///
/// /// Says which recorder has stopped, and its final numbers.
/// struct Farewell;
///
/// impl RecorderHooks for Farewell {
///     async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
///         eprintln!("{} of {} has stopped", recorder.entity_id(), recorder.namespace());
///         eprintln!("{} events: {:?}", recorder.stats().processed, recorder.metric_snapshots()?);
///         Ok(())
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct RecorderContext<'a> {
    recorder: &'a dyn HookedRecorder,
}

impl<'a> RecorderContext<'a> {
    pub(crate) fn new(recorder: &'a dyn HookedRecorder) -> Self {
        Self { recorder }
    }

    /// The recorder's id in its runtime; `None` for a recorder that was created directly.
    #[must_use]
    pub fn recorder_id(&self) -> Option<&'a str> {
        self.recorder.recorder_id()
    }

    /// The measured entity.
    #[must_use]
    pub fn entity_id(&self) -> &'a str {
        self.recorder.entity_id()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &'a str {
        self.recorder.namespace()
    }

    /// The state the recorder is in.
    ///
    /// `STARTING` in `on_starting`. In `on_stopped` it is `STOPPING`, or `FAILURE` when the call is the cleanup after a failure.
    /// It is `CANCELLED` when the runtime's thread ends meanwhile.
    #[must_use]
    pub fn status(&self) -> MetricsRecorderState {
        self.recorder.status()
    }

    /// The counts of the events so far. In `on_stopped` they are final, except for events that are refused.
    #[must_use]
    pub fn stats(&self) -> RecorderStats {
        self.recorder.stats()
    }

    /// The state of all metrics, in the order of their registration. In `on_stopped` it is the final state.
    ///
    /// # Errors
    /// [`Stalled`](MetricsRecorderError::Stalled) when another reader holds the metrics and makes no progress for five seconds,
    /// perhaps because it waits for a lock that the hook holds.
    pub fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        self.recorder.metric_snapshots()
    }

    /// The state of the metric of type `M`, with its types; `None` when there is none.
    ///
    /// # Errors
    /// As [`metric_snapshots`](Self::metric_snapshots); [`Unexpected`](MetricsRecorderError::Unexpected) when the metric
    /// panics.
    pub fn metric_snapshot<M: TypedMetric>(&self) -> Result<Option<M::Snapshot>, MetricsRecorderError> {
        let mut snapshot = None;
        let mut read = Ok(());
        self.recorder
            .with_first(TypeId::of::<M>(), &mut |metric| read = metric.read_typed::<M>(&mut snapshot))?;
        read.map(|()| snapshot)
    }
}

impl fmt::Debug for RecorderContext<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RecorderContext")
            .field("recorder_id", &self.recorder_id())
            .field("entity_id", &self.entity_id())
            .field("namespace", &self.namespace())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// A metric that accepted an event, the event, and the recorder.
///
/// ```
/// use mvx_metrics::{ChangeListener, HookError, MetricChange, metric_event};
///
/// #[metric_event]
/// struct Paid {
///     cents: u64,
/// }
///
/// struct Log;
///
/// impl ChangeListener for Log {
///     async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
///         if let Some(paid) = change.event().downcast_ref::<Paid>() {
///             eprintln!("{} cents, and {} is now {:?}", paid.cents, change.metric_name(), change.snapshot());
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct MetricChange<'a> {
    recorder: &'a dyn HookedRecorder,
    metric: &'a str,
    event: PendingEvent<'a>,
}

impl<'a> MetricChange<'a> {
    pub(crate) fn new(recorder: &'a dyn HookedRecorder, metric: &'a str, event: PendingEvent<'a>) -> Self {
        Self { recorder, metric, event }
    }

    /// The recorder of the metric: its ids, its counts, and all its metrics.
    ///
    /// Its snapshots show the state after this event and before the next one.
    #[must_use]
    pub fn recorder(&self) -> RecorderContext<'a> {
        RecorderContext::new(self.recorder)
    }

    /// The recorder's entity id.
    #[must_use]
    pub fn entity_id(&self) -> &'a str {
        self.recorder.entity_id()
    }

    /// The name of the metric that changed.
    #[must_use]
    pub fn metric_name(&self) -> &'a str {
        self.metric
    }

    /// The event that the metric accepted.
    ///
    /// The [`EventRef`] is not `Send`, so a listener cannot hold it across an `.await`. A reference to the event itself, from
    /// [`EventRef::downcast_ref`], can be held there if the type of the event is `Sync`. It ends with the call of the listener.
    ///
    /// ```
    /// use mvx_metrics::{ChangeListener, HookError, MetricChange, metric_event};
    ///
    /// #[metric_event]
    /// struct Uploaded {
    ///     file: String,
    /// }
    ///
    /// struct Index;
    ///
    /// impl ChangeListener for Index {
    ///     async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
    ///         let uploaded = change.event().downcast_ref::<Uploaded>().ok_or("another event")?;
    ///         tokio::task::yield_now().await;
    ///         eprintln!("{}", uploaded.file);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn event(&self) -> EventRef<'_> {
        self.event.view()
    }

    /// The metric's state after this event and before the next one.
    ///
    /// The call waits for other readers of the recorder's metrics. One of them may make no progress for five seconds, perhaps
    /// because it waits for a lock that the listener holds. The snapshot then has no dimensions and says so in `failed`.
    #[must_use]
    pub fn snapshot(&self) -> MetricSnapshot {
        let mut snapshot = MetricSnapshot::new(self.metric);
        let read = self.recorder.with_metric(self.metric, &mut |metric, failure| {
            snapshot = metric.snapshot(failure, Timestamp::now());
        });
        if let Err(error) = read {
            snapshot.failed = Some(format!("cannot be read: {error}"));
        }
        snapshot
    }

    /// The metric's state with its types, if the metric is an `M` and can be read.
    #[must_use]
    pub fn typed_snapshot<M: TypedMetric>(&self) -> Option<M::Snapshot> {
        let mut snapshot = None;
        let read = self.recorder.with_metric(self.metric, &mut |metric, _| {
            // The snapshot of a metric that panics stays `None`.
            let _ = metric.read_typed::<M>(&mut snapshot);
        });
        read.ok().and(snapshot)
    }

    /// Whether the metric is an `M` and can be read.
    #[must_use]
    pub fn is<M: Metric>(&self) -> bool {
        let mut is_metric = false;
        let read = self.recorder.with_metric(self.metric, &mut |metric, _| {
            is_metric = metric.metric_type() == TypeId::of::<M>();
        });
        read.is_ok() && is_metric
    }
}

impl fmt::Debug for MetricChange<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MetricChange")
            .field("entity_id", &self.entity_id())
            .field("metric", &self.metric)
            .field("event", &self.event())
            .finish()
    }
}

/// A recorder as far as its hooks read it.
pub(crate) trait HookedRecorder: Send + Sync {
    fn recorder_id(&self) -> Option<&str>;
    fn entity_id(&self) -> &str;
    fn namespace(&self) -> &str;
    fn status(&self) -> MetricsRecorderState;
    fn stats(&self) -> RecorderStats;

    /// # Errors
    /// `Stalled` when another reader holds the metrics and makes no progress; so it is for the methods below.
    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError>;

    /// Shows `read` the first metric of that type, if there is one.
    fn with_first(
        &self,
        metric_type: TypeId,
        read: &mut dyn FnMut(&MetricBox),
    ) -> Result<(), MetricsRecorderError>;

    /// Shows `read` the metric of that name that handles events now, if there is one, and the panic that failed it.
    fn with_metric(
        &self,
        name: &str,
        read: &mut dyn FnMut(&MetricBox, Option<&Panic>),
    ) -> Result<(), MetricsRecorderError>;
}
