use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

impl JobFinished { pub fn items_twice(&self) -> u64 { self.items * 2 } }

#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobFinished))]
struct Jobs {
    #[dimension(value = items_twice())]
    size: Sum<u64>,
}

fn main() {}
