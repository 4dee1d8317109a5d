use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
pub struct JobFinished {
    pub elapsed: Duration,
    pub items: u64,
    pub ok: bool,
}

#[derive(Metric, Default)]
#[metric(name = "jobs", on(JobFinished, with = on_event))]
struct Jobs {
    #[dimension(manual)]
    total: Counter,
}
impl Jobs { fn on_event(&mut self, e: &JobFinished) -> bool { e.ok } }

fn main() {}
