use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Inner {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = host, limit = 100)]
struct Requests {
    #[dimension(by = cached)]
    by_cached: Breakdown<bool, Counter>,
    #[dimension(flatten)]
    inner: Inner,
}

fn main() {}
