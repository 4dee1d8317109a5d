use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Default)]
struct Note;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
    // alternatives = 1
    // <event field> = bytes
    note: Note,
}

fn main() {}
