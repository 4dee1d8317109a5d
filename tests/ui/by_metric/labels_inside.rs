use mvx_metrics::{Breakdown, Counter, Metric, metric_event}; //~ 1 error

#[metric_event]
struct Request {
    host: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct HostStats {
    #[dimension(by = cached)]
    by_cached: Breakdown<bool, Counter>,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct SiteStats {
    #[dimension(by = cached)]
    per_cached: Breakdown<bool, Hosts>,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Hosts {
    requests: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Request))]
struct Requests {
    #[dimension(by = host, limit = 100)]
    per_host: Breakdown<String, HostStats>,
    #[dimension(by = host, limit = 100)]
    per_site: Breakdown<String, SiteStats>,
}

fn main() {}
