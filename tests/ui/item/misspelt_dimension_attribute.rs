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
    #[dimensions(value = bytes)]
    bytes: Sum<u64>,
}

fn main() {}
