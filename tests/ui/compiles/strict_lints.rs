//! A crate that forbids nearly all lints, with events that have fields which no metric reads.
#![forbid(unsafe_code, unused, warnings, missing_docs, nonstandard_style, future_incompatible, rust_2018_idioms)]
#![deny(unreachable_pub, unused_qualifications, single_use_lifetimes, unused_lifetimes, let_underscore_drop)]
#![deny(missing_debug_implementations, unused_results, trivial_casts, trivial_numeric_casts, variant_size_differences)]

use std::time::Duration;

use mvx_metrics::{Counter, Gauge, HandleEvent, Histogram, Metric, metric_event};

#[metric_event]
struct Saved {
    bytes: u64,
    elapsed: Duration,
    unread: String,
    also_unread: (u8, u8),
}

#[metric_event]
enum Step {
    Began(u64, &'static str),
    Ended { reason: Option<String>, seconds: f64 },
}

#[metric_event]
struct Wrapped<T: Send + 'static>(T, u8);

#[metric_event]
#[repr(packed)]
struct Packed {
    flag: u8,
    number: u64,
}

#[metric_event]
enum Never {}

#[derive(Metric, Default)]
#[metric(on(Saved), on(Step), on(Wrapped<u8>))]
struct Saves {
    total: Counter,
    #[dimension(on(Saved, value = elapsed))]
    elapsed: Histogram<Duration>,
    #[dimension(on(Step, set = 0))]
    level: Gauge<i64>,
}

fn main() {
    let mut metric = Saves::default();
    let saved = Saved { bytes: 1, elapsed: Duration::ZERO, unread: String::new(), also_unread: (1, 2) };
    assert!(metric.handle(&saved));
    assert!(metric.handle(&Step::Began(1, "")));
    assert!(metric.handle(&Step::Ended { reason: None, seconds: 1.0 }));
    assert!(metric.handle(&Wrapped(1_u8, 2)));
    let _ = (Packed { flag: 1, number: 2 }, None::<Never>);
}
