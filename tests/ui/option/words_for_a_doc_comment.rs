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

#[derive(Metric, Default)]
#[metric(on(Saved), help = "What was saved.")]
struct Saves {
    #[dimension(help = "All that was saved.")]
    a: Counter,
    #[dimension(description("All that was saved."))]
    b: Counter,
    #[dimension(doc)]
    c: Counter,
}

fn main() {}
