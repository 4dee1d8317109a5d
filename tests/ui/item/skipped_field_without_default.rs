use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

struct Limits(u64);

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    total: Counter,
    #[dimension(skip)]
    limits: Limits,
}

fn main() {}
