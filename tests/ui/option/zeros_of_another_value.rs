use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = cached, zeros = on)]
    by_cache: Breakdown<bool, Counter>,
}

fn main() {}
