use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(nam = "saves", on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    total: Counter,
}

fn main() {}
