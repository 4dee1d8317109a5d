use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    // field = bytes
    #[dimension(value = |e| e.bytes as i64)]
    a: Sum<u64>,
}

fn main() {}
