use mvx_metrics::*; //~ 5 errors
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
#[metric(on(Saved))]
struct Stats {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(skip = true)]
    a: u8,
    #[dimension(manual(true))]
    b: Counter,
    #[dimension(flatten = true)]
    c: Stats,
    #[dimension(flatten = "d_")]
    d: Stats,
    #[dimension(flatten("e_"))]
    e: Stats,
}

fn main() {}
