//! Logging: the operations and failures of recorders and runtimes, through `tracing`.

use std::error::Error;
use std::fmt;
use std::time::Instant;

use crate::panics;
use crate::thread_role;

/// What a runtime or a recorder logs. The events are emitted under the targets `mvx_metrics::runtime` and
/// `mvx_metrics::recorder`; registering an event is never logged.
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

/// An operation that is logged as `invoke`, then as `success` or `failed` with the time it took.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    target: LogTarget,
    silent: bool,
    event: &'static str,
    started: Instant,
}

impl Operation {
    pub(crate) fn new(
        target: LogTarget,
        policy: LogPolicy,
        kind: OperationKind,
        event: &'static str,
    ) -> Self {
        Self { target, silent: !policy.enables(kind), event, started: Instant::now() }
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
    pub(crate) fn invoke(self, entity_id: &str, metric: Option<&str>, state: impl fmt::Display) -> Self {
        let Self { target, silent, event, .. } = self;
        if silent {
            return self;
        }
        // A subscriber is user code, and may panic.
        panics::catch_and_ignore(|| match target {
            LogTarget::Runtime => tracing::debug!(
                target: "mvx_metrics::runtime", event, phase = "invoke", entity_id, metric, %state
            ),
            LogTarget::Recorder => tracing::debug!(
                target: "mvx_metrics::recorder", event, phase = "invoke", entity_id, metric, %state
            ),
        });
        self
    }

    /// Logs how the operation ended.
    pub(crate) fn end<T, E: Error>(
        self,
        entity_id: &str,
        metric: Option<&str>,
        state: impl fmt::Display,
        result: &Result<T, E>,
    ) {
        let Self { target, silent, event, started } = self;
        // A producer whose event loop has ended may end operations of other threads.
        if silent || thread_role::in_producer() {
            return;
        }
        let elapsed_seconds = started.elapsed().as_secs_f64();
        panics::catch_and_ignore(|| match (result, target) {
            (Ok(_), LogTarget::Runtime) => tracing::info!(
                target: "mvx_metrics::runtime", event, phase = "success", entity_id, metric, %state, elapsed_seconds
            ),
            (Ok(_), LogTarget::Recorder) => tracing::info!(
                target: "mvx_metrics::recorder", event, phase = "success", entity_id, metric, %state, elapsed_seconds
            ),
            (Err(error), LogTarget::Runtime) => tracing::warn!(
                target: "mvx_metrics::runtime",
                event, phase = "failed", entity_id, metric, %state, elapsed_seconds, error = %Chain(error)
            ),
            (Err(error), LogTarget::Recorder) => tracing::warn!(
                target: "mvx_metrics::recorder",
                event, phase = "failed", entity_id, metric, %state, elapsed_seconds, error = %Chain(error)
            ),
        });
    }
}

impl Operation {
    /// As [`end`](Self::end). With losses the line is a WARN that has them, also if the operation has succeeded.
    pub(crate) fn end_with_losses<T, E: Error>(
        self,
        entity_id: &str,
        state: impl fmt::Display,
        result: &Result<T, E>,
        losses: Option<Losses>,
    ) {
        let Some(Losses { dropped, rejected, discarded }) = losses else {
            return self.end(entity_id, None, state, result);
        };
        let Self { target, silent, event, started } = self;
        if silent || thread_role::in_producer() {
            return;
        }
        let elapsed_seconds = started.elapsed().as_secs_f64();
        let phase = if result.is_ok() { "success" } else { "failed" };
        let error = result.as_ref().err().map(Chain).map(tracing::field::display);
        panics::catch_and_ignore(|| match target {
            LogTarget::Runtime => tracing::warn!(
                target: "mvx_metrics::runtime",
                event, phase, entity_id, %state, elapsed_seconds, dropped, rejected, discarded, error
            ),
            LogTarget::Recorder => tracing::warn!(
                target: "mvx_metrics::recorder",
                event, phase, entity_id, %state, elapsed_seconds, dropped, rejected, discarded, error
            ),
        });
    }
}

/// Logs that a full queue drops events: how many since the last such line, the same by type, and how many in all.
pub(crate) fn events_dropped(
    entity_id: &str,
    state: impl fmt::Display,
    dropped: u64,
    by_type: &str,
    total: u64,
) {
    panics::catch_and_ignore(|| {
        tracing::warn!(
            target: "mvx_metrics::recorder",
            event = "metrics_recorder.events_dropped", entity_id, %state, dropped, by_type, total
        );
    });
}

/// Logs that an event was not emitted, because the code that makes it has panicked.
pub(crate) fn event_not_made(entity_id: &str, event_type: &str, panic: &(dyn Error + 'static)) {
    panics::catch_and_ignore(|| {
        tracing::error!(
            target: "mvx_metrics::recorder",
            event = "metrics_recorder.event_not_made", entity_id, event_type, error = %Chain(panic)
        );
    });
}

/// Logs an error of the library's own work, unless the policy is [`LogPolicy::Silent`].
pub(crate) fn infrastructure_error(
    policy: LogPolicy,
    event: &'static str,
    entity_id: &str,
    metric: Option<&str>,
    state: impl fmt::Display,
    error: &(dyn Error + 'static),
) {
    if policy != LogPolicy::Silent {
        panics::catch_and_ignore(|| {
            tracing::error!(
                target: "mvx_metrics::recorder", event, entity_id, metric, %state, error = %Chain(error)
            );
        });
    }
}

/// Logs that a metric took the place of one of the same name, unless the policy is [`LogPolicy::Silent`].
pub(crate) fn metric_replaced(policy: LogPolicy, entity_id: &str, metric: &str, state: impl fmt::Display) {
    if policy != LogPolicy::Silent {
        panics::catch_and_ignore(|| {
            tracing::warn!(
                target: "mvx_metrics::recorder",
                event = "metrics_recorder.metric_replaced", entity_id, metric, %state
            );
        });
    }
}

/// Logs that the metrics of a removed recorder are missing from the totals.
pub(crate) fn late_metrics(entity_id: &str) {
    panics::catch_and_ignore(|| {
        tracing::warn!(
            target: "mvx_metrics::export",
            event = "metrics_export.late",
            entity_id,
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
