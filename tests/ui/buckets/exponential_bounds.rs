use mvx_metrics::*; //~ 4 errors
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
    #[dimension(value = load, buckets = exponential(1, 1e200, 4))]
    infinite: Histogram<f64>,
    #[dimension(value = bytes, buckets = exponential(1, 2, 65))]
    too_large: Histogram<u64>,
    #[dimension(value = bytes, buckets = exponential(1, 1.1, 10))]
    equal: Histogram<u64>,
    #[dimension(value = elapsed, buckets = exponential(1e-9, 1.2, 3))]
    less_than_a_nanosecond: Histogram<Duration>,
}

fn main() {}
