use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
}

const WHOLE_SECONDS: [u64; 2] = [1, 2];

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = elapsed, buckets = WHOLE_SECONDS)]
    constant: Histogram<Duration>,
    #[dimension(value = elapsed, buckets = [0.5, Duration::from_secs(1)])]
    both: Histogram<Duration>,
}

fn main() {}
