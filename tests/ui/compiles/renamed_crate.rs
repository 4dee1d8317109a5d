//! `crate = path` where `mvx_metrics` has another name.
#![deny(warnings)]

mod vendor {
    pub use mvx_metrics as metrics;
}

use vendor::metrics::{Breakdown, Counter, HandleEvent as _, Label, Metric, metric_event};

#[derive(Label)]
#[label(crate = crate::vendor::metrics)]
enum Outcome {
    Success,
    Failure,
}

#[metric_event(crate = crate::vendor::metrics)]
struct Saved {
    outcome: Outcome,
}

#[derive(Metric, Default)]
#[metric(on(Saved), crate = crate::vendor::metrics)]
struct Saves {
    total: vendor::metrics::Counter,
    #[dimension(by = outcome)]
    by_outcome: Breakdown<Outcome, Counter>,
}

fn main() {
    let mut metric = Saves::default();
    assert!(metric.handle(&Saved { outcome: Outcome::Success }));
    assert!(metric.handle(&Saved { outcome: Outcome::Failure }));
}
