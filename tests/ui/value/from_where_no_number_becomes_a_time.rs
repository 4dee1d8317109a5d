use mvx_metrics::*; //~ 10 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    nanos: u64,
    user: String,
}

type Elapsed = Sum<Duration>;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = nanos, from = nanoseconds)]
    number: Sum<u64>,
    #[dimension(from = nanoseconds)]
    counter: Counter,
    #[dimension(value = nanos, from = nanoseconds)]
    distinct: Distinct,
    #[dimension(value = nanos, from = ns)]
    short: Sum<Duration>,
    #[dimension(value = nanos, from = bytes)]
    unknown: Histogram<Duration>,
    #[dimension(value = nanos, from = 5)]
    literal: Max<Duration>,
    #[dimension(value = nanos, from)]
    nothing: Max<Duration>,
    // <event field> = nanos
    #[dimension(from = seconds)]
    alias: Elapsed,
    #[dimension(skip, from = seconds)]
    skipped: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved), from = seconds)]
struct OnTheStruct {
    total: Counter,
}

fn main() {}
