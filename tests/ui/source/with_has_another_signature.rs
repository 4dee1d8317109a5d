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
    fn saved(&mut self, event: &Saved) {
        self.total.increment_by(event.bytes);
    }
}

#[derive(Metric, Default)]
#[metric(on(Saved, with = Self::saved))]
struct Saves {
    #[dimension(manual)]
    total: Counter,
}

fn main() {}
