use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

const TIMES: [f64; 3] = [0.001, 0.001_000_000_1, 0.001_000_000_2];

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = elapsed, buckets = TIMES)]
    times: Histogram<Duration>,
}

fn main() {}
