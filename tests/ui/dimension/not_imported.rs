use mvx_metrics::{Metric, metric_event}; //~ 1 error

#[metric_event]
struct Done;

#[derive(Metric)]
#[metric(on(Done))]
struct Jobs {
    total: Counter,
}

fn main() {}
