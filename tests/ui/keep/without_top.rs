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

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(keep = 10)]
    total: Counter,
    #[dimension(by = user, keep = 10)]
    by_user: Breakdown<String, Counter>,
    #[dimension(by = user, keep = 10, limit = 10)]
    with_limit: Breakdown<String, Counter>,
}

fn main() {}
