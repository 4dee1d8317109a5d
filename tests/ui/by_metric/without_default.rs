use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
}

#[derive(Metric)]
#[metric(on(Request))]
struct HostStats {
    requests: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Requests {
    #[dimension(by = host, limit = 100)]
    per_host: Breakdown<String, HostStats>,
}

fn main() {}
