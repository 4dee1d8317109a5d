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
#[metric(on(Saved))]
struct Saves {
    #[dimension(label = user, limit = 9)]
    a: Breakdown<String, Counter>,
    #[dimension(group_by(user, route), limit = 9)]
    b: Breakdown<(String, String), Counter>,
    #[dimension(labels = ["user", "route"], limit = 9)]
    c: Breakdown<(String, String), Counter>,
    // <event field> = user
    #[dimension(tags, limit = 9)]
    d: Breakdown<String, Counter>,
}

fn main() {}
