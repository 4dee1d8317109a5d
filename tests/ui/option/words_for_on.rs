use mvx_metrics::*;
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
#[metric(event = "saved")]
struct Saves {
    #[dimension(event = Saved)]
    a: Counter,
    #[dimension(events(Saved, Loaded))]
    b: Counter,
    #[dimension(listen)]
    c: Counter,
}

fn main() {}
