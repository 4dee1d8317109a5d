use mvx_metrics::*; //~ 6 errors
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
    #[dimension(value = bytes, buckets = exponential)]
    alone: Histogram<u64>,
    #[dimension(value = bytes, buckets = [exponential(1, 2, 10)])]
    in_a_list: Histogram<u64>,
    #[dimension(value = bytes, buckets = exponential(start = 1, factor = 2, n = 10))]
    named: Histogram<u64>,
    #[dimension(value = elapsed, buckets = exponential("1ms", 2, 10))]
    text: Histogram<Duration>,
    #[dimension(value = bytes, buckets = linear(1, 2, 10))]
    linear: Histogram<u64>,
    #[dimension(value = bytes, buckets = exponential_buckets(1, 2, 10))]
    by_another_name: Histogram<u64>,
}

fn main() {}
