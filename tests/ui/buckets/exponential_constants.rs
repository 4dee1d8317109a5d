use mvx_metrics::*; //~ 4 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

const START: f64 = 0.0;
const FACTOR: f64 = 0.5;
const COUNT: usize = 0;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = load, buckets = exponential(START, 2, 4))]
    from_zero: Histogram<f64>,
    #[dimension(value = bytes, buckets = exponential(1, FACTOR, 4))]
    falling: Histogram<u64>,
    #[dimension(value = elapsed, buckets = exponential(Duration::ZERO, 2, 4))]
    no_time: Histogram<Duration>,
    #[dimension(value = load, buckets = exponential(0.5, 2, COUNT))]
    none: Histogram<f64>,
}

fn main() {}
