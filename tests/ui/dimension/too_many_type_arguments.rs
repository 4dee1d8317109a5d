use mvx_metrics::*; //~ 3 errors
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
    a: Counter<u64>,
    #[dimension(value = bytes)]
    b: Sum<u64, u64>,
    #[dimension(value = bytes)]
    c: Histogram<60>,
}

fn main() {}
