use mvx_metrics::*; //~ 2 errors

#[derive(Label)]
enum Outcome {
    Success,
    Failure(u16),
}

#[metric_event]
struct Saved {
    outcome: Outcome,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = outcom)]
    by_outcome: Breakdown<Outcome, Counter>,
    total: Counter,
}

fn main() {}
