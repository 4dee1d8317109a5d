use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved), limit = 10)]
struct Saves {
    #[dimension(by = user)]
    by_user: Breakdown<String, Counter>,
}

fn main() {}
