use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric)]
#[metric(on(Saved))]
struct Saves<L> {
    #[dimension(by = user, limit = 9)]
    by_user: Breakdown<L, Counter>,
}

fn main() {}
