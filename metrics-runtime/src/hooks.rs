//! Hooks: the user's own code at the turning points of a recorder.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::context;
use crate::error::SharedError;
use crate::event::EventRef;
use crate::metric::{Metric, TypedMetric};
use crate::queue::PendingEvent;
use crate::recorder::RecorderCore;
use crate::snapshot::MetricSnapshot;
use crate::unwind;

/// What a hook returns when it fails.
pub type HookError = Box<dyn Error + Send + Sync>;

/// Code that runs with a recorder's events: to open, feed and close a publisher, for example.
///
/// Hooks run where the recorder's events are processed, never on a production thread. Each is awaited: while a hook of a
/// recorder runs, the recorder's next event waits, and other recorders go on. A hook that returns an error or panics puts
/// the recorder into [`Failure`](crate::MetricsRecorderState::Failure).
///
/// ```
/// use mvx_metrics::{HookError, MetricChange, RecorderHooks};
///
/// struct Announce;
///
/// impl RecorderHooks for Announce {
///     async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
///         eprintln!("{} changed by {}", change.metric_name(), change.event().event_type());
///         Ok(())
///     }
/// }
/// ```
pub trait RecorderHooks: Send + Sync + 'static {
    /// Runs before the recorder's first event of each run of its life, while it is `STARTING`.
    ///
    /// # Errors
    /// An error puts the recorder into `FAILURE` with `OnStartingHookFailed`; whoever waits for the start gets it.
    fn on_starting(&self) -> impl Future<Output = Result<(), HookError>> + Send {
        async { Ok(()) }
    }

    /// Runs after the last event when the recorder stops, or as cleanup after a failure.
    ///
    /// # Errors
    /// An error puts the recorder into `FAILURE` with `OnStoppedHookFailed`; whoever waits for the stop gets it.
    fn on_stopped(&self) -> impl Future<Output = Result<(), HookError>> + Send {
        async { Ok(()) }
    }

    /// Runs after a metric has accepted an event, before the next event is applied.
    ///
    /// An event that several metrics accept is applied to all of them first.
    ///
    /// # Errors
    /// An error puts the recorder into `FAILURE` with `Unexpected`, and its pending events are discarded.
    fn on_metric_changed(
        &self,
        change: MetricChange<'_>,
    ) -> impl Future<Output = Result<(), HookError>> + Send {
        let _ = change;
        async { Ok(()) }
    }
}

/// A metric that accepted an event, and the event.
///
/// ```
/// use mvx_metrics::{HookError, MetricChange, RecorderHooks, metric_event};
///
/// #[metric_event]
/// struct Paid {
///     cents: u64,
/// }
///
/// struct Log;
///
/// impl RecorderHooks for Log {
///     async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
///         if let Some(paid) = change.event().downcast_ref::<Paid>() {
///             eprintln!("{} cents, and {} is now {:?}", paid.cents, change.metric_name(), change.snapshot());
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct MetricChange<'a> {
    pub(crate) recorder: &'a RecorderCore,
    pub(crate) metric: &'a str,
    pub(crate) event: PendingEvent<'a>,
}

impl MetricChange<'_> {
    /// The recorder's entity id.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        self.recorder.entity_id()
    }

    /// The name of the metric that changed.
    #[must_use]
    pub fn metric_name(&self) -> &str {
        self.metric
    }

    /// The event that the metric accepted.
    ///
    /// The reference cannot be kept across an `.await`: take out of the event what is needed first.
    #[must_use]
    pub fn event(&self) -> EventRef<'_> {
        self.event.view()
    }

    /// The metric's state after this event and before the next one. Should somebody else who reads it not come to an end for
    /// five seconds, perhaps because of something that the hook holds, the snapshot has no dimensions and says so in `failed`.
    #[must_use]
    pub fn snapshot(&self) -> MetricSnapshot {
        self.recorder.snapshot_of(self.metric)
    }

    /// The metric's state with its types, if the metric is an `M` and can be read.
    #[must_use]
    pub fn typed_snapshot<M: TypedMetric>(&self) -> Option<M::Snapshot> {
        self.recorder.typed_snapshot_of::<M>(self.metric)
    }

    /// Whether the metric is an `M` and can be read.
    #[must_use]
    pub fn is<M: Metric>(&self) -> bool {
        self.recorder.is_metric::<M>(self.metric)
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

/// A hook that runs.
type Running<'a> = Pin<Box<dyn Future<Output = Result<(), HookError>> + Send + 'a>>;

/// [`RecorderHooks`] of any type.
pub(crate) trait DynHooks: Send + Sync {
    fn on_starting(&self) -> Running<'_>;
    fn on_stopped(&self) -> Running<'_>;
    fn on_metric_changed<'a>(&'a self, change: MetricChange<'a>) -> Running<'a>;
}

impl<H: RecorderHooks> DynHooks for H {
    fn on_starting(&self) -> Running<'_> {
        Box::pin(RecorderHooks::on_starting(self))
    }

    fn on_stopped(&self) -> Running<'_> {
        Box::pin(RecorderHooks::on_stopped(self))
    }

    fn on_metric_changed<'a>(&'a self, change: MetricChange<'a>) -> Running<'a> {
        Box::pin(RecorderHooks::on_metric_changed(self, change))
    }
}

/// Calls a hook of the recorder of that identity and awaits it; a panic of either becomes an error, and blocking calls are
/// refused meanwhile.
pub(crate) async fn run<'a>(recorder: usize, hook: impl FnOnce() -> Running<'a>) -> Result<(), SharedError> {
    let running = {
        let _here = context::enter_hook(recorder);
        unwind::catch(hook)
    };
    match running {
        Ok(running) => Caught { recorder, running: Some(running) }.await.map_err(SharedError::from),
        Err(panic) => Err(Arc::new(panic)),
    }
}

/// A running hook whose panics are caught, the one of its `Drop` included.
struct Caught<'a> {
    recorder: usize,
    running: Option<Running<'a>>,
}

impl Future for Caught<'_> {
    type Output = Result<(), HookError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let _here = context::enter_hook(self.recorder);
        let Some(running) = self.running.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        match unwind::catch(|| running.as_mut().poll(task)) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(Box::new(panic))),
        }
    }
}

impl Drop for Caught<'_> {
    fn drop(&mut self) {
        let _here = context::enter_hook(self.recorder);
        let running = self.running.take();
        unwind::contain(|| drop(running));
    }
}
