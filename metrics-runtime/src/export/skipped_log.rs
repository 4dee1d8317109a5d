//! Which skipped dimensions were logged already.

use std::collections::HashSet;

use crate::sync::Mutex;

use super::family::Skipped;
use crate::log::LogPolicy;
use crate::panics;

/// The skipped dimensions that were logged already.
#[derive(Debug, Default)]
pub(crate) struct SkippedLog(Mutex<HashSet<Skipped>>);

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
