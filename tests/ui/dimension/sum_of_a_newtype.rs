use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

#[derive(Default)]
pub struct Bytes(u64);

#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobFinished))]
struct Jobs {
    #[dimension(value = |e| Bytes(e.items))]
    n: Sum<Bytes>,
}

fn main() {}
