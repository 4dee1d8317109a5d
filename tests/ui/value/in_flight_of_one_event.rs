use mvx_metrics::*; //~ 1 error

#[metric_event]
pub struct JobStarted;

#[derive(Metric, Default)]
#[metric(name = "jobs")]
struct Jobs {
    #[dimension(on(JobStarted, add, sub))]
    n: InFlight,
}

fn main() {}
