//! The bounds of buckets, as numbers that all formats show.

use crate::snapshot::Number;

/// The bounds as floating-point numbers. `None` stands for a bound that is the same number as the next one, because large whole
/// numbers may be. No series may appear twice, so its values are counted there.
pub(super) fn distinct(bounds: impl DoubleEndedIterator<Item = Number>) -> Vec<Option<f64>> {
    let mut above = f64::INFINITY;
    let shown = bounds.rev().map(|bound| {
        let bound = bound.as_f64();
        let is_distinct = bound.is_finite() && bound < above;
        is_distinct.then(|| {
            above = bound;
            bound
        })
    });
    let mut shown: Vec<_> = shown.collect();
    shown.reverse();
    shown
}
