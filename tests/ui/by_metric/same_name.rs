use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct HostStats {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Requests {
    per_host_total: Counter,
    #[dimension(by = host, limit = 100)]
    per_host: Breakdown<String, HostStats>,
}

fn main() {}
