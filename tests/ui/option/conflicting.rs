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
#[metric(on(Saved))]
struct Saves {
    #[dimension(add = bytes, value = bytes)]
    total: Counter,
    #[dimension(set = load, value = load)]
    load: Gauge<f64>,
    #[dimension(skip, when = |e| e.bytes > 0)]
    note: String,
    #[dimension(manual, value = bytes)]
    bytes: Sum<u64>,
}

fn main() {}
