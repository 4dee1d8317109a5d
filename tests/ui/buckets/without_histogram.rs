use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(buckets = [1, 2])]
    total: Counter,
    #[dimension(value = bytes, buckets = [1, 2])]
    bytes: Sum<u64>,
}

fn main() {}
