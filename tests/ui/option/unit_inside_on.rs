use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
    user: String,
    cached: bool,
}

// Event = Saved
#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    // .. = value = bytes
    #[dimension(on(Saved, value = bytes, unit = bytes))]
    bytes: Sum<u64>,
}

fn main() {}
