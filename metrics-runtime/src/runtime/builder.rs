//! The options of a runtime.

use std::time::Duration;

use super::MetricsRuntime;
use super::config::Config;
use crate::engine::{
    DEFAULT_QUEUE_MAX_SIZE, DEFAULT_SHUTDOWN_TIMEOUT, QueueOverflowPolicy, check_poll_interval,
    check_queue_max_size,
};
use crate::error::{InvalidArgument, MetricsRuntimeError};
use crate::hooks::{ChangeListener, Hooks, RecorderHooks};
use crate::log::LogPolicy;
use crate::totals::ConstantLabels;

const DEFAULT_STARTUP_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_millis(1);
/// The runtime's own code overflows a smaller stack, which would abort the program.
const MIN_STACK_SIZE: usize = 128 << 10;
/// A larger stack exceeds the address space.
#[cfg(target_pointer_width = "64")]
const MAX_STACK_SIZE: usize = 1 << 46;
#[cfg(not(target_pointer_width = "64"))]
const MAX_STACK_SIZE: usize = 1 << 30;

/// Builds a [`MetricsRuntime`] with options.
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::{MetricsRuntime, QueueOverflowPolicy};
///
/// # fn main() -> Result<(), mvx_metrics::MetricsRuntimeError> {
/// let runtime = MetricsRuntime::builder("networking.metrics")
///     .default_queue_max_size(1_000)
///     .default_queue_overflow_policy(QueueOverflowPolicy::Error)
///     .shutdown_timeout(Duration::from_secs(1))
///     .build()?;
/// # drop(runtime);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct MetricsRuntimeBuilder {
    config: Config,
    /// The mistake in the name of the first label that cannot be used.
    label_problem: Option<&'static str>,
}

impl MetricsRuntimeBuilder {
    pub(super) fn new(namespace: String) -> Self {
        let config = Config {
            namespace,
            labels: ConstantLabels::default(),
            queue_max_size: DEFAULT_QUEUE_MAX_SIZE,
            queue_overflow_policy: QueueOverflowPolicy::Drop,
            log_policy: LogPolicy::default(),
            startup_timeout: DEFAULT_STARTUP_TIMEOUT,
            shutdown_timeout: DEFAULT_SHUTDOWN_TIMEOUT,
            poll_interval: DEFAULT_POLL_INTERVAL,
            thread_stack_size: None,
            hooks: Hooks::default(),
        };
        Self { config, label_problem: None }
    }

    /// A constant label of the process, on every series of the text. OpenMetrics calls it a label of the target, and
    /// OpenTelemetry a resource attribute.
    ///
    /// The option `ExpositionOptions::target_info` shows these labels once instead. A breakdown's label of the same name gets the
    /// prefix `exported_`. A label without a text is not shown, because Prometheus does not tell it from a label that is not there.
    ///
    /// ```
    /// use mvx_metrics::{MetricsRuntime, Scope};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::builder("storage").label("region", "north").build()?;
    /// runtime.start()?;
    /// assert_eq!(runtime.totals(Scope::Rollup)?.labels()["region"], "north");
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let inserted = self.config.labels.insert(name.into(), value.into());
        self.label_problem = self.label_problem.or(inserted.err());
        self
    }

    /// How many accepted events may be pending in each recorder: at least 1, at most 268,435,456; by default 10,000.
    pub fn default_queue_max_size(mut self, events: usize) -> Self {
        self.config.queue_max_size = events;
        self
    }

    /// What happens to events beyond the limit; by default they are dropped and counted.
    pub fn default_queue_overflow_policy(mut self, policy: QueueOverflowPolicy) -> Self {
        self.config.queue_overflow_policy = policy;
        self
    }

    /// What the runtime logs. Its recorders log the same, unless their options say otherwise.
    pub fn log_policy(mut self, policy: LogPolicy) -> Self {
        self.config.log_policy = policy;
        self
    }

    /// How long the thread, and a recorder's `on_starting` hook, may take to start; by default 5 s.
    pub fn startup_timeout(mut self, timeout: Duration) -> Self {
        self.config.startup_timeout = timeout;
        self
    }

    /// How long a shutdown, or stopping one recorder, may take; by default 5 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.config.shutdown_timeout = timeout;
        self
    }

    /// How long events may wait before the runtime processes them, while their recorder has recent traffic: by default 1 ms, at
    /// most 1 s.
    ///
    /// The runtime polls such a recorder on a timer, so registering an event wakes no thread. Snapshots, stops and a queue that
    /// fills up wake the runtime at once. So does an event after a pause that is longer than the interval and 1 ms, unless other
    /// recorders with the same interval have requests as often.
    ///
    /// The timer has a granularity of 1 ms and never fires early. With 1 ms, an event waits up to about 2 ms. With a shorter
    /// interval, 200 µs for example, some events still wait that long. With [`Duration::ZERO`] events are processed at once, and
    /// each event after a pause wakes the runtime's thread.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.config.poll_interval = interval;
        self
    }

    /// The size of the stack of the runtime's thread in bytes, at least 128 KiB; by default that of the standard library.
    ///
    /// Metrics and hooks run on this thread, and need their own part of the stack.
    pub fn thread_stack_size(mut self, bytes: usize) -> Self {
        self.config.thread_stack_size = Some(bytes);
        self
    }

    /// Code that runs when a recorder of this runtime starts and when it stops, for all of them.
    ///
    /// With [hooks of the recorder](crate::RecorderOptions::hooks) as well, these start first and stop last. If one `on_starting`
    /// fails, the next one does not run. Every `on_stopped` runs, also after the failure of another one; the first error counts and
    /// the others are logged. A second call replaces the hooks of the first.
    ///
    /// The runtime keeps the hooks, so hooks that keep the runtime are never dropped.
    ///
    /// ```
    /// use std::sync::mpsc;
    ///
    /// use mvx_metrics::{HookError, MetricsRuntime, RecorderContext, RecorderHooks};
    ///
    /// struct Stops(mpsc::Sender<String>);
    ///
    /// impl RecorderHooks for Stops {
    ///     async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
    ///         Ok(self.0.send(recorder.entity_id().to_owned())?)
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (sender, stopped) = mpsc::channel();
    /// let runtime = MetricsRuntime::builder("example").hooks(Stops(sender)).build()?;
    /// runtime.start()?;
    /// for id in ["a", "b"] {
    ///     runtime.create_recorder(id)?;
    ///     runtime.stop_and_remove_recorder(id)?;
    /// }
    /// assert_eq!(stopped.try_iter().collect::<Vec<_>>(), ["a", "b"]);
    /// runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hooks(mut self, hooks: impl RecorderHooks) -> Self {
        self.config.hooks.set_lifecycle(hooks);
        self
    }

    /// Code that runs after each event that changed a metric, for all recorders of this runtime.
    ///
    /// Every recorder then applies one event at a time, in a task of its own. With a
    /// [listener of the recorder](crate::RecorderOptions::change_listener) as well, this one runs first. If it fails, the other one
    /// does not run. A second call replaces the listener of the first.
    pub fn change_listener(mut self, listener: impl ChangeListener) -> Self {
        self.config.hooks.set_listener(listener);
        self
    }

    /// Creates the runtime; there is no thread yet.
    ///
    /// # Errors
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) when the namespace is blank or has a NUL character in
    /// it. It is also the error when the queue size, the poll interval or the stack size is out of range, and when the name of a
    /// label has other characters than letters, digits and `_`, begins with a digit or with `__`, stands twice, or is `namespace`,
    /// `entity_id`, `le` or `quantile`.
    pub fn build(self) -> Result<MetricsRuntime, MetricsRuntimeError> {
        let Self { config, label_problem } = self;
        let invalid = |argument, problem| Err(InvalidArgument { argument, problem }.into());
        if config.namespace.trim().is_empty() {
            return invalid("namespace", "must not be blank");
        }
        if config.namespace.contains('\0') {
            return invalid("namespace", "must not contain a NUL character");
        }
        if let Some(problem) = label_problem {
            return invalid("label", problem);
        }
        check_queue_max_size("default_queue_max_size", config.queue_max_size)?;
        if config.thread_stack_size.is_some_and(|bytes| !(MIN_STACK_SIZE..=MAX_STACK_SIZE).contains(&bytes)) {
            return invalid("thread_stack_size", "must be at least 128 KiB and at most 2^46 bytes");
        }
        check_poll_interval(config.poll_interval)?;
        Ok(MetricsRuntime::from_config(config))
    }
}
