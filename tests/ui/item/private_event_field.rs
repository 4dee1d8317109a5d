use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

mod events {
    #[mvx_metrics::metric_event]
    pub struct Loaded {
        bytes: u64,
    }
}

#[derive(Metric, Default)]
#[metric(on(events::Loaded))]
struct Loads {
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
}

fn main() {}
