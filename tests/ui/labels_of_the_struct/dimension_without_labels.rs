use std::time::Duration; //~ 2 errors

use mvx_metrics::{Breakdown, Counter, Histogram, Metric, metric_event};

#[metric_event]
struct Request {
    host: String,
    took: Duration,
}

#[derive(Metric, Default)]
#[metric(on(Request), by(host), limit = 100)]
struct Requests {
    total: Counter,
    #[dimension(value = took)]
    took: Histogram<Duration>,
    per_host: Breakdown<String, Counter>,
}

fn main() {}
