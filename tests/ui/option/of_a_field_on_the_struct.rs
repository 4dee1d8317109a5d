use mvx_metrics::*; //~ 3 errors
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
#[metric(on(Saved), buckets = [1, 2], skip, unit = bytes)]
struct Saves {
    a: Counter,
}

fn main() {}
