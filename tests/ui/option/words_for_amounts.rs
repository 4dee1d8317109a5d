use mvx_metrics::*; //~ 4 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

#[metric_event]
struct Loaded;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(inc)]
    a: Counter,
    #[dimension(count = bytes)]
    b: Counter,
    #[dimension(on(Saved, increment), on(Loaded, decrement))]
    c: InFlight,
}

fn main() {}
