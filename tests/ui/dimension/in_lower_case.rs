use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobFinished))]
struct Jobs {
    total: counter,
}

fn main() {}
