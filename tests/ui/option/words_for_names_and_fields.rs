use mvx_metrics::*; //~ 6 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Stats {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved), namespace = "storage")]
struct Saves {
    #[dimension(rename = "all")]
    a: Counter,
    #[dimension(ignore)]
    b: Counter,
    #[dimension(prefix = "cache_")]
    c: Counter,
    #[dimension(flatten(name = "cache_"))]
    d: Stats,
    #[dimension(nested)]
    e: Stats,
}

fn main() {}
