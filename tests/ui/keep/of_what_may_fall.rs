use mvx_metrics::*; //~ 4 errors
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
    #[dimension(by = user, keep = 10, value = delta)]
    signed: Top<String, Sum<i64>>,
    #[dimension(by = user, keep = 10, value = bytes)]
    maximum: Top<String, Max<u64>>,
    #[dimension(by = user, keep = 10, value = elapsed)]
    histogram: Top<String, Histogram<Duration>>,
    #[dimension(by = user, keep = 10)]
    window: Top<String, Recent<Counter, 60>>,
}

fn main() {}
