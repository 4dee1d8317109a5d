use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metrik(on(Saved))]
struct Saves {
    total: Counter,
}

fn main() {}
