use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 2 errors

#[metric_event]
struct Request {
    host: String,
}

type Total = Counter;

#[derive(Metric, Default)]
#[metric(on(Request), by = host, limit = 100)]
struct Requests {
    per_host: Breakdown<String, Counter>,
    total: Total,
}

fn main() {}
