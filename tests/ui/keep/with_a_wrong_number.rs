use mvx_metrics::*; //~ 5 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    delta: i64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user, keep = 0)]
    zero: Top<String, Counter>,
    #[dimension(by = user, keep = -3)]
    negative: Top<String, Counter>,
    #[dimension(by = user, keep = 65_537)]
    large: Top<String, Counter>,
    #[dimension(by = user, keep = "ten")]
    text: Top<String, Counter>,
    #[dimension(by = user, keep)]
    nothing: Top<String, Counter>,
}

fn main() {}
