use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on("Saved"), when = |e| e.bytes > 0)]
struct Saves {
    total: Counter,
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
}

#[derive(Metric, Default)]
struct Sizes {
    #[dimension(on("Saved", value = bytes))]
    bytes: Sum<u64>,
}

fn main() {}
