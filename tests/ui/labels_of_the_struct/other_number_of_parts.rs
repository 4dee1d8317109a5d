use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = host, limit = 100)]
struct Requests {
    // <event field> = host
    // <event field> = cached
    per_host: Breakdown<(String, bool), Counter>,
}

fn main() {}
