use mvx_metrics::*; //~ 4 errors
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
    #[dimension(filter = large)]
    a: Counter,
    #[dimension(if = |e| e.bytes > 9)]
    b: Counter,
    #[dimension(where(|e| e.large))]
    c: Counter,
    // .. = e.large
    #[dimension(condition)]
    d: Counter,
}

fn main() {}
