use mvx_metrics::*; //~ 2 errors
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
    #[dimension(by = user)]
    largest: Largest,
}

fn main() {}
