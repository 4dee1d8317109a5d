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
    // <event field> = user
    #[dimension(keep = 10)]
    largest: Top<String, Counter>,
    #[dimension(keep = 10)]
    of_an_alias: Largest,
}

fn main() {}
