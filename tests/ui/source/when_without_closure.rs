use mvx_metrics::*; //~ 7 errors

#[derive(Label, PartialEq)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Saved {
    bytes: u64,
    large: bool,
    outcome: Outcome,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(when = outcome == Outcome::Success)]
    succeeded: Counter,
    #[dimension(when = matches!(outcome, Outcome::Failure))]
    failed: Counter,
    #[dimension(when = e.large)]
    large: Counter,
    #[dimension(when = "large")]
    quoted: Counter,
    #[dimension(when = !large && bytes > 3)]
    small: Counter,
    // .. = e.large
    #[dimension(when = if large { true } else { false })]
    branches: Counter,
    #[dimension(when = self.small.get() > 3)]
    of_the_metric: Counter,
}

fn main() {}
