use mvx_metrics::*; //~ 6 errors
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
    #[dimension(by = user, keep = 10)]
    none: Top,
    #[dimension(by = user, keep = 10)]
    only_the_label: Top<String>,
    #[dimension(by = user, keep = 10)]
    swapped: Top<Counter, String>,
    #[dimension(by = load, keep = 10)]
    no_label: Top<f64, Counter>,
    #[dimension(by = user, keep = 10)]
    optional: Top<Option<String>, Counter>,
    #[dimension(by = user, keep = 10)]
    // <event field> = bytes
    no_value: Top<String, Sum<u64>>,
}

fn main() {}
