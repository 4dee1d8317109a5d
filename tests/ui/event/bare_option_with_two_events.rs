use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[metric_event]
struct Loaded {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved), on(Loaded))]
struct Saves {
    // .. = bytes
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
    total: Counter,
}

fn main() {}
