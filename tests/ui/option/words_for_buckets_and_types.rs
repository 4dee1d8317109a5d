use mvx_metrics::*; //~ 6 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes, boundaries = [1, 10])]
    a: Histogram<u64>,
    #[dimension(value = elapsed, quantiles = [0.5])]
    b: Histogram<Duration>,
    #[dimension(type = "counter")]
    c: Counter,
    #[dimension(by = user, max = 10)]
    d: Breakdown<String, Counter>,
    #[dimension(set = bytes, aggregate = min)]
    e: Gauge<i64>,
    #[dimension(field = bytes)]
    f: Sum<u64>,
}

fn main() {}
