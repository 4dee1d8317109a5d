use mvx_metrics::*; //~ 4 errors
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

#[derive(Metric, Default)]
#[metric(on(JobFinished), crate = nowhere)]
struct Jobs {
    total: Counter,
}

fn main() {}
