use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

const fn bounds() -> [f64; 2] { [0.1, 0.2] }

#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobFinished))]
struct Jobs {
    #[dimension(value = elapsed, buckets = bounds)]
    h: Histogram<Duration>,
}

fn main() {}
