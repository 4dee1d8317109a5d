use std::time::{Duration, Instant, SystemTime}; //~ 5 errors

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

#[metric_event]
enum Job {
    Queued { name: String, at: Instant },
    Ended { id: u64, at: Instant },
}

#[derive(Metric, Default)]
struct Requests {
    #[dimension(on(Started, begin = id, at = since), on(Ended, end = name, at = now), limit = 100)]
    structs: Histogram<Duration>,
    #[dimension(on(Started, begin = |e| (e.id, 7_u8), at = since), on(Ended, end = |e| (&e.name, e.id), at = now), limit = 100)]
    closures: Histogram<Duration>,
    #[dimension(on(Job::Queued, begin = name, at = at), on(Job::Ended, end = id, at = at), limit = 100)]
    variants: Histogram<Duration>,
    #[dimension(on(Started, begin = id, at = since), on(Job::Queued, begin = name, at = at), on(Ended, end = id, at = now), limit = 100)]
    two_begins: Histogram<Duration>,
    #[dimension(
        on(Ended, begin = id, at = now, when = |e| e.bytes == 0),
        on(Ended, end = name, at = now, when = |e| e.bytes > 0),
        limit = 100
    )]
    one_event: Histogram<Duration>,
}

fn main() {}
