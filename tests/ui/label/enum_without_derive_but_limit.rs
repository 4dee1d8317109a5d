use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

enum Outcome {
    Success,
}

#[metric_event]
struct Ended {
    outcome: Outcome,
}

#[derive(Metric, Default)]
#[metric(on(Ended))]
struct Saves {
    #[dimension(by = outcome, limit = 3)]
    by_outcome: Breakdown<Outcome, Counter>,
}

fn main() {}
