#![forbid(unsafe_code)]
#![deny(warnings, unused, missing_docs)]
//! Constants as names, and units of time, under strict lints. It also has what messages tell to write.

use mvx_metrics::*;
use std::time::Duration;

const METRIC: &str = "saves";
const PREFIX: &str = "inner.";
const MOST: usize = 10;

/// Where names stand.
pub struct Names;

impl Names {
    /// The name of a dimension.
    pub const TOTAL: &'static str = "saves_total";
}

/// An event.
#[metric_event(name = concat!("document_", "saved"))]
pub struct Saved {
    /// A time.
    pub elapsed: Duration,
    /// A number of nanoseconds.
    pub nanos: u64,
    /// A user.
    pub user: String,
}

/// A metric.
#[derive(Metric, Default)]
#[metric(name = METRIC, on(Saved))]
pub struct Saves {
    #[dimension(name = Names::TOTAL)]
    total: Counter,
    #[dimension(by = user, limit = MOST)]
    by_user: Breakdown<String, Counter>,
    #[dimension(value = elapsed, unit = milliseconds, buckets = [Duration::from_millis(5)])]
    elapsed: Histogram<Duration>,
    #[dimension(value = nanos, from = nanoseconds, unit = microseconds)]
    nanos: Max<Duration>,
    #[dimension(flatten(prefix = PREFIX))]
    inner: Inner,
}

/// A flattened metric.
#[derive(Metric, Default)]
#[metric(on(Saved))]
pub struct Inner {
    #[dimension(name = { const NAME: &str = "total"; NAME })]
    total: Counter,
}

macro_rules! metric {
    ($metric:ident, $name:expr, $unit:ident) => {
        /// A metric of a macro.
        #[derive(Metric, Default)]
        #[metric(name = $name, on(Saved))]
        pub struct $metric {
            #[dimension(value = elapsed, unit = $unit)]
            elapsed: Sum<Duration>,
        }
    };
}

metric!(WithText, "with_text", milliseconds);
metric!(WithConstant, METRIC, seconds);

fn main() {
    assert_eq!(Saves::default().metric_name(), "saves");
    assert_eq!(WithText::default().metric_name(), "with_text");
    assert_eq!(WithConstant::default().metric_name(), "saves");
}
