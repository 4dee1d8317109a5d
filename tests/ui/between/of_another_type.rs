use std::time::{Duration, Instant, SystemTime}; //~ 4 errors

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

type Sizes = Histogram<u64>;

#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = id, at = now), limit = 100)]
    numbers: Histogram<u64>,
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = id, at = now), limit = 100)]
    counter: Counter,
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = id, at = now), limit = 100)]
    labels: Breakdown<String, Histogram<Duration>>,
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = id, at = now), limit = 100)]
    recent: Recent<Histogram<Duration>, 60>,
}

fn main() {}
