use mvx_metrics::*; //~ 4 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

// Event = Saved
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

#[metric_event]
struct Loaded;
