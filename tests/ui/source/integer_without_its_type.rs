use mvx_metrics::*; //~ 1 error
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
    // field = bytes
    #[dimension(add = |e| if e.bytes > 0 { 1 } else { 2 })]
    points: Counter,
}

fn main() {}
