//! Recorders: the handle production code holds, one for each measured scope.

mod completion;
mod contract;
mod core;
mod home;
mod lifecycle;
mod options;
mod processing;
mod state;
mod stats;
mod worker;

#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::descriptor::MetricDescriptor;
use crate::dispatch::MetricBox;
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::log::LogPolicy;
use crate::metric::{Metric, TypedMetric};
use crate::queue::{Queue, SegmentPool};
use crate::snapshot::MetricSnapshots;

pub use self::completion::LifecycleHandle;
pub use self::contract::Recorder;
pub use self::core::Registration;
pub use self::options::{MetricFailurePolicy, QueueOverflowPolicy, RecorderOptions};
pub use self::state::MetricsRecorderState;
pub use self::stats::RecorderStats;

pub(crate) use self::contract::{ErasedEvent, Sealed};
pub(crate) use self::core::{RecorderCore, Settings};
pub(crate) use self::home::{Home, Listing};
pub(crate) use self::options::{DEFAULT_QUEUE_MAX_SIZE, check_queue_max_size, problem_of_poll_interval};
pub(crate) use self::processing::{BUDGET, Observation, Turn};

/// The namespace of a recorder that was created directly and given none.
const DEFAULT_NAMESPACE: &str = "metrics";

/// The handle production code holds: it accepts events in any thread, queues them, and owns the metrics of its scope.
///
/// Cheap to clone; clones are the same recorder. Usually created by
/// [`MetricsRuntime::create_recorder`](crate::MetricsRuntime::create_recorder). When the last clone is dropped, all
/// accepted events are still processed and the recorder stops.
///
/// ```
/// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
///
/// #[metric_event]
/// struct Greeted;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Greeted))]
/// struct Greetings {
///     total: Counter,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder("greeter")?;
/// recorder.register_metric(Greetings::default())?;
/// recorder.emit(Greeted);
/// assert_eq!(recorder.metric_snapshot::<Greetings>()?.map(|greetings| greetings.total), Some(1));
/// runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
pub struct MetricsRecorder {
    core: Arc<RecorderCore>,
}

impl MetricsRecorder {
    /// Creates a recorder that lives in the running tokio runtime: the application owns the environment and the lifecycle.
    ///
    /// The recorder is `VIRGIN`; [`start`](Self::start) or the first event starts it. A blank entity id is replaced by a
    /// generated one. The options' entity id, if given, wins over the argument.
    ///
    /// # Errors
    /// [`LoopUnavailable`](MetricsRecorderError::LoopUnavailable) outside of a tokio runtime;
    /// [`InvalidArgument`](MetricsRecorderError::InvalidArgument) for a `queue_max_size` of 0 or beyond 268,435,456, or a
    /// `poll_interval` beyond 1 s.
    pub fn new(entity_id: impl Into<String>, options: RecorderOptions) -> Result<Self, MetricsRecorderError> {
        let limit = check_queue_max_size(options.queue_max_size.unwrap_or(DEFAULT_QUEUE_MAX_SIZE)).map_err(
            |problem| MetricsRecorderError::InvalidArgument { argument: "queue_max_size", problem },
        )?;
        if let Some(problem) = options.poll_interval.and_then(problem_of_poll_interval) {
            return Err(MetricsRecorderError::InvalidArgument { argument: "poll_interval", problem });
        }
        let tokio = Handle::try_current().map_err(|_| MetricsRecorderError::LoopUnavailable)?;
        let entity_id = options.entity_id.unwrap_or_else(|| entity_id.into());
        let settings = Settings {
            entity_id: match entity_id.trim() {
                "" => generated_entity_id(),
                entity_id => Arc::from(entity_id),
            },
            namespace: Arc::from(options.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)),
            overflow: options.queue_overflow_policy.unwrap_or(QueueOverflowPolicy::Error),
            log_policy: options.log_policy.unwrap_or_default(),
            metric_failure: options.metric_failure_policy,
            poll_interval: Duration::ZERO,
        };
        let queue = Queue::new(limit, crate::sync::Arc::new(SegmentPool::new()));
        Ok(Self::from_core(RecorderCore::new(queue, settings, options.hooks, Home::in_task(tokio, None))))
    }

    /// A recorder that accepts everything and does nothing: for components whose metrics are switched off.
    #[must_use]
    pub fn disabled() -> Self {
        static DISABLED: LazyLock<MetricsRecorder> = LazyLock::new(|| {
            let settings = Settings {
                entity_id: Arc::from("disabled"),
                namespace: Arc::from(DEFAULT_NAMESPACE),
                overflow: QueueOverflowPolicy::Drop,
                log_policy: LogPolicy::Silent,
                metric_failure: MetricFailurePolicy::Quarantine,
                poll_interval: Duration::ZERO,
            };
            let queue = Queue::new(1, crate::sync::Arc::new(SegmentPool::new()));
            queue.close();
            MetricsRecorder::from_core(RecorderCore::new(queue, settings, None, Home::Disabled))
        });
        DISABLED.clone()
    }

    pub(crate) fn from_core(core: RecorderCore) -> Self {
        Self { core: Arc::new(core) }
    }

    /// Hands an event over to be processed, in a few nanoseconds. It never logs, and never waits for room or for the
    /// processing of other events.
    ///
    /// Usually it takes no lock. It takes locks for a few instructions once in up to 256 events, to wake the recorder, and
    /// when an event is dropped or refused. So do not call it in a signal handler or in a global allocator.
    ///
    /// The first event starts a recorder that was not started yet.
    ///
    /// # Errors
    /// The event comes back with the error: [`QueueOverflow`](MetricsRecorderError::QueueOverflow) when the queue is full
    /// and the policy says so, [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder is stopping, stopped
    /// or failed. Under [`QueueOverflowPolicy::Drop`] an event beyond the limit is dropped and counted, and the call
    /// succeeds.
    #[inline]
    pub fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>> {
        match self.core.queue.try_reserve() {
            Ok(permit) => {
                permit.send(event);
                Ok(())
            }
            Err(reason) => self.core.register_with_care(event, reason),
        }
    }

    /// As [`register_event`](Self::register_event) for code that can do nothing about an error: it is counted in
    /// [`stats`](Self::stats), and the event is dropped.
    #[inline]
    pub fn emit<E: MetricEvent>(&self, event: E) {
        if let Err(error) = self.register_event(event) {
            crate::unwind::contain(|| drop(error));
        }
    }

    /// Adds a metric to this scope. Events accepted before the call do not reach it, events accepted after it do.
    ///
    /// # Errors
    /// [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder is stopping, stopped or failed;
    /// [`InvalidArgument`](MetricsRecorderError::InvalidArgument) when the metric's name is blank;
    /// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) inside of a metric's own code, or when a metric of this
    /// recorder has not come to an end for five seconds.
    pub fn register_metric<M: Metric>(&self, metric: M) -> Result<Registration, MetricsRecorderError> {
        self.add_metric(MetricBox::named(metric)?)
    }

    fn add_metric(&self, metric: MetricBox) -> Result<Registration, MetricsRecorderError> {
        if self.is_disabled() { Ok(Registration::Added) } else { self.core.register_metric(metric) }
    }

    /// The state of all metrics, in the order of their registration.
    ///
    /// It includes all events that were accepted before the call, as this thread sees it, unless a hook of the recorder is
    /// in progress or the recorder is not running yet: then it is the state as it is. Works in every state of the recorder.
    ///
    /// # Errors
    /// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) when the events before the call can only be processed by
    /// this very thread later on: inside of a metric's own code, or for a recorder with hooks in async code of its own
    /// single-threaded tokio runtime, where `flush().await` comes first. Also when nobody has processed them for a second,
    /// or a metric has not come to an end for five seconds: it may wait for something that this thread holds.
    pub fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        self.core.metric_snapshots()
    }

    /// The state of the metric of type `M`, with its types; `None` when there is none.
    ///
    /// # Errors
    /// As [`metric_snapshots`](Self::metric_snapshots); [`Unexpected`](MetricsRecorderError::Unexpected) when the metric
    /// panics.
    pub fn metric_snapshot<M: TypedMetric>(&self) -> Result<Option<M::Snapshot>, MetricsRecorderError> {
        self.core.metric_snapshot::<M>()
    }

    /// What the metrics of this recorder measure, in the order of their registration.
    ///
    /// # Errors
    /// As [`metric_snapshots`](Self::metric_snapshots).
    pub fn metrics(&self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
        self.core.metrics()
    }

    /// Starts the recorder; the handle waits until it runs. While it is starting the call joins the same start.
    ///
    /// The handle's error is [`InvalidState`](MetricsRecorderError::InvalidState) unless the recorder is `VIRGIN`,
    /// `STARTING` or `STOPPED`, [`OnStartingHookFailed`](MetricsRecorderError::OnStartingHookFailed) when the hook fails,
    /// [`LoopUnavailable`](MetricsRecorderError::LoopUnavailable) when its runtime was shut down, and
    /// [`DispatcherCancelled`](MetricsRecorderError::DispatcherCancelled) when its task is aborted meanwhile.
    pub fn start(&self) -> LifecycleHandle {
        if self.is_disabled() {
            return LifecycleHandle::over(Ok(()));
        }
        self.core.start()
    }

    /// Stops the recorder; the handle waits until all accepted events are processed and `on_stopped` has run. Metrics keep
    /// their state, and the recorder can be started again.
    ///
    /// The handle's error is [`InvalidState`](MetricsRecorderError::InvalidState) unless the recorder is `RUNNING` or
    /// `STOPPING`, and the failure when one ends the recorder instead.
    pub fn stop(&self) -> LifecycleHandle {
        if self.is_disabled() {
            return LifecycleHandle::over(Ok(()));
        }
        self.core.stop()
    }

    /// Waits until all events accepted before the call are processed, their hooks included.
    ///
    /// The handle's error is [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder has failed;
    /// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) as in [`register_metric`](Self::register_metric).
    pub fn flush(&self) -> LifecycleHandle {
        self.core.flush()
    }

    /// The measured entity.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        self.core.entity_id()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.core.namespace()
    }

    /// The state the recorder is in.
    #[must_use]
    pub fn status(&self) -> MetricsRecorderState {
        self.core.state()
    }

    /// What became of the events so far.
    #[must_use]
    pub fn stats(&self) -> RecorderStats {
        self.core.discard_late();
        self.core.stats()
    }

    /// Whether this is a hook of this recorder.
    pub(crate) fn is_in_hook(&self) -> bool {
        crate::context::in_hook_of(self.core.identity())
    }

    pub(crate) fn core(&self) -> &Arc<RecorderCore> {
        &self.core
    }

    fn is_disabled(&self) -> bool {
        matches!(self.core.home, Home::Disabled)
    }
}

// A panic of the user's code inside of a recorder is caught there and leaves it whole.
impl UnwindSafe for MetricsRecorder {}
impl RefUnwindSafe for MetricsRecorder {}

impl Clone for MetricsRecorder {
    fn clone(&self) -> Self {
        // Relaxed, as in `Arc`: whoever clones has a handle, so the count is not about to reach zero.
        self.core.handles.fetch_add(1, Ordering::Relaxed);
        Self { core: Arc::clone(&self.core) }
    }
}

impl Drop for MetricsRecorder {
    fn drop(&mut self) {
        // AcqRel, as in `Arc`: what other handles did happens before the end that follows.
        if self.core.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.core.stop_silently();
        }
    }
}

impl fmt::Debug for MetricsRecorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MetricsRecorder")
            .field("entity_id", &self.entity_id())
            .field("namespace", &self.namespace())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// An id that no other recorder of this process was given.
fn generated_entity_id() -> Arc<str> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Arc::from(format!("recorder-{:04}", NEXT.fetch_add(1, Ordering::Relaxed)))
}
