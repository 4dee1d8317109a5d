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
    #[dimension(value = load, buckets = exponential(0, 2, 4))]
    from_zero: Histogram<f64>,
    #[dimension(value = bytes, buckets = exponential(1, 1, 4))]
    constant: Histogram<u64>,
    #[dimension(value = elapsed, buckets = exponential(0.001, 2, 0))]
    none: Histogram<Duration>,
    #[dimension(value = elapsed, buckets = exponential(0.001, 2, 4.5))]
    half: Histogram<Duration>,
}

fn main() {}
