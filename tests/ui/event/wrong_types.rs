use mvx_metrics::*; //~ 5 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

#[metric_event]
struct Loaded;

// Event = Saved
#[derive(Metric, Default)]

struct Saves {
    #[dimension(on(Box<Saved>))]
    a: Counter,
    #[dimension(on((Saved, Loaded)))]
    b: Counter,
    #[dimension(on(Saved(_)))]
    c: Counter,
    #[dimension(on(|e| e.large))]
    d: Counter,
    #[dimension(on(*))]
    e: Counter,
}

fn main() {}
