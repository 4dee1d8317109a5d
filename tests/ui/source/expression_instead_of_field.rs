use mvx_metrics::*; //~ 7 errors
use std::time::Duration;

#[derive(Label)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    outcome: Outcome,
}

// alternatives = 1
#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = e.bytes)]
    bytes: Sum<u64>,
    #[dimension(value = saved.bytes)]
    saved: Sum<u64>,
    #[dimension(value = &bytes)]
    largest: Max<u64>,
    #[dimension(value = event.elapsed.as_secs())]
    seconds: Sum<u64>,
    #[dimension(value = bytes as f64)]
    mean: Mean<f64>,
    #[dimension(by = self.outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by = (outcome, e.bytes), limit = 3)]
    by_bytes: Breakdown<(Outcome, u64), Counter>,
}

fn main() {}
