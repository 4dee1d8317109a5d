//! Hooks: user code that runs when a recorder starts, when one of its metrics changes, and when it stops.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::dispatch::MetricBox;
use crate::dispatch::{Metric, TypedMetric};
use crate::error::{MetricsRecorderError, SharedError};
use crate::event::EventRef;
use crate::panics::{self, Panic};
use crate::queue::PendingEvent;
use crate::snapshot::{MetricSnapshot, Timestamp};
use crate::thread_role;

/// The error of a hook.
pub type HookError = Box<dyn Error + Send + Sync>;

/// Code that runs with a recorder's events, for example to open, feed and close a publisher.
///
/// Hooks run where the recorder's events are processed, never on a producer's thread. Each call is awaited: the recorder's
/// next event waits for it, and other recorders go on. A hook that returns an error or panics puts the recorder into
/// [`Failure`](crate::MetricsRecorderState::Failure).
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
    /// An error puts the recorder into `FAILURE`. Calls that wait for the start get `OnStartingHookFailed`.
    fn on_starting(&self) -> impl Future<Output = Result<(), HookError>> + Send {
        async { Ok(()) }
    }

    /// Runs after the last event when the recorder stops, or as cleanup after a failure.
    ///
    /// # Errors
    /// An error puts the recorder into `FAILURE`. Calls that wait for the stop get `OnStoppedHookFailed`.
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
    pub(crate) recorder: &'a dyn MetricReader,
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
    /// The reference cannot be kept across an `.await`: copy the needed fields of the event first.
    #[must_use]
    pub fn event(&self) -> EventRef<'_> {
        self.event.view()
    }

    /// The metric's state after this event and before the next one.
    ///
    /// The call waits for other readers of the recorder's metrics. One of them may make no progress for five seconds, perhaps
    /// because it waits for a lock that the hook holds. The snapshot then has no dimensions and says so in `failed`.
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
            snapshot = metric.typed_snapshot::<M>().ok().flatten();
        });
        read.ok().and(snapshot)
    }

    /// Whether the metric is an `M` and can be read.
    #[must_use]
    pub fn is<M: Metric>(&self) -> bool {
        let mut is_metric = false;
        let read = self.recorder.with_metric(self.metric, &mut |metric, _| {
            is_metric = metric.downcast::<M>().is_some();
        });
        read.is_ok() && is_metric
    }
}

/// The recorder of a [`MetricChange`], as far as the change reads it.
pub(crate) trait MetricReader: Send + Sync {
    fn entity_id(&self) -> &str;

    /// Shows `read` the metric of that name, if there is one, and the panic that failed it.
    ///
    /// # Errors
    /// `Stalled` when another reader holds the metrics and makes no progress.
    fn with_metric(
        &self,
        name: &str,
        read: &mut dyn FnMut(&MetricBox, Option<&Panic>),
    ) -> Result<(), MetricsRecorderError>;
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

/// A call of a hook in progress.
type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), HookError>> + Send + 'a>>;

/// [`RecorderHooks`] of any type.
pub(crate) trait DynHooks: Send + Sync {
    fn on_starting(&self) -> HookFuture<'_>;
    fn on_stopped(&self) -> HookFuture<'_>;
    fn on_metric_changed<'a>(&'a self, change: MetricChange<'a>) -> HookFuture<'a>;
}

impl<H: RecorderHooks> DynHooks for H {
    fn on_starting(&self) -> HookFuture<'_> {
        Box::pin(RecorderHooks::on_starting(self))
    }

    fn on_stopped(&self) -> HookFuture<'_> {
        Box::pin(RecorderHooks::on_stopped(self))
    }

    fn on_metric_changed<'a>(&'a self, change: MetricChange<'a>) -> HookFuture<'a> {
        Box::pin(RecorderHooks::on_metric_changed(self, change))
    }
}

/// Calls a hook of the recorder of that identity and awaits it. A panic becomes an error. Blocking calls of the hook are
/// refused meanwhile.
pub(crate) async fn run<'a>(
    recorder: usize,
    hook: impl FnOnce() -> HookFuture<'a>,
) -> Result<(), SharedError> {
    let called = {
        let _role = thread_role::enter_hook(recorder);
        panics::catch(hook)
    };
    match called {
        Ok(future) => CatchUnwind { recorder, future: Some(future) }.await.map_err(SharedError::from),
        Err(panic) => Err(Arc::new(panic)),
    }
}

/// A hook's future. Its panics are caught, the panic of its `Drop` included.
struct CatchUnwind<'a> {
    recorder: usize,
    future: Option<HookFuture<'a>>,
}

impl Future for CatchUnwind<'_> {
    type Output = Result<(), HookError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let _role = thread_role::enter_hook(self.recorder);
        let Some(future) = self.future.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        match panics::catch(|| future.as_mut().poll(task)) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(Box::new(panic))),
        }
    }
}

impl Drop for CatchUnwind<'_> {
    fn drop(&mut self) {
        let _role = thread_role::enter_hook(self.recorder);
        let future = self.future.take();
        panics::catch_and_ignore(|| drop(future));
    }
}
