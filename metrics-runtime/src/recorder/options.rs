//! What can be chosen for a recorder.

use std::fmt;
use std::time::Duration;

use crate::hooks::{DynHooks, RecorderHooks};
use crate::log::LogPolicy;
use crate::unwind::Contained;

/// How many events may be pending by default.
pub(crate) const DEFAULT_QUEUE_MAX_SIZE: usize = 10_000;
/// Longer than anybody wants to wait for a figure.
const LONGEST_POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The largest limit; its queue would take 16 GiB when full.
const LARGEST_QUEUE: usize = 1 << 28;

/// What happens to an event when as many are pending as the recorder may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueueOverflowPolicy {
    /// The event is dropped and counted, and the call succeeds. The default of recorders created through a runtime.
    Drop,
    /// The call fails with `QueueOverflow` and hands the event back. The default of recorders created directly.
    Error,
}

/// What happens when a metric panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MetricFailurePolicy {
    /// The metric is quarantined: it keeps its last state, its snapshot says why it failed, the others go on.
    #[default]
    Quarantine,
    /// The recorder goes into `FAILURE`.
    FailRecorder,
}

/// What can be chosen for a recorder. What is not chosen comes from the runtime, or is a default.
///
/// ```
/// use mvx_metrics::{QueueOverflowPolicy, RecorderOptions};
///
/// let options = RecorderOptions::new()
///     .entity_id("connection-0001")
///     .queue_max_size(1_000)
///     .queue_overflow_policy(QueueOverflowPolicy::Error);
/// ```
#[derive(Default)]
#[must_use]
pub struct RecorderOptions {
    pub(crate) entity_id: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) queue_max_size: Option<usize>,
    pub(crate) queue_overflow_policy: Option<QueueOverflowPolicy>,
    pub(crate) log_policy: Option<LogPolicy>,
    pub(crate) metric_failure_policy: MetricFailurePolicy,
    pub(crate) poll_interval: Option<Duration>,
    pub(crate) hooks: Option<Contained<Box<dyn DynHooks>>>,
}

impl RecorderOptions {
    /// Options of which nothing is chosen.
    pub fn new() -> Self {
        Self::default()
    }

    /// The measured entity, such as `connection-0001`. By default the recorder's id in its runtime.
    pub fn entity_id(mut self, entity_id: impl Into<String>) -> Self {
        self.entity_id = Some(entity_id.into());
        self
    }

    /// The namespace. By default, and when it is blank, that of the runtime.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        let namespace: String = namespace.into();
        self.namespace = Some(namespace).filter(|namespace| !namespace.trim().is_empty());
        self
    }

    /// How many accepted events may be pending: at least 1, at most 268,435,456; by default 10,000.
    pub fn queue_max_size(mut self, events: usize) -> Self {
        self.queue_max_size = Some(events);
        self
    }

    /// What happens to an event beyond the limit.
    pub fn queue_overflow_policy(mut self, policy: QueueOverflowPolicy) -> Self {
        self.queue_overflow_policy = Some(policy);
        self
    }

    /// What the recorder logs.
    pub fn log_policy(mut self, policy: LogPolicy) -> Self {
        self.log_policy = Some(policy);
        self
    }

    /// What happens when a metric panics.
    pub fn metric_failure_policy(mut self, policy: MetricFailurePolicy) -> Self {
        self.metric_failure_policy = policy;
        self
    }

    /// How long events may wait before they are processed, while the recorder has traffic: zero to process them at once, at
    /// most 1 s; by default as [the runtime's](crate::MetricsRuntimeBuilder::poll_interval).
    ///
    /// The timer has a granularity of 1 ms: what is between zero and 1 ms may mean up to about 2 ms, as 1 ms does.
    ///
    /// Recorders with hooks, and recorders that were created directly, process events at once whatever is chosen here.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = Some(interval);
        self
    }

    /// Code that runs with the recorder's events.
    pub fn hooks(mut self, hooks: impl RecorderHooks) -> Self {
        self.hooks = Some(Contained::new(Box::new(hooks)));
        self
    }
}

impl fmt::Debug for RecorderOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RecorderOptions")
            .field("entity_id", &self.entity_id)
            .field("namespace", &self.namespace)
            .field("queue_max_size", &self.queue_max_size)
            .field("queue_overflow_policy", &self.queue_overflow_policy)
            .field("log_policy", &self.log_policy)
            .field("metric_failure_policy", &self.metric_failure_policy)
            .field("poll_interval", &self.poll_interval)
            .field("hooks", &self.hooks.is_some())
            .finish()
    }
}

/// Checks a limit; the error says what is wrong with it.
pub(crate) fn check_queue_max_size(events: usize) -> Result<u64, &'static str> {
    match events {
        0 => Err("must be at least 1"),
        1..=LARGEST_QUEUE => Ok(events as u64),
        _ => Err("must be at most 268435456"),
    }
}

/// What is wrong with a poll interval, if something is.
pub(crate) fn problem_of_poll_interval(interval: Duration) -> Option<&'static str> {
    (interval > LONGEST_POLL_INTERVAL).then_some("must be at most 1 s")
}
