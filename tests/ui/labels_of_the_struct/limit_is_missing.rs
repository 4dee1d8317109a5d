use mvx_metrics::{Breakdown, Counter, Metric, Sum, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = host)]
struct Requests {
    per_host: Breakdown<String, Counter>,
    #[dimension(value = bytes)]
    bytes: Breakdown<String, Sum<u64>>,
}

fn main() {}
