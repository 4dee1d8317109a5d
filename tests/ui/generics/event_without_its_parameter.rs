use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[metric_event]
struct Loaded<T> {
    value: T,
}

#[derive(Metric, Default)]
#[metric(on(Loaded))]
struct Loads {
    total: Counter,
}

fn main() {}
