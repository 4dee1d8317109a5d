use mvx_metrics::{Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
}

#[derive(Metric, Default)]
#[metric(on(Request), limit = 100)]
struct Requests {
    total: Counter,
}

fn main() {}
