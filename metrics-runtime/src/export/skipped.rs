//! Skipped dimensions, and which of them were logged already.

use std::collections::HashSet;
use std::fmt;

use crate::sync::Mutex;

use crate::log::LogPolicy;
use crate::panics;

/// A dimension that an exposition does not show, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Skipped {
    /// The metric's name.
    pub metric: String,
    /// The dimension's name; empty when several dimensions or the whole metric are skipped.
    pub dimension: String,
    /// The name of the family that the dimension would belong to.
    pub family: String,
    /// Why the exposition does not show the dimension.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, dimension, family, reason } = self;
        if dimension.is_empty() {
            return write!(formatter, "values of the metric `{metric}` are skipped: {reason}");
        }
        write!(
            formatter,
            "`{dimension}` of the metric `{metric}` is skipped in the family `{family}`: {reason}"
        )
    }
}

/// The skipped dimensions that were logged already.
#[derive(Debug, Default)]
pub(super) struct SkippedLog(Mutex<HashSet<Skipped>>);

impl SkippedLog {
    /// Further skipped dimensions are not logged; the expositions list them all.
    const MAX_LOGGED: usize = 1_000;

    pub(super) fn log(&self, policy: LogPolicy, skipped: &[Skipped]) {
        if skipped.is_empty() || policy == LogPolicy::Silent {
            return;
        }
        for skipped in skipped.iter().filter(|skipped| self.insert(skipped)) {
            warn("metrics_export.skipped", skipped);
        }
    }

    /// Returns whether the dimension was not logged before and is to be logged now.
    fn insert(&self, skipped: &Skipped) -> bool {
        let mut logged = self.0.lock();
        logged.len() < Self::MAX_LOGGED && logged.insert(skipped.clone())
    }
}

/// Logs why an exposition is incomplete, or why a scrape was not answered. A subscriber is user code, and may panic.
pub(crate) fn warn(event: &'static str, error: &dyn std::fmt::Display) {
    panics::catch_and_ignore(|| tracing::warn!(target: "mvx_metrics::export", event, error = %error));
}
