use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 3 errors

#[metric_event]
struct Request {
    host: String,
}

#[derive(Default)]
struct HostStats;

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Requests {
    #[dimension(by = host, limit = 100)]
    per_host: Breakdown<String, HostStats>,
    total: Counter,
}

fn main() {}
