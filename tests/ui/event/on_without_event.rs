use mvx_metrics::*; //~ 3 errors
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
    // Event = Saved
    #[dimension(on())]
    total: Counter,
    #[dimension(on)]
    all: Counter,
    #[dimension(on = Saved)]
    some: Counter,
}

fn main() {}
