use mvx_metrics::*; //~ 5 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    delta: i64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user, keep = 10, zeros = off)]
    zeros: Top<String, Counter>,
    #[dimension(by = user, keep = 10, merge = max)]
    merge: Top<String, Counter>,
    #[dimension(by = user, keep = 10, value = bytes)]
    value: Top<String, Counter>,
    #[dimension(skip, keep = 10)]
    skipped: Top<String, Counter>,
    #[dimension(manual, keep = 10)]
    manual: Top<String, Counter>,
}

fn main() {}
