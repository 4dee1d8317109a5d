use mvx_metrics::*; //~ 1 error
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
#[metric(on(Saved, with(Self::on_saved)))]
struct Saves {
    #[dimension(manual)]
    total: Counter,
}

fn main() {}

impl Saves {
    fn on_saved(&mut self, _: &Saved) -> bool {
        true
    }
}
