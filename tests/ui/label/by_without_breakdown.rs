use mvx_metrics::*; //~ 6 errors
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = user)]
    by_user: Counter,
    #[dimension(by = user, limit = 10)]
    with_limit: Counter,
    #[dimension(by = user, keep = 10)]
    with_keep: Counter,
    #[dimension(by = user, limit = 10, value = elapsed)]
    in_a_window: Recent<Histogram<Duration>, 60>,
    #[dimension(by = user)]
    users: Distinct,
    #[dimension(by = user, limit = 10, value = bytes)]
    sizes: Distinct,
}

fn main() {}
