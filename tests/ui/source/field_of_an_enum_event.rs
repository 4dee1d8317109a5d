use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[metric_event]
enum Step {
    Read { bytes: u64 },
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(on(Step, value = bytes))]
    bytes: Sum<u64>,
}

fn main() {}
