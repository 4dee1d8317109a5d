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
    #[dimension(by = user, keep = 10)]
    largest: Recent<Top<String, Counter>, 60>,
    without_options: Recent<Top<String, Counter>, 60>,
}

fn main() {}
