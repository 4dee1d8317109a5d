use mvx_metrics::*; //~ 2 errors

#[metric_event(nam = "saved")]
struct Saved {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(valeu = bytes)]
    bytes: Sum<u64>,
}

fn main() {}
