use mvx_metrics::*; //~ 1 error
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

#[metric_event]
struct Saved {
    elapsed: Duration,
    at: Instant,
    bytes: u64,
    delta: i64,
    ratio: f64,
    user: String,
    cached: bool,
    wide: u128,
    parts: Vec<u64>,
    result: Result<u64, String>,
    nested: Option<Option<u64>>,
    tries: NonZeroU64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    // field = delta
    #[dimension(add = delta)]
    total: Counter,
}

fn main() {}
