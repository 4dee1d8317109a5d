use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

type Bytes = Histogram<u64>;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(max_buckets = 20)]
    total: Counter,
    #[dimension(value = bytes, max_buckets = 20)]
    alias: Bytes,
}

fn main() {}
