use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
    cached: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Volume {
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(skip, zeros = off)]
    note: String,
    #[dimension(flatten, zeros = off)]
    volume: Volume,
}

fn main() {}
