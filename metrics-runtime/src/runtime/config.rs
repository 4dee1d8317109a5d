//! The settings of a runtime, complete and checked.

use std::time::Duration;

use crate::engine::QueueOverflowPolicy;
use crate::hooks::Hooks;
use crate::log::LogPolicy;
use crate::totals::ConstantLabels;

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) namespace: String,
    pub(super) labels: ConstantLabels,
    pub(super) queue_max_size: usize,
    pub(super) queue_overflow_policy: QueueOverflowPolicy,
    pub(super) log_policy: LogPolicy,
    pub(super) startup_timeout: Duration,
    pub(super) shutdown_timeout: Duration,
    pub(super) poll_interval: Duration,
    pub(super) thread_stack_size: Option<usize>,
    /// The hooks of all recorders.
    pub(super) hooks: Hooks,
}
