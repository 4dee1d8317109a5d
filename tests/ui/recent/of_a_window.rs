use mvx_metrics::*; //~ 1 error

#[metric_event]
struct Saved {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    counter: Recent<Recent<Counter, 10>, 60>,
}

fn main() {}
