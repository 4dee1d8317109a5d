use mvx_metrics::*; //~ 3 errors
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

#[derive(Metric, Default)]
#[metric(on(JobFinished))]
struct Jobs {
    total: Counter,
    #[dimension(flatten)]
    jobs: Jobs,
}

fn main() {}
