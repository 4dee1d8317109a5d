use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

// Event = Saved
#[derive(Metric, Default)]
#[metric(on(Saved, name = "saves"))]
struct Saves {
    total: Counter,
}

fn main() {}
