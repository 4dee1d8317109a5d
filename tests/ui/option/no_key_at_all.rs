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
    #[dimension("total")]
    a: Counter,
    #[dimension(10)]
    b: Counter,
    #[dimension([1, 2])]
    c: Counter,
    #[dimension(&bytes)]
    d: Sum<u64>,
}

fn main() {}
