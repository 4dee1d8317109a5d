use mvx_metrics::*; //~ 1 error
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
struct Saves<const N: u64> {
    #[dimension(value = bytes, buckets = [N])]
    sizes: Histogram<u64>,
}

fn main() {}
