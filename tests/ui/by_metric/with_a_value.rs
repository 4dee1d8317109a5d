use mvx_metrics::{Breakdown, Metric, Sum, metric_event}; //~ 4 errors

#[metric_event]
struct Request {
    host: String,
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct HostStats {
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Requests {
    #[dimension(by = host, limit = 100, value = bytes)]
    per_host: Breakdown<String, HostStats>,
    #[dimension(by = host, limit = 100, unit = bytes)]
    with_unit: Breakdown<String, HostStats>,
}

fn main() {}
