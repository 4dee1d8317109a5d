//! Sums.

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::DimensionValue;

use super::measure::{IntoMeasure, Measure, finite};
use super::{Dimension, Record, Shape};

/// The sum of the values. It saturates and never wraps around.
///
/// Updated with `value`. A snapshot shows a `T` (`u64`, `i64`, `f64` or `Duration`), 0 before the first value.
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::{HandleEvent, Metric, Sum, metric_event};
///
/// #[metric_event]
/// struct CallEnded {
///     elapsed: Duration,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(CallEnded))]
/// struct Calls {
///     #[dimension(value = elapsed)]
///     talked: Sum<Duration>,
/// }
///
/// let mut calls = Calls::default();
/// calls.handle(&CallEnded { elapsed: Duration::from_secs(90) });
/// calls.handle(&CallEnded { elapsed: Duration::MAX });
/// assert_eq!(calls.talked.get(), Duration::MAX);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum<T> {
    sum: T,
    invalid: u64,
}

impl<T: Measure> Sum<T> {
    /// Adds a value to the sum. A value that is not finite is only counted as invalid.
    #[inline]
    pub fn record(&mut self, value: T) {
        if let Some(value) = finite(value, &mut self.invalid) {
            self.sum = self.sum.plus(value);
        }
    }

    /// The current sum.
    #[must_use]
    pub fn get(&self) -> T {
        self.sum
    }
}

impl<T: Measure> Dimension for Sum<T> {
    type Output = T;
    const KIND: DimensionKind = DimensionKind::Sum;
    const UNIT: Option<&'static str> = T::UNIT;
    const SHAPE: Shape = Shape::new(Self::KIND, T::NUMBER);

    fn read(&self) -> T {
        self.sum
    }

    fn value(sum: T) -> DimensionValue {
        DimensionValue::from(sum.into())
    }

    fn since(later: &T, earlier: &T) -> T {
        later.minus(*earlier)
    }

    fn merge_outputs(sum: &mut T, other: &T, _rule: Option<MergeRule>) -> bool {
        *sum = sum.plus(*other);
        true
    }

    fn empty_shard(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        self.sum = self.sum.plus(shard.sum);
        self.invalid = self.invalid.saturating_add(shard.invalid);
    }

    /// A sum of signed numbers may fall.
    fn has_fallen(later: &T, earlier: &T) -> bool {
        T::IS_UNSIGNED && later < earlier
    }

    fn zero() -> Option<T> {
        Some(T::default())
    }

    fn invalid(&self) -> u64 {
        self.invalid
    }
}

impl<T: Measure, V: IntoMeasure<T>> Record<V> for Sum<T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        if value.is_invalid() {
            self.invalid = self.invalid.saturating_add(1);
            return true;
        }
        let Some(value) = value.into_measure() else { return false };
        Sum::record(self, value);
        true
    }
}
