use mvx_metrics::*; //~ 3 errors
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
#[metric(on(Saved))]
struct Saves {
    #[dimension(rename_all = "camelCase")]
    a: Counter,
    #[dimension(crate = mvx_metrics)]
    b: Counter,
    #[dimension(with = Self::on_saved)]
    c: Counter,
}

fn main() {}
