use mvx_metrics::*; //~ 1 error
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
struct Saves<T: Measure> {
    #[dimension(value = bytes, buckets = [1, 2])]
    sizes: Histogram<T>,
}

fn main() {}
