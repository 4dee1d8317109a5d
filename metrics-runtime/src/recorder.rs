//! Recorders: the handle that production code holds, one for each measured scope.

mod any_event;
mod interface;
mod metric_handle;
mod on_drop;
mod options;

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::descriptor::MetricDescriptor;
use crate::dispatch::{Metric, TypedMetric};
use crate::engine::{
    Handoff, LifecycleHandle, MetricFailurePolicy, Placement, QueueOverflowPolicy, RecorderInner, Registered,
};
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::hooks::Hooks;
use crate::log::LogPolicy;
use crate::panics;
use crate::snapshot::MetricSnapshots;
use crate::state::MetricsRecorderState;
use crate::stats::RecorderStats;
use crate::sync::HAS_CLOCK;
use crate::thread_role;

pub use self::any_event::AnyEvent;
pub use self::interface::Recorder;
pub use self::metric_handle::MetricHandle;
pub use self::on_drop::EmitOnDrop;
pub use self::options::RecorderOptions;

pub(crate) use self::interface::{MetricStore, ReadMetric};
pub(crate) use self::options::RecorderDefaults;

/// The namespace of a recorder that was created directly, without one in its options.
const DEFAULT_NAMESPACE: &str = "metrics";

/// The handle that production code holds. It accepts events from any thread, queues them, and owns the metrics of its scope.
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
/// let greetings = recorder.metric::<Greetings>()?;
/// recorder.emit(Greeted);
/// assert_eq!(greetings.snapshot()?.total, 1);
/// runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
pub struct MetricsRecorder {
    inner: Arc<RecorderInner>,
}

impl MetricsRecorder {
    /// Creates a recorder in the running tokio runtime, without a `MetricsRuntime`. The application starts and stops it.
    ///
    /// The recorder is `VIRGIN`; [`start`](Self::start) or the first event starts it. A blank entity id is replaced by a
    /// generated one. The options' entity id, if given, wins over the argument.
    ///
    /// # Errors
    /// [`LoopUnavailable`](MetricsRecorderError::LoopUnavailable) outside of a tokio runtime, and on `wasm32-unknown-unknown`;
    /// [`InvalidArgument`](MetricsRecorderError::InvalidArgument) for a `queue_max_size` of 0 or beyond 268,435,456, or a
    /// `poll_interval` beyond 1 s.
    pub fn new(entity_id: impl Into<String>, options: RecorderOptions) -> Result<Self, MetricsRecorderError> {
        let entity_id: String = entity_id.into();
        let defaults = || RecorderDefaults {
            entity_id: non_blank(&entity_id).map_or_else(generated_entity_id, Arc::from),
            ..RecorderDefaults::direct()
        };
        let (settings, hooks) = options.resolve(defaults)?;
        let tokio = Handle::try_current().map_err(|_| MetricsRecorderError::LoopUnavailable)?;
        if !HAS_CLOCK {
            return Err(MetricsRecorderError::LoopUnavailable);
        }
        Ok(Self::from_inner(RecorderInner::new(settings, hooks, Placement::in_task(tokio, None))))
    }

    /// A recorder that accepts all calls and does nothing, for components with metrics switched off.
    #[must_use]
    pub fn disabled() -> Self {
        disabled().clone()
    }

    pub(crate) fn from_inner(inner: Arc<RecorderInner>) -> Self {
        Self { inner }
    }

    /// Registers an event, to be processed later, in a few nanoseconds. The call waits for no other event and logs nothing.
    ///
    /// The usual case takes no lock, and neither does an event that a stopped or failed recorder refuses. The first event after a
    /// pause and an event that finds the queue full take locks. These are held for nanoseconds. So the call is not
    /// async-signal-safe. The first event starts a recorder that is `VIRGIN`.
    ///
    /// # Errors
    /// The event comes back with the error:
    /// * [`QueueOverflow`](MetricsRecorderError::QueueOverflow) when the queue is full and the policy says so
    /// * [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder is stopping, stopped or failed
    ///
    /// Under [`QueueOverflowPolicy::Drop`] an event beyond the limit is dropped and counted, and the call succeeds. The runtime's thread
    /// logs the first drop. [`register_event_blocking`](Self::register_event_blocking) and
    /// [`register_event_async`](Self::register_event_async) wait for room instead.
    #[inline]
    pub fn register_event<E: MetricEvent>(&self, event: E) -> Result<(), RegisterEventError<E>> {
        match self.inner.try_reserve() {
            Ok(permit) => {
                permit.send(event);
                Ok(())
            }
            // Decided here, so that a component without metrics pays for no call.
            Err(_) if self.inner.is_disabled() => {
                drop_event(event);
                Ok(())
            }
            Err(reason) => self.inner.register_otherwise(event, reason),
        }
    }

    /// As [`register_event`](Self::register_event) for code that can do nothing about an error: it is counted in
    /// [`stats`](Self::stats), and the event is dropped.
    #[inline]
    pub fn emit<E: MetricEvent>(&self, event: E) {
        match self.inner.try_reserve() {
            Ok(permit) => permit.send(event),
            // As in `register_event`.
            Err(_) if self.inner.is_disabled() => drop_event(event),
            Err(reason) => self.inner.emit_otherwise(event, reason),
        }
    }

    /// Registers an event as [`register_event`](Self::register_event) does. While the queue is full, it waits for room, under
    /// either overflow policy.
    ///
    /// It serves code that produces events faster than they are processed and must lose none, such as a batch. Producers that
    /// wait get room in the order in which they began to wait. They wake up when half of the limit was processed meanwhile, so
    /// a thread wakes up once for thousands of events. Calls that do not wait take room as they find it.
    ///
    /// The events of one task keep their order if the task awaits each future before it makes the next one. A future that is
    /// dropped before its end has registered nothing, and its event counts nowhere. The wait has no timeout of its own: behind
    /// a handler that never returns it lasts until the future is dropped.
    ///
    /// # Errors
    /// The event comes back with the error, and counts as rejected:
    /// * [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder is stopping, stopped or failed, or becomes so during
    ///   the wait: a shutdown of the runtime ends all waits
    /// * [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) when the queue is full and the future is polled in a hook of this
    ///   recorder or in a metric's own code
    ///
    /// ```
    /// use mvx_metrics::{Metric, MetricsRuntime, RecorderOptions, Sum, metric_event};
    ///
    /// #[metric_event]
    /// struct RowRead {
    ///     bytes: u64,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(RowRead))]
    /// struct Rows {
    ///     #[dimension(value = bytes)]
    ///     bytes: Sum<u64>,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder_with("import", RecorderOptions::new().queue_max_size(16))?;
    /// let rows = recorder.metric::<Rows>()?;
    /// tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    ///     for _ in 0..1_000 {
    ///         recorder.register_event_async(RowRead { bytes: 8 }).await?;
    ///     }
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// })?;
    /// assert_eq!(rows.snapshot()?.bytes, 8_000);
    /// runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the event is registered when the future is awaited"]
    pub fn register_event_async<E: MetricEvent>(
        &self,
        event: E,
    ) -> impl Future<Output = Result<(), RegisterEventError<E>>> + Send {
        self.inner.register_event_async(event)
    }

    /// As [`register_event_async`](Self::register_event_async), for sync code: it blocks the thread while the queue is full, for
    /// `timeout` at most.
    ///
    /// Without a wait it costs as much as [`register_event`](Self::register_event). After the timeout it tries once more.
    ///
    /// # Errors
    /// The event comes back with the error, and counts as rejected:
    /// * [`QueueOverflow`](MetricsRecorderError::QueueOverflow) when the timeout passes and the queue is full. This is also the answer
    ///   when a handler never returns, and in a forked process, where no thread processes events
    /// * [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder is stopping, stopped or failed, or becomes so during
    ///   the wait: a shutdown of the runtime ends all waits
    /// * [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock), at once, when the queue is full and this very thread would have to
    ///   make room: in a metric's own code, in a hook, on the runtime's thread, and for a directly created recorder of a
    ///   single-threaded tokio runtime inside of such a runtime. `.await` the other call there
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
    ///
    /// #[metric_event]
    /// struct ItemDone;
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(ItemDone))]
    /// struct Items {
    ///     done: Counter,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("batch")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("items")?;
    /// let items = recorder.metric::<Items>()?;
    /// for _ in 0..100_000 {
    ///     recorder.register_event_blocking(ItemDone, Duration::from_secs(10))?;
    /// }
    /// assert_eq!(items.snapshot()?.done, 100_000);
    /// runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn register_event_blocking<E: MetricEvent>(
        &self,
        event: E,
        timeout: Duration,
    ) -> Result<(), RegisterEventError<E>> {
        self.inner.register_event_blocking(event, timeout)
    }

    /// A guard that emits the event when it is dropped, so on every way out of its scope; see [`EmitOnDrop`].
    pub fn emit_on_drop<E: MetricEvent>(&self, event: E) -> EmitOnDrop<E, Self> {
        Recorder::emit_on_drop(self, event)
    }

    /// A guard that makes an event of its state when it is dropped, and emits it; see [`EmitOnDrop`].
    pub fn emit_on_drop_with<S, E, F>(&self, state: S, event: F) -> EmitOnDrop<S, Self, E, F>
    where
        E: MetricEvent,
        F: FnOnce(S) -> E,
    {
        Recorder::emit_on_drop_with(self, state, event)
    }

    /// The metric of type `M`: the one of its name, or a new one in its default state. This is the usual way to have a metric.
    ///
    /// Components that ask for one type share one metric, whichever of them asks first. A metric that was there is found in
    /// every state of the recorder. A call that registers a metric is logged like
    /// [`register_metric`](Self::register_metric). One that finds it logs nothing.
    ///
    /// A metric without a default is registered with [`register_metric_if_absent`](Self::register_metric_if_absent).
    ///
    /// Events accepted before a metric is registered do not reach it, events accepted after it do.
    ///
    /// # Errors
    /// * [`MetricTypeMismatch`](MetricsRecorderError::MetricTypeMismatch) when the metric of that name has another type
    /// * those of [`register_metric`](Self::register_metric); [`InvalidState`](MetricsRecorderError::InvalidState) only when a
    ///   new metric is needed
    /// * [`Unexpected`](MetricsRecorderError::Unexpected) when the default or the name of `M` panics
    ///
    /// ```
    /// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
    ///
    /// #[metric_event]
    /// struct Saved;
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(Saved))]
    /// struct Saves {
    ///     total: Counter,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("storage")?;
    ///
    /// let saves = recorder.metric::<Saves>()?;
    /// recorder.emit(Saved);
    /// assert_eq!(saves.snapshot()?.total, 1);
    ///
    /// // It finds the same metric.
    /// assert_eq!(recorder.metric::<Saves>()?.snapshot()?.total, 1);
    /// runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn metric<M: TypedMetric + Default>(&self) -> Result<MetricHandle<M>, MetricsRecorderError> {
        Recorder::metric(self)
    }

    /// As [`metric`](Self::metric), with a metric to register when there is none of its name.
    ///
    /// It serves metrics without a default. When a metric of that name and type is there, the given one is dropped.
    ///
    /// # Errors
    /// As [`metric`](Self::metric).
    ///
    /// ```
    /// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
    ///
    /// #[metric_event]
    /// struct Paid {
    ///     cents: u64,
    /// }
    ///
    /// #[derive(Metric)]
    /// #[metric(on(Paid, with = Self::paid))]
    /// struct LargePayments {
    ///     #[dimension(skip)]
    ///     from_cents: u64,
    ///     #[dimension(manual)]
    ///     total: Counter,
    /// }
    ///
    /// impl LargePayments {
    ///     fn paid(&mut self, paid: &Paid) -> bool {
    ///         let is_large = paid.cents >= self.from_cents;
    ///         if is_large {
    ///             self.total.increment();
    ///         }
    ///         is_large
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("till")?;
    /// let metric = LargePayments { from_cents: 10_000, total: Counter::default() };
    /// let large_payments = recorder.register_metric_if_absent(metric)?;
    /// recorder.emit(Paid { cents: 250 });
    /// recorder.emit(Paid { cents: 12_000 });
    /// assert_eq!(large_payments.snapshot()?.total, 1);
    /// runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn register_metric_if_absent<M: TypedMetric>(
        &self,
        metric: M,
    ) -> Result<MetricHandle<M>, MetricsRecorderError> {
        Recorder::register_metric_if_absent(self, metric)
    }

    /// Adds a metric to this scope. Events accepted before the call do not reach it, events accepted after it do.
    ///
    /// A metric of the same name is replaced and counting begins anew, which is logged at WARN. Rollups of the runtime keep what
    /// the replaced one has counted. [`metric`](Self::metric) shares the metric instead.
    ///
    /// # Errors
    /// * [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder is stopping, stopped or failed
    /// * [`InvalidArgument`](MetricsRecorderError::InvalidArgument) when the metric's name is blank
    /// * [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) inside of a metric's own code
    /// * [`Stalled`](MetricsRecorderError::Stalled) when a handler or a reader holds the metrics without progress for
    ///   five seconds
    pub fn register_metric<M: Metric>(&self, metric: M) -> Result<Registered, MetricsRecorderError> {
        Recorder::register_metric(self, metric)
    }

    /// The state of all metrics, in the order of their registration.
    ///
    /// It includes all events that were accepted before the call, as this thread sees it. While a hook of the recorder runs,
    /// and before the recorder runs, it is the state as it is. It works in every state of the recorder.
    ///
    /// # Errors
    /// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock), at once, when only this very thread can process the pending
    /// events. That is so in a metric's own code, and for a recorder with a change listener in a single-threaded tokio
    /// runtime. `flush().await` first there.
    ///
    /// [`Stalled`](MetricsRecorderError::Stalled) when there is no progress for five seconds: no thread processes the events,
    /// or a handler or another reader holds the metrics. It may wait for a lock that this thread holds.
    pub fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        self.inner.metric_snapshots()
    }

    /// The state of the metric of type `M`, with its types; `None` when there is none.
    ///
    /// # Errors
    /// As [`metric_snapshots`](Self::metric_snapshots); [`Unexpected`](MetricsRecorderError::Unexpected) when the metric
    /// panics.
    pub fn metric_snapshot<M: TypedMetric>(&self) -> Result<Option<M::Snapshot>, MetricsRecorderError> {
        Recorder::metric_snapshot::<M>(self)
    }

    /// The declarations of this recorder's metrics, in the order of their registration.
    ///
    /// # Errors
    /// As [`metric_snapshots`](Self::metric_snapshots).
    pub fn metrics(&self) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
        self.inner.metrics()
    }

    /// Starts the recorder; the handle waits until it runs. While it is starting the call joins the same start.
    ///
    /// The handle's error is one of these:
    /// * [`InvalidState`](MetricsRecorderError::InvalidState) unless the recorder is `VIRGIN`, `STARTING` or `STOPPED`
    /// * [`OnStartingHookFailed`](MetricsRecorderError::OnStartingHookFailed) when the hook fails
    /// * [`LoopUnavailable`](MetricsRecorderError::LoopUnavailable) when its runtime was shut down
    /// * [`DispatcherCancelled`](MetricsRecorderError::DispatcherCancelled) when its task is aborted meanwhile
    pub fn start(&self) -> LifecycleHandle {
        LifecycleHandle::new(&self.inner, self.inner.start())
    }

    /// Stops the recorder; the handle waits until all accepted events are processed and `on_stopped` has run. Metrics keep
    /// their state, and the recorder can be started again.
    ///
    /// The handle's error is [`InvalidState`](MetricsRecorderError::InvalidState) unless the recorder is `RUNNING` or
    /// `STOPPING`, and the failure when one ends the recorder instead.
    pub fn stop(&self) -> LifecycleHandle {
        LifecycleHandle::new(&self.inner, self.inner.stop())
    }

    /// Waits until all events accepted before the call are processed, their hooks included.
    ///
    /// The handle's error is [`InvalidState`](MetricsRecorderError::InvalidState) when the recorder has failed;
    /// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) and [`Stalled`](MetricsRecorderError::Stalled) as in
    /// [`register_metric`](Self::register_metric).
    pub fn flush(&self) -> LifecycleHandle {
        LifecycleHandle::new(&self.inner, self.inner.flush())
    }

    /// The measured entity.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        self.inner.entity_id()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.inner.namespace()
    }

    /// The state the recorder is in.
    #[must_use]
    pub fn status(&self) -> MetricsRecorderState {
        self.inner.state()
    }

    /// How many accepted events may be pending: the limit that was chosen, or the default.
    #[must_use]
    pub fn queue_max_size(&self) -> usize {
        // The limit was a `usize`.
        usize::try_from(self.inner.settings().queue_max_size).unwrap_or(usize::MAX)
    }

    /// What happens to an event beyond the limit.
    #[must_use]
    pub fn queue_overflow_policy(&self) -> QueueOverflowPolicy {
        self.inner.settings().overflow
    }

    /// How events get from the threads that emit them to the metrics.
    #[must_use]
    pub fn handoff(&self) -> Handoff {
        self.inner.settings().handoff
    }

    /// What happens when a metric panics.
    #[must_use]
    pub fn metric_failure_policy(&self) -> MetricFailurePolicy {
        self.inner.settings().metric_failure
    }

    /// What the recorder logs.
    #[must_use]
    pub fn log_policy(&self) -> LogPolicy {
        self.inner.settings().log_policy
    }

    /// Whether both handles are of one recorder. Recorders of one entity id may be different ones.
    ///
    /// ```
    /// use mvx_metrics::MetricsRuntime;
    ///
    /// # fn main() -> Result<(), mvx_metrics::MetricsRuntimeError> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let storage = runtime.create_recorder("storage")?;
    /// let cache = runtime.create_recorder("cache")?;
    /// assert!(storage.same_recorder(&runtime.get_recorder("storage")?));
    /// assert!(!storage.same_recorder(&cache));
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn same_recorder(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The counts of the events so far.
    #[must_use]
    pub fn stats(&self) -> RecorderStats {
        self.inner.discard_stragglers();
        self.inner.stats()
    }

    /// Whether this thread polls a hook of this recorder.
    pub(crate) fn is_in_hook(&self) -> bool {
        thread_role::in_hook_of(self.inner.identity())
    }

    pub(crate) fn inner(&self) -> &Arc<RecorderInner> {
        &self.inner
    }
}

/// The [`disabled`](MetricsRecorder::disabled) recorder.
impl Default for MetricsRecorder {
    fn default() -> Self {
        Self::disabled()
    }
}

// A panic of user code inside of a recorder is caught there, and leaves the recorder's data whole.
impl UnwindSafe for MetricsRecorder {}
impl RefUnwindSafe for MetricsRecorder {}

impl Clone for MetricsRecorder {
    fn clone(&self) -> Self {
        self.inner.add_handle();
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl Drop for MetricsRecorder {
    fn drop(&mut self) {
        self.inner.drop_handle();
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

/// The one disabled recorder of the process.
fn disabled() -> &'static MetricsRecorder {
    static DISABLED: LazyLock<MetricsRecorder> = LazyLock::new(|| {
        let defaults = RecorderDefaults {
            entity_id: Arc::from("disabled"),
            queue_max_size: 1,
            overflow: QueueOverflowPolicy::Drop,
            log_policy: LogPolicy::Silent,
            ..RecorderDefaults::direct()
        };
        let inner = RecorderInner::new(defaults.into_settings(), Hooks::default(), Placement::Disabled);
        MetricsRecorder::from_inner(inner)
    });
    &DISABLED
}

/// Drops an event, whose `Drop` is user code.
#[inline]
fn drop_event<E: MetricEvent>(event: E) {
    if const { std::mem::needs_drop::<E>() } {
        panics::catch_and_ignore(|| drop(event));
    }
}

/// The text without surrounding white space, unless it is blank.
fn non_blank(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// An entity id that no other recorder of this process was given.
fn generated_entity_id() -> Arc<str> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Arc::from(format!("recorder-{:04}", NEXT.fetch_add(1, Ordering::Relaxed)))
}
