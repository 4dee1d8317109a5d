//! Logging: the operations and failures of recorders and runtimes, through `tracing`.

use std::error::Error;
use std::fmt;
use std::time::Instant;

use crate::error::Reason;
use crate::panics;
use crate::sync::HAS_CLOCK;
use crate::thread_role;

/// What a runtime or a recorder logs, through `tracing`. Registering an event is never logged.
///
/// Without a subscriber nothing is written. With one, everything below is, under the policy `Normal` or `Inspection`. An
/// operation has a line when it is called (DEBUG, `phase = "invoke"`), and a line at its end (INFO, `phase = "success"`, or WARN,
/// `phase = "failed"`). The end of a stop or shutdown that has lost events is WARN too, and has their counts.
///
/// | target | `event` | from |
/// |---|---|---|
/// | `mvx_metrics::runtime` | `metrics_runtime.start`, `.shutdown`, `.create_recorder`, `.stop_recorder`, `.stop_and_remove_recorder` | `Normal` |
/// | | `metrics_runtime.get_recorder`, `.try_get_recorder`, `.list_recorder_ids`, `.snapshot`, `.totals`, `.exposition` | `Inspection` |
/// | `mvx_metrics::recorder` | `metrics_recorder.start`, `.stop`, `.register_metric` | `Normal` |
/// | | `metrics_recorder.metric_replaced` at WARN | `Normal` |
/// | | `metrics_recorder.events_dropped` at WARN: a full queue drops events; at the first drop, then at most once a minute | `Normal` |
/// | | `metrics_recorder.event_not_made` at ERROR: the function of an [`EmitOnDrop`](crate::EmitOnDrop) has panicked | always |
/// | | `metrics_recorder.dispatch_error` at ERROR: a metric, a hook or the task has failed | `Normal` |
/// | | `metrics_recorder.cleanup.failed` at ERROR: the cleanup has failed, or a stop for which no call waits | `Normal` |
/// | | `metrics_recorder.get_metric_snapshots`, `.iter_metrics` | `Inspection` |
/// | `mvx_metrics::export` | `metrics_export.skipped` at WARN: a dimension is not exported | `Normal` |
/// | | `metrics_export.late` at WARN: the metrics of a removed recorder cannot be read yet | `Normal` |
/// | | `metrics_endpoint.accept` at WARN: the system gives no connection | always |
///
/// | field | on |
/// |---|---|
/// | `event` | all lines |
/// | `entity_id` | all lines of recorders and runtimes; a runtime's is its namespace |
/// | `namespace` | all lines of recorders |
/// | `state` | all lines of recorders and runtimes: the state at that moment |
/// | `recorder_id` | `create_recorder`, `get_recorder`, `try_get_recorder`, `stop_recorder`, `stop_and_remove_recorder`: the id that was given, trimmed |
/// | `recorder_entity_id`, `recorder_namespace`, `queue_max_size`, `queue_overflow_policy` | `create_recorder`, unless an option is invalid |
/// | `metric` | `register_metric`, `metric_replaced`, and the `dispatch_error` of a metric: its name |
/// | `phase` | operations |
/// | `elapsed_seconds` | the ends of operations |
/// | `dropped`, `rejected`, `discarded` | the ends of stops and shutdowns that have lost events: how many, over the recorder's life |
/// | `dropped`, `by_type`, `total`, `queue_max_size` | `events_dropped`: how many since the last such line, the same by event type, how many in all; the limit |
/// | `event_type` | `event_not_made` |
/// | `reason` | failures but `event_not_made`: the stable code, as `reason()` of the error gives it |
/// | `error` | failures: the error with its sources, joined by `: ` |
///
/// `metrics_export.late` has `recorder_id`, `entity_id`, `namespace` and `error`. The other lines of `mvx_metrics::export` have
/// `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LogPolicy {
    /// Nothing.
    Silent,
    /// Lifecycle operations, failures, and lost events.
    #[default]
    Normal,
    /// The same and the calls that only read: getting and listing recorders, snapshots, iterating over metrics.
    Inspection,
}

/// The two kinds of operations that a policy tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationKind {
    Lifecycle,
    Read,
}

impl LogPolicy {
    fn enables(self, kind: OperationKind) -> bool {
        match self {
            Self::Silent => false,
            Self::Normal => kind == OperationKind::Lifecycle,
            Self::Inspection => true,
        }
    }
}

/// The events that a recorder, or all recorders of a runtime, have lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Losses {
    pub(crate) dropped: u64,
    pub(crate) rejected: u64,
    pub(crate) discarded: u64,
}

impl Losses {
    pub(crate) fn add(&mut self, other: Self) {
        let Self { dropped, rejected, discarded } = other;
        self.dropped = self.dropped.saturating_add(dropped);
        self.rejected = self.rejected.saturating_add(rejected);
        self.discarded = self.discarded.saturating_add(discarded);
    }

    /// `None` without losses.
    pub(crate) fn unless_none(self) -> Option<Self> {
        Some(self).filter(|losses| *losses != Self::default())
    }
}

/// The `tracing` target of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogTarget {
    Runtime,
    Recorder,
}

/// What a log line is about.
#[derive(Clone, Copy, Default)]
pub(crate) struct Subject<'a> {
    /// The measured entity of a recorder, or the namespace of a runtime.
    pub(crate) entity_id: &'a str,
    /// The namespace of a recorder.
    pub(crate) namespace: Option<&'a str>,
    /// The metric of a recorder.
    pub(crate) metric: Option<&'a str>,
    /// The id of the recorder that an operation of a runtime is about.
    pub(crate) recorder_id: Option<&'a str>,
    /// The recorder that a runtime creates.
    pub(crate) new_recorder: Option<NewRecorder<'a>>,
}

/// The settings with which a runtime creates a recorder.
#[derive(Clone, Copy)]
pub(crate) struct NewRecorder<'a> {
    pub(crate) entity_id: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) queue_max_size: u64,
    pub(crate) queue_overflow_policy: &'a dyn fmt::Debug,
}

/// Writes a line with the fields of its subject, and further ones. A subscriber is user code, and may panic.
macro_rules! log_line {
    ($level:ident, $target:expr, $event:expr, $subject:expr, $($fields:tt)+) => {
        panics::catch_and_ignore(|| {
            let (event, Subject { entity_id, namespace, metric, recorder_id, new_recorder }) = ($event, $subject);
            match $target {
                LogTarget::Runtime => tracing::$level!(
                    target: "mvx_metrics::runtime", event, entity_id, recorder_id,
                    recorder_entity_id = new_recorder.map(|recorder| recorder.entity_id),
                    recorder_namespace = new_recorder.map(|recorder| recorder.namespace),
                    queue_max_size = new_recorder.map(|recorder| recorder.queue_max_size),
                    queue_overflow_policy = new_recorder.map(|recorder| tracing::field::debug(recorder.queue_overflow_policy)),
                    $($fields)+
                ),
                LogTarget::Recorder => tracing::$level!(
                    target: "mvx_metrics::recorder", event, entity_id, namespace, metric, $($fields)+
                ),
            }
        })
    };
}

/// An operation that is logged as `invoke`, then as `success` or `failed` with the time it took.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    target: LogTarget,
    silent: bool,
    event: &'static str,
    /// `None` where there is no clock.
    started: Option<Instant>,
}

impl Operation {
    pub(crate) fn new(
        target: LogTarget,
        policy: LogPolicy,
        kind: OperationKind,
        event: &'static str,
    ) -> Self {
        Self { target, silent: !policy.enables(kind), event, started: HAS_CLOCK.then(Instant::now) }
    }

    /// The same operation under another policy.
    pub(crate) fn with_policy(self, policy: LogPolicy) -> Self {
        Self { silent: policy == LogPolicy::Silent, ..self }
    }

    /// Whether the policy disables the operation's log lines.
    pub(crate) fn is_silent(self) -> bool {
        self.silent
    }

    /// Logs the invocation.
    pub(crate) fn invoke(self, subject: Subject<'_>, state: impl fmt::Display) -> Self {
        let Self { target, silent, event, .. } = self;
        if !silent {
            log_line!(debug, target, event, subject, phase = "invoke", %state);
        }
        self
    }

    /// Logs how the operation ended.
    pub(crate) fn end<T, E: Reason>(
        self,
        subject: Subject<'_>,
        state: impl fmt::Display,
        result: &Result<T, E>,
    ) {
        self.end_with_losses(subject, state, result, None);
    }

    /// As [`end`](Self::end). With losses the line is a WARN that has them, also if the operation has succeeded.
    pub(crate) fn end_with_losses<T, E: Reason>(
        self,
        subject: Subject<'_>,
        state: impl fmt::Display,
        result: &Result<T, E>,
        losses: Option<Losses>,
    ) {
        let Self { target, silent, event, started } = self;
        // A producer whose event loop has ended may end operations of other threads.
        if silent || thread_role::in_producer() {
            return;
        }
        let elapsed_seconds = started.map(|started| started.elapsed().as_secs_f64());
        let phase = if result.is_ok() { "success" } else { "failed" };
        if result.is_ok() && losses.is_none() {
            return log_line!(info, target, event, subject, phase, %state, elapsed_seconds);
        }
        let error = result.as_ref().err();
        log_line!(
            warn, target, event, subject, phase, %state, elapsed_seconds,
            dropped = losses.map(|losses| losses.dropped),
            rejected = losses.map(|losses| losses.rejected),
            discarded = losses.map(|losses| losses.discarded),
            reason = error.map(Reason::reason),
            error = error.map(|error| tracing::field::display(Chain(error)))
        );
    }
}

/// Logs that a full queue drops events: how many since the last such line, the same by type, how many in all, and
/// the limit.
pub(crate) fn events_dropped(
    subject: Subject<'_>,
    state: impl fmt::Display,
    dropped: u64,
    by_type: &str,
    total: u64,
    queue_max_size: u64,
) {
    let event = "metrics_recorder.events_dropped";
    log_line!(warn, LogTarget::Recorder, event, subject, %state, dropped, by_type, total, queue_max_size);
}

/// Logs that an event was not emitted, because the code that makes it has panicked.
pub(crate) fn event_not_made(
    subject: Subject<'_>,
    state: impl fmt::Display,
    event_type: &str,
    panic: &(dyn Error + 'static),
) {
    let (event, error) = ("metrics_recorder.event_not_made", Chain(panic));
    log_line!(error, LogTarget::Recorder, event, subject, %state, event_type, %error);
}

/// Logs an error of the library's own work, unless the policy is [`LogPolicy::Silent`].
pub(crate) fn infrastructure_error(
    policy: LogPolicy,
    event: &'static str,
    subject: Subject<'_>,
    state: impl fmt::Display,
    reason: &'static str,
    error: &(dyn Error + 'static),
) {
    if policy != LogPolicy::Silent {
        let error = Chain(error);
        log_line!(error, LogTarget::Recorder, event, subject, %state, reason, %error);
    }
}

/// Logs that a metric took the place of one of the same name, unless the policy is [`LogPolicy::Silent`].
pub(crate) fn metric_replaced(policy: LogPolicy, subject: Subject<'_>, state: impl fmt::Display) {
    if policy != LogPolicy::Silent {
        let event = "metrics_recorder.metric_replaced";
        log_line!(warn, LogTarget::Recorder, event, subject, %state);
    }
}

/// Logs that the metrics of a removed recorder are missing from the totals.
pub(crate) fn late_metrics(recorder_id: &str, entity_id: &str, namespace: &str) {
    panics::catch_and_ignore(|| {
        tracing::warn!(
            target: "mvx_metrics::export",
            event = "metrics_export.late",
            recorder_id,
            entity_id,
            namespace,
            error = "a handler or a reader holds the metrics of a removed recorder: the totals lack them until then"
        );
    });
}

/// An error followed by its sources.
struct Chain<'a, E: ?Sized>(&'a E);

impl<E: Error + ?Sized> fmt::Display for Chain<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A user's error may be its own source.
        const MAX_SOURCES: usize = 16;
        let text = |error: &dyn fmt::Display| {
            panics::catch(|| error.to_string())
                .unwrap_or_else(|panic| format!("an error whose message {panic}"))
        };
        formatter.write_str(&text(&self.0))?;
        let mut last: &dyn Error = &self.0;
        for _ in 0..MAX_SOURCES {
            let Some(source) = panics::catch(|| last.source()).ok().flatten() else {
                break;
            };
            write!(formatter, ": {}", text(&source))?;
            last = source;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error that cannot say where it came from.
    #[derive(Debug)]
    struct Sourceless;

    impl fmt::Display for Sourceless {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("it broke")
        }
    }

    impl Error for Sourceless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("no source")
        }
    }

    #[test]
    fn an_error_whose_source_panics_is_shown_without_it() {
        assert_eq!(Chain(&Sourceless).to_string(), "it broke");
    }
}
