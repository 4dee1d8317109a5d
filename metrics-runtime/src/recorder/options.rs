//! The options of a recorder, and how they become its settings.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{DEFAULT_NAMESPACE, non_blank};
use crate::engine::{
    DEFAULT_QUEUE_MAX_SIZE, DEFAULT_SHUTDOWN_TIMEOUT, MetricFailurePolicy, QueueOverflowPolicy, Settings,
    check_poll_interval, check_queue_max_size,
};
use crate::error::InvalidArgument;
use crate::hooks::{DynHooks, RecorderHooks};
use crate::log::LogPolicy;
use crate::panics::CatchDropPanic;

/// The options of a recorder. An option that is not set comes from the runtime, or has a default.
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
    pub(crate) hooks: Option<CatchDropPanic<Box<dyn DynHooks>>>,
}

impl RecorderOptions {
    /// No option is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The measured entity, such as `connection-0001`. By default the recorder's id in its runtime.
    pub fn entity_id(mut self, entity_id: impl Into<String>) -> Self {
        self.entity_id = Some(entity_id.into());
        self
    }

    /// The namespace. By default, and when it is blank, that of the runtime; of a recorder that is created directly, `metrics`.
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

    /// How long events may wait before they are processed, while the recorder has recent traffic: at most 1 s. With zero they are
    /// processed at once. By default it is [the runtime's](crate::MetricsRuntimeBuilder::poll_interval).
    ///
    /// The timer has a granularity of 1 ms: with any interval up to 1 ms but zero, an event waits up to about 2 ms.
    ///
    /// Recorders with hooks, and recorders that were created directly, always process events at once.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = Some(interval);
        self
    }

    /// Code that runs when the recorder starts, changes a metric, or stops.
    pub fn hooks(mut self, hooks: impl RecorderHooks) -> Self {
        self.hooks = Some(CatchDropPanic::new(Box::new(hooks)));
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

/// The settings of a recorder without options.
pub(crate) struct RecorderDefaults {
    pub(crate) entity_id: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) queue_max_size: u64,
    pub(crate) overflow: QueueOverflowPolicy,
    pub(crate) log_policy: LogPolicy,
    pub(crate) poll_interval: Duration,
    pub(crate) hook_timeout: Duration,
}

impl RecorderDefaults {
    /// The defaults of recorders that are created directly, without an entity id.
    pub(super) fn direct() -> Self {
        Self {
            entity_id: Arc::from(""),
            namespace: Arc::from(DEFAULT_NAMESPACE),
            queue_max_size: DEFAULT_QUEUE_MAX_SIZE as u64,
            overflow: QueueOverflowPolicy::Error,
            log_policy: LogPolicy::default(),
            poll_interval: Duration::ZERO,
            hook_timeout: DEFAULT_SHUTDOWN_TIMEOUT,
        }
    }

    pub(super) fn into_settings(self) -> Settings {
        Settings {
            entity_id: self.entity_id,
            namespace: self.namespace,
            queue_max_size: self.queue_max_size,
            overflow: self.overflow,
            log_policy: self.log_policy,
            metric_failure: MetricFailurePolicy::default(),
            poll_interval: self.poll_interval,
            hook_timeout: self.hook_timeout,
        }
    }
}

type Hooks = Option<CatchDropPanic<Box<dyn DynHooks>>>;

impl RecorderOptions {
    /// Checks the options and completes them with defaults.
    pub(crate) fn resolve(
        self,
        defaults: impl FnOnce() -> RecorderDefaults,
    ) -> Result<(Settings, Hooks), InvalidArgument> {
        let queue_max_size =
            self.queue_max_size.map(|events| check_queue_max_size("queue_max_size", events)).transpose()?;
        let poll_interval = self.poll_interval.map(check_poll_interval).transpose()?;
        let mut settings = defaults().into_settings();
        settings.metric_failure = self.metric_failure_policy;
        if let Some(entity_id) = self.entity_id.as_deref().and_then(non_blank) {
            settings.entity_id = Arc::from(entity_id);
        }
        if let Some(namespace) = self.namespace {
            settings.namespace = Arc::from(namespace);
        }
        settings.queue_max_size = queue_max_size.unwrap_or(settings.queue_max_size);
        settings.overflow = self.queue_overflow_policy.unwrap_or(settings.overflow);
        settings.log_policy = self.log_policy.unwrap_or(settings.log_policy);
        settings.poll_interval = poll_interval.unwrap_or(settings.poll_interval);
        Ok((settings, self.hooks))
    }
}
