use mvx_metrics::*; //~ 2 errors
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
    // <event field> = bytes
    #[dimension(value)]
    bytes: Sum<u64>,
    // .. = e.bytes > 0
    #[dimension(when)]
    total: Counter,
}

fn main() {}
