use mvx_metrics::*; //~ 5 errors
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
    #[dimension(by = user, top = 10)]
    a: Top<String, Counter>,
    #[dimension(by = user, max_labels = 10)]
    b: Breakdown<String, Counter>,
    #[dimension(window = 60)]
    c: Counter,
    #[dimension(value = elapsed, precision = 2)]
    d: Histogram<Duration>,
    #[dimension(value = bytes, exponential(1, 2, 10))]
    e: Histogram<u64>,
}

fn main() {}
