use mvx_metrics::*; //~ 5 errors
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
    #[dimension(value = elapsed, unit = bytes)]
    bytes: Sum<Duration>,
    #[dimension(value = elapsed, unit = ms)]
    short: Sum<Duration>,
    #[dimension(value = elapsed, unit = minutes)]
    minutes: Recent<Max<Duration>, 60>,
    // .. = 1
    #[dimension(value = elapsed, unit = milliseconds, buckets = [0.5, 1])]
    bounds: Histogram<Duration>,
    #[dimension(value = elapsed, unit = microseconds, buckets = exponential(0.001, 2, 10))]
    computed: Histogram<Duration>,
}

fn main() {}
