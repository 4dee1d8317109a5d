use mvx_metrics::*; //~ 1 error
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
    #[dimension(skip)]
    note: std::rc::Rc<u8>,
}

fn main() {}
