use mvx_metrics::*; //~ 5 errors

#[derive(Label)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Saved {
    outcome: Outcome,
    large: bool,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = (outcome, large, outcome, large, outcome))]
    five: Breakdown<(Outcome, bool, Outcome, bool, Outcome), Counter>,
    #[dimension(by = (outcome, large, outcome, large, outcome))]
    five_of_four: Breakdown<(Outcome, bool, Outcome, bool), Counter>,
    #[dimension(by = (outcome,))]
    one: Breakdown<(Outcome,), Counter>,
    #[dimension(by = (outcome,))]
    one_of_one: Breakdown<Outcome, Counter>,
    #[dimension(by = outcome)]
    none: Breakdown<(), Counter>,
}

fn main() {}
