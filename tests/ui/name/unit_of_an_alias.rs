use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
}

type Elapsed = Sum<Duration>;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Aliases {
    #[dimension(value = elapsed, unit = bytes)]
    alias: Elapsed,
}

fn main() {}
