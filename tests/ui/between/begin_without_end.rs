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
    // Event = Ended
    // <event field> = id
    // <event field> = now
    #[dimension(on(Started, begin = id, at = since), limit = 100)]
    begin: Histogram<Duration>,
}

fn main() {}
