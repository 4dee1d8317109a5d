use mvx_metrics::*; //~ 5 errors

#[derive(Label)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Saved {
    outcome: Outcome,
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    counter: Recent<Counter>,
    #[dimension(value = bytes)]
    sum: Recent<Sum<u64>>,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Recent<Counter>>,
    nothing: Recent,
    only_seconds: Recent<300>,
}

fn main() {}
