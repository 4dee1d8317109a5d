//! What a pusher logs: each state once, until it changes.

use std::collections::HashSet;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mvx_metrics::LogPolicy;

use super::Result;
use crate::answer::PartialSuccess;
use crate::encoder::LeftOutDimension;
use crate::error::OtlpError;

/// How many dimensions that are left out have lines of their own.
const MAX_LEFT_OUT: usize = 1_000;

/// The log of one pusher.
pub(super) struct Log {
    is_silent: bool,
    namespace: String,
    /// Host and port of the collector.
    collector: String,
    /// Why the last pushes failed, and how many of them.
    failing: Option<(OtlpError, u64)>,
    /// Whether the collector rejects points, or warns.
    is_partial: bool,
    is_unreadable: bool,
    /// The dimensions whose line was written.
    left_out: HashSet<LeftOutDimension>,
}

impl Log {
    pub(super) fn new(namespace: &str, policy: LogPolicy, collector: String) -> Self {
        Self {
            is_silent: policy == LogPolicy::Silent,
            namespace: namespace.to_owned(),
            collector,
            failing: None,
            is_partial: false,
            is_unreadable: false,
            left_out: HashSet::new(),
        }
    }

    /// The result of a push. The first failure of its kind has a line, and the first success after failures.
    pub(super) fn pushed(&mut self, result: &Result<()>) {
        let Self { is_silent, namespace, collector, failing, .. } = self;
        let is_silent = *is_silent;
        match (result, failing) {
            (Ok(()) | Err(OtlpError::Rejected { .. }), failing) => {
                if let Some((_, failed_pushes)) = failing.take() {
                    line(is_silent, || {
                        tracing::info!(
                            target: "mvx_metrics_otlp", event = "metrics_otlp.push", namespace, collector,
                            phase = "success", failed_pushes
                        );
                    });
                }
            }
            (Err(error), Some((last, failed_pushes))) if error.is_like(last) => *failed_pushes += 1,
            (Err(error), failing) => {
                let before = failing.as_ref().map_or(0, |(_, failed_pushes)| *failed_pushes);
                *failing = Some((error.clone(), before + 1));
                line(is_silent, || {
                    tracing::warn!(
                        target: "mvx_metrics_otlp", event = "metrics_otlp.push", namespace, collector,
                        phase = "failed", reason = error.reason(), error = chain(error)
                    );
                });
            }
        }
    }

    /// What the collector says about the requests of a push that it has taken.
    pub(super) fn partial(&mut self, said: &PartialSuccess) {
        let was_partial = std::mem::replace(&mut self.is_partial, *said != PartialSuccess::default());
        if self.is_partial && !was_partial {
            let Self { namespace, collector, .. } = &*self;
            let PartialSuccess { rejected, message } = said;
            line(self.is_silent, || {
                tracing::warn!(
                    target: "mvx_metrics_otlp", event = "metrics_otlp.partial_success", namespace, collector,
                    rejected_points = rejected, error = message
                );
            });
        }
    }

    /// The first answer that cannot be read.
    pub(super) fn unreadable(&mut self) {
        if !std::mem::replace(&mut self.is_unreadable, true) {
            let Self { namespace, collector, .. } = &*self;
            line(self.is_silent, || {
                tracing::warn!(
                    target: "mvx_metrics_otlp", event = "metrics_otlp.unreadable_answer", namespace, collector,
                    error = "the body of an answer is broken, too large, or no message of OTLP"
                );
            });
        }
    }

    /// What a push does not contain: each dimension once.
    pub(super) fn left_out(&mut self, left_out: &[LeftOutDimension]) {
        for dimension in left_out {
            if self.left_out.len() >= MAX_LEFT_OUT || !self.left_out.insert(dimension.clone()) {
                continue;
            }
            let Self { namespace, collector, .. } = &*self;
            line(self.is_silent, || {
                tracing::warn!(
                    target: "mvx_metrics_otlp", event = "metrics_otlp.left_out", namespace, collector,
                    error = %dimension
                );
            });
        }
    }

    /// The end of the pusher, with the result of the last push.
    pub(super) fn ended(&self, last: &Result<()>) {
        let Self { namespace, collector, .. } = self;
        line(self.is_silent, || match last {
            Ok(()) => tracing::info!(
                target: "mvx_metrics_otlp", event = "metrics_otlp.shutdown", namespace, collector,
                phase = "success"
            ),
            Err(error) => tracing::warn!(
                target: "mvx_metrics_otlp", event = "metrics_otlp.shutdown", namespace, collector,
                phase = "failed", reason = error.reason(), error = chain(error)
            ),
        });
    }
}

/// Writes a line. A subscriber is user code, and may panic.
fn line(is_silent: bool, write: impl FnOnce()) {
    if is_silent {
        return;
    }
    if let Err(payload) = catch_unwind(AssertUnwindSafe(write)) {
        // Its `Drop` may panic too.
        std::mem::forget(payload);
    }
}

/// An error with its sources.
fn chain(error: &OtlpError) -> String {
    /// An error may be its own source.
    const MAX_SOURCES: usize = 16;
    let mut text = error.to_string();
    let mut next = error.source();
    for _ in 0..MAX_SOURCES {
        let Some(source) = next else { break };
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
