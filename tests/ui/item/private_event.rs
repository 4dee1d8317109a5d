use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

mod events {
    #[mvx_metrics::metric_event]
    struct Loaded;
}

#[derive(Metric, Default)]
#[metric(on(events::Loaded))]
struct Loads {
    total: Counter,
}

fn main() {}
