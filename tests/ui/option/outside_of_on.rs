use mvx_metrics::*;
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
#[metric(on(Saved, name = "saves"))]
struct Saves {
    #[dimension(on(Saved, name = "all"))]
    a: Counter,
    #[dimension(on(Saved, value = bytes, unit = bytes))]
    b: Sum<u64>,
}

fn main() {}
