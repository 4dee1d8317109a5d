//! A `#[non_exhaustive]` metric of another crate.
use mvx_metrics::TypedMetric; //~ 1 error
use mvx_metrics_tests::strict::{Arrivals, ArrivalsSnapshot};

fn main() {
    let ArrivalsSnapshot { total, invalid, __times: _ } = Arrivals::default().typed_snapshot();
    assert_eq!((total, invalid), (0, 0));
}
