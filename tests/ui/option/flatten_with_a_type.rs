use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Loads {
    total: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(flatten(Loads))]
    loads: Loads,
}

fn main() {}
