use mvx_metrics::{Breakdown, Counter, Metric, Sum, metric_event}; //~ 3 errors

#[metric_event]
struct Request {
    host: String,
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = host, limit = 0)]
struct None {
    per_host: Breakdown<String, Counter>,
    #[dimension(value = bytes)]
    bytes: Breakdown<String, Sum<u64>>,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = host, keep = 10)]
struct NoTop {
    per_host: Breakdown<&'static str, Counter>,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = host, limit = 10, keep = 10)]
struct AlsoNoTop {
    per_host: Breakdown<String, Counter>,
}

fn main() {}
