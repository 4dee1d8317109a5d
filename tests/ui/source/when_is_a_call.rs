use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

fn is_big(e: &JobFinished) -> bool { e.items > 9 }

#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobFinished))]
struct Jobs {
    #[dimension(when = is_big())]
    n: Counter,
}

fn main() {}
