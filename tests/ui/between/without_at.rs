use std::time::{Duration, Instant, SystemTime}; //~ 2 errors

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
    // <event field> = since
    #[dimension(on(Started, begin = id), on(Ended, end = id, at = now), limit = 100)]
    begin: Histogram<Duration>,
    // <event field> = now
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = id), limit = 100)]
    end: Histogram<Duration>,
}

fn main() {}
