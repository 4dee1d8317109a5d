use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
}

#[derive(Metric, Default)]
#[metric(on(Request), limit = 100)]
struct Requests {
    #[dimension(by = host)]
    per_host: Breakdown<String, Counter>,
}

fn main() {}
