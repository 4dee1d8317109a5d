use mvx_metrics::*; //~ 3 errors
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
struct Loads {
    loads: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(flatten, value = bytes)]
    loads: Loads,
    #[dimension(flatten, name = "all")]
    more: Loads,
    #[dimension(manual, on(Saved))]
    total: Counter,
}

fn main() {}
