use mvx_metrics::*;
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

type Bytes = u64;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    sizes: Histogram<Bytes>,
}

fn main() {}
