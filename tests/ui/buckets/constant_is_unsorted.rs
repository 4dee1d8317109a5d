use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

const LOADS: [f64; 3] = [0.5, 1.0, 1.0];

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = load, buckets = LOADS)]
    loads: Histogram<f64>,
}

fn main() {}
