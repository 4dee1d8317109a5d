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
#[metric(on(Saved), name = "a", name = "b")]
struct Saves {
    #[dimension(when = |e| e.bytes > 0, when = |e| e.bytes < 9)]
    total: Counter,
}

fn main() {}
