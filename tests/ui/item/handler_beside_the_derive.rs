use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
}

impl HandleEvent<Saved> for Saves {
    fn handle(&mut self, _: &Saved) -> bool {
        true
    }
}

fn main() {}
