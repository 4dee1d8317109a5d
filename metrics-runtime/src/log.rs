//! Logging: what recorders and runtimes say about themselves, through `tracing`.

use std::error::Error;
use std::fmt;
use std::time::Instant;

use crate::unwind;

/// What a runtime or a recorder logs. The events are emitted under the targets `mvx_metrics::runtime` and
/// `mvx_metrics::recorder`; registering an event is never logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LogPolicy {
    /// Nothing.
    Silent,
    /// Lifecycle operations and failures.
    #[default]
    Normal,
    /// The same and the calls that only read: getting and listing recorders, snapshots, iterating over metrics.
    Inspection,
}

/// Which operations a policy lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Lifecycle,
    Read,
}

impl LogPolicy {
    fn lets_through(self, kind: Kind) -> bool {
        match self {
            Self::Silent => false,
            Self::Normal => kind == Kind::Lifecycle,
            Self::Inspection => true,
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    Runtime,
    Recorder,
}

/// An operation that is logged as `invoke`, then as `success` or `failed` with the time it took.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    speaker: Speaker,
    silent: bool,
    event: &'static str,
    started: Instant,
}

impl Operation {
    pub(crate) fn new(speaker: Speaker, policy: LogPolicy, kind: Kind, event: &'static str) -> Self {
        Self { speaker, silent: !policy.lets_through(kind), event, started: Instant::now() }
    }

    /// The same operation under another policy.
    pub(crate) fn with_policy(self, policy: LogPolicy) -> Self {
        Self { silent: policy == LogPolicy::Silent, ..self }
    }

    /// Whether its end is not logged.
    pub(crate) fn is_silent(self) -> bool {
        self.silent
    }

    /// Logs the invocation.
    pub(crate) fn invoke(self, entity_id: &str, metric: Option<&str>, state: impl fmt::Display) -> Self {
        let Self { speaker, silent, event, .. } = self;
        if silent {
            return self;
        }
        // A subscriber is somebody else's code.
        unwind::contain(|| match speaker {
            Speaker::Runtime => tracing::debug!(
                target: "mvx_metrics::runtime", event, phase = "invoke", entity_id, metric, %state
            ),
            Speaker::Recorder => tracing::debug!(
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
        let Self { speaker, silent, event, started } = self;
        if silent {
            return;
        }
        let elapsed_seconds = started.elapsed().as_secs_f64();
        unwind::contain(|| match (result, speaker) {
            (Ok(_), Speaker::Runtime) => tracing::info!(
                target: "mvx_metrics::runtime", event, phase = "success", entity_id, metric, %state, elapsed_seconds
            ),
            (Ok(_), Speaker::Recorder) => tracing::info!(
                target: "mvx_metrics::recorder", event, phase = "success", entity_id, metric, %state, elapsed_seconds
            ),
            (Err(error), Speaker::Runtime) => tracing::warn!(
                target: "mvx_metrics::runtime",
                event, phase = "failed", entity_id, metric, %state, elapsed_seconds, error = %Chain(error)
            ),
            (Err(error), Speaker::Recorder) => tracing::warn!(
                target: "mvx_metrics::recorder",
                event, phase = "failed", entity_id, metric, %state, elapsed_seconds, error = %Chain(error)
            ),
        });
    }
}

/// Logs an error of the infrastructure itself, unless the policy is silence.
pub(crate) fn infrastructure_error(
    policy: LogPolicy,
    event: &'static str,
    entity_id: &str,
    metric: Option<&str>,
    state: impl fmt::Display,
    error: &(dyn Error + 'static),
) {
    if policy != LogPolicy::Silent {
        unwind::contain(|| {
            tracing::error!(
                target: "mvx_metrics::recorder", event, entity_id, metric, %state, error = %Chain(error)
            );
        });
    }
}

/// Logs what keeps the outside world from seeing everything.
#[cfg(feature = "openmetrics")]
pub(crate) fn export_warning(event: &'static str, error: &dyn fmt::Display) {
    unwind::contain(|| tracing::warn!(target: "mvx_metrics::export", event, error = %error));
}

/// An error followed by its sources.
struct Chain<'a, E: ?Sized>(&'a E);

impl<E: Error + ?Sized> fmt::Display for Chain<'_, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Errors of users may be their own source.
        const LONGEST: usize = 16;
        let text = |error: &dyn fmt::Display| {
            unwind::catch(|| error.to_string()).unwrap_or_else(|panic| format!("an error that {panic}"))
        };
        formatter.write_str(&text(&self.0))?;
        let mut last: &dyn Error = &self.0;
        for _ in 0..LONGEST {
            let Some(source) = unwind::catch(|| last.source()).ok().flatten() else {
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
