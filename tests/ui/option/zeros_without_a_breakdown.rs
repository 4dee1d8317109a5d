use mvx_metrics::*; //~ 2 errors

#[metric_event]
struct Saved {
    bytes: u64,
    cached: bool,
}

type Alias = Counter;

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(zeros = off)]
    total: Counter,
    #[dimension(zeros = off)]
    alias: Alias,
}

fn main() {}
