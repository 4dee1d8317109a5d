use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

type Bytes = u64;

// alternatives = 1
#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(set = bytes)]
    level: Gauge<Bytes>,
}

fn main() {}
