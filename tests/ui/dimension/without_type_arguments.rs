use mvx_metrics::*; //~ 7 errors

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

// alternatives = 1
#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    sum: Sum,
    #[dimension(set = bytes)]
    gauge: Gauge,
    #[dimension(value = bytes)]
    histogram: Histogram,
    // L = Outcome
    #[dimension(by = outcome)]
    breakdown: Breakdown,
    #[dimension(by = outcome)]
    of_nothing: Breakdown<Outcome>,
    #[dimension(by = outcome, value = bytes)]
    of_sums: Breakdown<Outcome, Sum>,
    #[dimension(by = outcome)]
    of_numbers: Breakdown<Outcome, u64>,
}

fn main() {}
