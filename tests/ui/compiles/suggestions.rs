//! The suggestions for `source/expression_instead_of_field.rs` and `source/when_without_closure.rs`. That for
//! `value/distinct_of_tuples.rs` must not move fields out of the event.
#![deny(warnings)]

use mvx_metrics::{Breakdown, Counter, Distinct, Label, Max, Mean, Metric, Sum, metric_event};
use std::time::Duration;

#[derive(Label, PartialEq)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event]
struct Saved {
    elapsed: Duration,
    bytes: u64,
    large: bool,
    outcome: Outcome,
}

#[derive(Metric, Default)]
#[metric(on(Saved))]
struct Saves {
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
    #[dimension(value = bytes)]
    largest: Max<u64>,
    #[dimension(value = |event| event.elapsed.as_secs())]
    seconds: Sum<u64>,
    #[dimension(value = |e| e.bytes as f64)]
    mean: Mean<f64>,
    #[dimension(value = |e| (&e.outcome, &e.bytes))]
    pairs: Distinct,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
    #[dimension(by = (outcome, bytes), limit = 3)]
    by_bytes: Breakdown<(Outcome, u64), Counter>,
    #[dimension(when = |e| e.outcome == Outcome::Success)]
    succeeded: Counter,
    #[dimension(when = |e| matches!(e.outcome, Outcome::Failure))]
    failed: Counter,
    #[dimension(when = |e| e.large)]
    large: Counter,
    #[dimension(when = |e| !e.large && e.bytes > 3)]
    small: Counter,
}

fn main() {
    let _ = Saved { elapsed: Duration::ZERO, bytes: 0, large: false, outcome: Outcome::Success };
    let _ = (Outcome::Failure, Saves::default());
}
