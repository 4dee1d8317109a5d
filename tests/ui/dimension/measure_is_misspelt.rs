use mvx_metrics::*; //~ 2 errors
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
    #[dimension(value = items)]
    n: Sum<u46>,
}

fn main() {}
