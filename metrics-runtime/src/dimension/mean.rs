//! Arithmetic means.

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{DimensionValue, MeanSnapshot, Merge};

use super::measure::{IntoMeasure, Measure, finite};
use super::{Dimension, Record, Shape};

/// The arithmetic mean of the values. Their sum and count are kept, so the means of several recorders can be combined.
///
/// Updated with `value`. A snapshot shows a [`MeanSnapshot`]. Its mean is `None` before the first value.
///
/// ```
/// use mvx_metrics::{HandleEvent, Mean, Metric, metric_event};
///
/// #[metric_event]
/// struct Rated {
///     stars: u8,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Rated))]
/// struct Ratings {
///     #[dimension(value = stars)]
///     mean: Mean<u64>,
/// }
///
/// let mut ratings = Ratings::default();
/// assert_eq!(ratings.mean.get(), None);
/// ratings.handle(&Rated { stars: 4 });
/// ratings.handle(&Rated { stars: 5 });
/// assert_eq!(ratings.mean.get(), Some(4.5));
/// assert_eq!((ratings.mean.sum(), ratings.mean.count()), (9, 2));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Mean<T> {
    sum: T,
    count: u64,
    invalid: u64,
}

impl<T: Measure> Mean<T> {
    /// Takes a value into account. A value that is not finite is only counted as invalid.
    #[inline]
    pub fn record(&mut self, value: T) {
        if let Some(value) = finite(value, &mut self.invalid) {
            self.sum = self.sum.plus(value);
            self.count = self.count.saturating_add(1);
        }
    }

    /// The mean of the recorded values; `None` before the first one.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        self.read().mean()
    }

    /// The sum of the recorded values.
    #[must_use]
    pub fn sum(&self) -> T {
        self.sum
    }

    /// The number of recorded values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl<T: Measure> Dimension for Mean<T> {
    type Output = MeanSnapshot<T>;
    const KIND: DimensionKind = DimensionKind::Mean;
    const UNIT: Option<&'static str> = T::UNIT;
    const SHAPE: Shape = Shape::new(Self::KIND, T::NUMBER);

    fn read(&self) -> MeanSnapshot<T> {
        MeanSnapshot { sum: self.sum, count: self.count }
    }

    fn value(mean: MeanSnapshot<T>) -> DimensionValue {
        DimensionValue::Mean(MeanSnapshot::of(mean))
    }

    fn since(later: &MeanSnapshot<T>, earlier: &MeanSnapshot<T>) -> MeanSnapshot<T> {
        later.since(earlier)
    }

    fn merge_outputs(mean: &mut MeanSnapshot<T>, other: &MeanSnapshot<T>, _rule: Option<MergeRule>) -> bool {
        mean.merge(other);
        true
    }

    fn empty_shard(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        self.sum = self.sum.plus(shard.sum);
        self.count = self.count.saturating_add(shard.count);
        self.invalid = self.invalid.saturating_add(shard.invalid);
    }

    fn has_fallen(later: &MeanSnapshot<T>, earlier: &MeanSnapshot<T>) -> bool {
        later.count < earlier.count
    }

    fn zero() -> Option<MeanSnapshot<T>> {
        Some(MeanSnapshot::default())
    }

    fn invalid(&self) -> u64 {
        self.invalid
    }
}

impl<T: Measure, V: IntoMeasure<T>> Record<V> for Mean<T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        if value.is_invalid() {
            self.invalid = self.invalid.saturating_add(1);
            return true;
        }
        let Some(value) = value.into_measure() else { return false };
        Mean::record(self, value);
        true
    }
}
