use mvx_metrics::*; //~ 6 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

const TOO_MANY: usize = 2_000;
const TOO_FEW: usize = 1;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = load, max_buckets = 0)]
    none: Histogram<f64>,
    #[dimension(value = load, max_buckets = 1)]
    one: Histogram<f64>,
    #[dimension(value = load, max_buckets = 1_025)]
    too_many: Histogram<f64>,
    #[dimension(value = load, max_buckets = 20.5)]
    half: Histogram<f64>,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Constants {
    #[dimension(value = load, max_buckets = TOO_MANY)]
    too_many: Histogram<f64>,
    #[dimension(value = load, max_buckets = TOO_FEW)]
    too_few: Histogram<f64>,
    total: Counter,
}

fn main() {}
