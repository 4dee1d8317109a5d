use mvx_metrics::{Breakdown, Metric, Sum, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
    bytes: u64,
}

type Bytes = Sum<u64>;

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Requests {
    // <event field> = bytes
    #[dimension(by = host, limit = 100)]
    per_host: Breakdown<String, Bytes>,
}

fn main() {}
