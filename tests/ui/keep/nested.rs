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

// alternatives = 1
#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user, keep = 10)]
    of_breakdowns: Top<String, Breakdown<bool, Counter>>,
    #[dimension(by = user, limit = 10)]
    in_a_breakdown: Breakdown<String, Top<String, Counter>>,
    #[dimension(by = user, keep = 10)]
    with_keep: Breakdown<String, Top<String, Counter>>,
}

fn main() {}
