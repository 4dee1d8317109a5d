use mvx_metrics::*; //~ 4 errors
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
struct Saves {
    #[dimension(set = bytes)]
    bytes: Sum<u64>,
    #[dimension(add)]
    load: Gauge<f64>,
    #[dimension(sub)]
    total: Counter,
    #[dimension(value = bytes)]
    open: InFlight,
}

fn main() {}
