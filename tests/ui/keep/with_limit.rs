use mvx_metrics::*; //~ 3 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    delta: i64,
    user: String,
    load: f64,
}

type Largest = Top<String, Counter>;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user, keep = 10, limit = 10)]
    both: Top<String, Counter>,
    #[dimension(by = user, limit = 10)]
    limited: Top<String, Counter>,
    #[dimension(by = user, keep = 10, limit = 10)]
    of_an_alias: Largest,
}

fn main() {}
