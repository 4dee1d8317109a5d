use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
}

const BOUNDS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(1)];

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = elapsed, buckets = [Duration::from_millis(2), Duration::from_micros(5)])]
    list: Histogram<Duration>,
    #[dimension(value = elapsed, buckets = BOUNDS)]
    constant: Histogram<Duration>,
}

fn main() {}
