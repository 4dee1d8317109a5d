use std::time::{Duration, Instant, SystemTime}; //~ 1 error

use mvx_metrics::*;

#[metric_event]
struct Started {
    id: u64,
    name: String,
    since: Instant,
    date: SystemTime,
    load: f64,
}

#[metric_event]
struct Ended {
    id: u64,
    name: String,
    now: Instant,
    bytes: u64,
    elapsed: Duration,
}

#[derive(Metric, Default)]
struct Requests {
    // Event = Started
    // <event field> = id
    // <event field> = since
    #[dimension(on(Ended, end = id, at = now), limit = 100)]
    end: Histogram<Duration>,
}

fn main() {}
