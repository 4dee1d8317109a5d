//! Branch `push` writes this file and those below `pusher/`.

use std::time::Duration;

use mvx_metrics::MetricsRuntime;

use crate::options::OtlpOptions;

/// Why a pusher could not be started, or a push did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {}

/// What a pusher has done.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PushStats {}

/// Pushes the totals of a runtime.
#[derive(Debug)]
pub struct OtlpPusher {}

impl OtlpPusher {
    /// Starts to push.
    pub fn start(_runtime: &MetricsRuntime, _options: OtlpOptions) -> Result<Self, OtlpError> {
        unimplemented!("branch push")
    }

    /// Pushes now, and waits for the answer.
    pub fn push(&self) -> Result<(), OtlpError> {
        unimplemented!("branch push")
    }

    /// What the pusher has done so far.
    pub fn stats(&self) -> PushStats {
        unimplemented!("branch push")
    }

    /// Pushes the last state, and ends.
    pub fn shutdown(self, _timeout: Duration) -> Result<PushStats, OtlpError> {
        unimplemented!("branch push")
    }
}
