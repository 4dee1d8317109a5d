use mvx_metrics::{Counter, Metric, metric_event}; //~ 2 errors

#[metric_event]
struct Request {
    host: String,
    path: String,
}

#[derive(Metric, Default)]
#[metric(on(Request), by(host, path), limit = 100)]
struct Requests {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Request), by = host, keep = 100)]
struct Largest {
    total: Counter,
}

fn main() {}
