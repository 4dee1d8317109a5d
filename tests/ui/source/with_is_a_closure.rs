use mvx_metrics::*; //~ 1 error
use std::time::Duration;

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    user: String,
    load: f64,
}

#[derive(Metric, Default)]
#[metric(on(Saved, with = |metric, event| true))]
struct Saves {
    #[dimension(manual)]
    total: Counter,
}

impl Saves {
    fn on_event(&mut self, _: &Saved) -> bool {
        true
    }
}

fn main() {}
