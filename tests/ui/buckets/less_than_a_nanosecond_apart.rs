//! Bounds of a `Duration` that are the same once they are nanoseconds.
use std::time::Duration;

use mvx_metrics::{Histogram, Metric, metric_event};

#[metric_event]
struct Read {
    elapsed: Duration,
}

#[derive(Metric, Default)]
#[metric(on(Read))]
struct Reads {
    #[dimension(value = elapsed, buckets = [1e-9, 1.2e-9, 1.0])]
    elapsed: Histogram<Duration>,
}

fn main() {}
