use mvx_metrics::{Breakdown, Counter, Metric, Sum, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = |e| e.host.len(), limit = 100)]
struct Requests {
    per_length: Breakdown<usize, Counter>,
    #[dimension(value = bytes)]
    bytes: Breakdown<usize, Sum<u64>>,
}

fn main() {}
