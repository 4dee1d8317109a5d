use mvx_metrics::*;
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

pub struct JobsSnapshot;

#[derive(Metric, Default)]
#[metric(on(JobFinished))]
struct Jobs { total: Counter }

fn main() {}
