use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

// alternatives = 1
#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
    note: String,
    list: Vec<u64>,
}

fn main() {}
