use mvx_metrics::*; //~ 2 errors

#[derive(Label)]
enum Outcome<T> {
    Success,
    Failure(T),
}

#[derive(Label)]
enum Kind<T> {
    Small,
    Large,
}

#[metric_event]
struct Saved {
    outcome: Outcome<u64>,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome<u64>, Counter>,
}

fn main() {}
