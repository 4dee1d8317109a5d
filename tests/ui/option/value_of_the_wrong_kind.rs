use mvx_metrics::*; //~ 4 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved), name = saves)]
struct Saves {
    #[dimension(name = total)]
    total: Counter,
    #[dimension(value = bytes, unit = 5)]
    bytes: Sum<u64>,
    #[dimension("quoted")]
    quoted: Counter,
}

fn main() {}
