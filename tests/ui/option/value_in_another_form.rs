use mvx_metrics::*; //~ 8 errors
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
    #[dimension(value(bytes))]
    a: Sum<u64>,
    #[dimension(value: bytes)]
    b: Sum<u64>,
    #[dimension(value => bytes)]
    c: Sum<u64>,
    #[dimension(value == bytes)]
    d: Sum<u64>,
    #[dimension(by: user, limit = 9)]
    e: Breakdown<String, Counter>,
    #[dimension(by = user, limit(10))]
    f: Breakdown<String, Counter>,
    #[dimension(add(5))]
    g: Counter,
    #[dimension(name "total")]
    h: Counter,
}

fn main() {}
