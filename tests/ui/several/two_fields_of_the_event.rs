use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = byts)]
    bytes: Sum<u64>,
    #[dimension(by = usr, limit = 10)]
    by_user: Breakdown<String, Counter>,
}

fn main() {}
