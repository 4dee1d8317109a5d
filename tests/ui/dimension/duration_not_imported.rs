use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    elapsed: std::time::Duration,
    bytes: u64,
    user: String,
    route: String,
    large: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = elapsed)]
    a: Histogram<Duration>,
}

fn main() {}
