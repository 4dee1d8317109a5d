use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

impl Saves {
    fn saved(&mut self, _: &Saved) -> bool {
        true
    }
}

#[derive(Metric, Default)]
#[metric(on(Saved, with = Self::saved))]
struct Saves {
    // Event = Saved
    total: Counter,
}

fn main() {}
