use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved), rename_all = "camel_case")]
struct Saves {
    total_count: Counter,
}

fn main() {}
