use mvx_metrics::*; //~ 2 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

type ByUser = Breakdown<String, Counter>;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    // <event field> = user
    #[dimension(limit = 10)]
    total: Counter,
    #[dimension(limit = 10)]
    of_an_alias: ByUser,
}

fn main() {}
