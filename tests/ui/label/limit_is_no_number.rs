use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user, limit = "ten")]
    by_user: Breakdown<String, Counter>,
    #[dimension(by = user, limit = 1.5)]
    by_half: Breakdown<String, Counter>,
}

fn main() {}
