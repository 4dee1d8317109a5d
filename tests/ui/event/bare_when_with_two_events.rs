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
// .. = |e| e.bytes > 0
#[metric(on(Saved), on(Loaded), when = |e| e.bytes > 0)]
struct Saves {
    total: Counter,
}

fn main() {}
