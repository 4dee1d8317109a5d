//! The options of a recorder, and how they become its settings.

use std::sync::Arc;
use std::time::Duration;

use super::{DEFAULT_NAMESPACE, non_blank};
use crate::engine::{
    DEFAULT_QUEUE_MAX_SIZE, DEFAULT_SHUTDOWN_TIMEOUT, Handoff, MetricFailurePolicy, QueueOverflowPolicy,
    Settings, check_poll_interval, check_queue_max_size,
};
use crate::error::InvalidArgument;
use crate::hooks::{ChangeListener, Hooks, RecorderHooks};
use crate::log::LogPolicy;

/// The options of a recorder. An option that is not set comes from the runtime, or has a default.
///
/// Clones share the hooks and the change listener.
///
/// ```
/// use mvx_metrics::{QueueOverflowPolicy, RecorderOptions};
///
/// let options = RecorderOptions::new()
///     .entity_id("connection-0001")
///     .queue_max_size(1_000)
///     .queue_overflow_policy(QueueOverflowPolicy::Error);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct RecorderOptions {
    pub(crate) entity_id: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) queue_max_size: Option<usize>,
    pub(crate) queue_overflow_policy: Option<QueueOverflowPolicy>,
    pub(crate) handoff: Handoff,
    pub(crate) log_policy: Option<LogPolicy>,
    pub(crate) metric_failure_policy: MetricFailurePolicy,
    pub(crate) poll_interval: Option<Duration>,
    pub(crate) hooks: Hooks,
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

    /// How events get from the threads that emit them to the metrics: by default through one [ordered](Handoff::Ordered) queue.
    ///
    /// [`Handoff::PerThread`] is for a recorder that many cores share.
    pub fn handoff(mut self, handoff: Handoff) -> Self {
        self.handoff = handoff;
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
    /// Recorders with a change listener, and recorders that were created directly, always process events at once.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = Some(interval);
        self
    }

    /// Code that runs when the recorder starts and when it stops. It costs nothing for each event.
    ///
    /// It runs inside of the [hooks of the runtime](crate::MetricsRuntimeBuilder::hooks): these start first and stop last. A second
    /// call replaces the hooks of the first.
    pub fn hooks(mut self, hooks: impl RecorderHooks) -> Self {
        self.hooks.set_lifecycle(hooks);
        self
    }

    /// Code that runs after each event that changed a metric. The recorder then applies one event at a time.
    ///
    /// It runs after the [listener of the runtime](crate::MetricsRuntimeBuilder::change_listener). A second call replaces the
    /// listener of the first. One value can be both hooks and listener:
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use mvx_metrics::{ChangeListener, HookError, MetricChange, RecorderContext, RecorderHooks, RecorderOptions};
    ///
    /// struct Publisher;
    ///
    /// impl RecorderHooks for Publisher {
    ///     async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
    ///         eprintln!("{} ends", recorder.entity_id());
    ///         Ok(())
    ///     }
    /// }
    ///
    /// impl ChangeListener for Publisher {
    ///     async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
    ///         eprintln!("{} changed", change.metric_name());
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let publisher = Arc::new(Publisher);
    /// let options = RecorderOptions::new().hooks(Arc::clone(&publisher)).change_listener(publisher);
    /// # drop(options);
    /// ```
    pub fn change_listener(mut self, listener: impl ChangeListener) -> Self {
        self.hooks.set_listener(listener);
        self
    }
}

/// The settings of a recorder without options.
pub(crate) struct RecorderDefaults {
    /// The id in the runtime.
    pub(crate) recorder_id: Option<Arc<str>>,
    pub(crate) entity_id: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) queue_max_size: u64,
    pub(crate) overflow: QueueOverflowPolicy,
    pub(crate) log_policy: LogPolicy,
    pub(crate) poll_interval: Duration,
    pub(crate) hook_timeout: Duration,
    /// The hooks of the runtime.
    pub(crate) hooks: Hooks,
}

impl RecorderDefaults {
    /// The defaults of recorders that are created directly, without an entity id.
    pub(super) fn direct() -> Self {
        Self {
            recorder_id: None,
            entity_id: Arc::from(""),
            namespace: Arc::from(DEFAULT_NAMESPACE),
            queue_max_size: DEFAULT_QUEUE_MAX_SIZE as u64,
            overflow: QueueOverflowPolicy::Error,
            log_policy: LogPolicy::default(),
            poll_interval: Duration::ZERO,
            hook_timeout: DEFAULT_SHUTDOWN_TIMEOUT,
            hooks: Hooks::default(),
        }
    }

    pub(super) fn into_settings(self) -> Settings {
        Settings {
            recorder_id: self.recorder_id,
            entity_id: self.entity_id,
            namespace: self.namespace,
            queue_max_size: self.queue_max_size,
            overflow: self.overflow,
            handoff: Handoff::Ordered,
            log_policy: self.log_policy,
            metric_failure: MetricFailurePolicy::default(),
            poll_interval: self.poll_interval,
            hook_timeout: self.hook_timeout,
        }
    }
}

impl RecorderOptions {
    /// Checks the options and completes them with defaults.
    pub(crate) fn resolve(
        self,
        defaults: impl FnOnce() -> RecorderDefaults,
    ) -> Result<(Settings, Hooks), InvalidArgument> {
        let queue_max_size =
            self.queue_max_size.map(|events| check_queue_max_size("queue_max_size", events)).transpose()?;
        let poll_interval = self.poll_interval.map(check_poll_interval).transpose()?;
        let mut defaults = defaults();
        let hooks = std::mem::take(&mut defaults.hooks).around(self.hooks);
        let mut settings = defaults.into_settings();
        settings.metric_failure = self.metric_failure_policy;
        settings.handoff = self.handoff;
        if settings.handoff == Handoff::PerThread && !hooks.is_empty() {
            return Err(InvalidArgument {
                argument: "handoff",
                problem: "with hooks or a change listener must be `Ordered`",
            });
        }
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
        Ok((settings, hooks))
    }
}
