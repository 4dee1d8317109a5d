use mvx_metrics::*; //~ 6 errors
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
    // <event field> = elapsed
    shortest: Min<Duration>,
    longest: Max<Duration>,
    // <event field> = load
    mean: Mean<f64>,
    load: Gauge<f64>,
    // Event = Saved
    // Event = Loaded
    open: InFlight,
    // <event field> = elapsed
    spread: Histogram<Duration>,
}

fn main() {}

#[metric_event]
struct Loaded;
