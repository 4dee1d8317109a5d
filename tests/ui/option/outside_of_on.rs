use mvx_metrics::*; //~ 3 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

// Event = Saved
#[derive(Metric, Default)]
#[metric(on(Saved, name = "saves"))]
struct Saves {
    // .. = when = |e| e.large
    #[dimension(on(Saved, name = "all"))]
    a: Counter,
    // .. = value = bytes
    #[dimension(on(Saved, value = bytes, unit = bytes))]
    b: Sum<u64>,
}

fn main() {}
