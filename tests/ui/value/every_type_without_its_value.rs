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
    shortest: Min<Duration>,
    longest: Max<Duration>,
    mean: Mean<f64>,
    load: Gauge<f64>,
    open: InFlight,
    spread: Histogram<Duration>,
}

fn main() {}
