//! The broken attribute may have hidden an event: no field is said to lack one.
use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

#[metric_event]
struct Loaded;

#[derive(Metric, Default)]
#[metric(no(Saved))]
struct Saves {
    #[dimension(on(Loaded))]
    loaded: Counter,
    total: Counter,
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
}

fn main() {}
