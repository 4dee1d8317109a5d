use mvx_metrics::*; //~ 2 errors

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
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Counter, Outcome>,
    #[dimension(by = outcome, value = bytes)]
    bytes_by_outcome: Breakdown<Sum<u64>, Outcome>,
}

fn main() {}
