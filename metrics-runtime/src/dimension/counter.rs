//! Counters.

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{Arithmetic, DimensionValue, NumberType};

use super::measure::IntoMeasure;
use super::{Add, Count, Dimension, Shape};

/// A count that only grows. It saturates and never wraps around.
///
/// Each event adds 1, or an amount with `add = ..`. A snapshot shows a `u64`, 0 before the first event.
///
/// ```
/// use mvx_metrics::{Counter, HandleEvent, Metric, metric_event};
///
/// #[metric_event]
/// struct Delivered {
///     letters: u64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Delivered))]
/// struct Deliveries {
///     rounds: Counter,
///     #[dimension(add = letters)]
///     letters: Counter,
/// }
///
/// let mut deliveries = Deliveries::default();
/// deliveries.handle(&Delivered { letters: 40 });
/// deliveries.handle(&Delivered { letters: 2 });
/// assert_eq!((deliveries.rounds.get(), deliveries.letters.get()), (2, 42));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Counter {
    count: u64,
}

impl Counter {
    /// Adds 1.
    #[inline]
    pub fn increment(&mut self) {
        self.increment_by(1);
    }

    /// Adds `amount`.
    #[inline]
    pub fn increment_by(&mut self, amount: u64) {
        self.count = self.count.saturating_add(amount);
    }

    /// The current count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.count
    }
}

impl Dimension for Counter {
    type Output = u64;
    const KIND: DimensionKind = DimensionKind::Counter;
    const SHAPE: Shape = Shape::new(Self::KIND, Some(NumberType::Unsigned));

    fn read(&self) -> u64 {
        self.count
    }

    fn value(count: u64) -> DimensionValue {
        DimensionValue::Unsigned(count)
    }

    fn since(later: &u64, earlier: &u64) -> u64 {
        later.minus(*earlier)
    }

    fn merge_outputs(count: &mut u64, other: &u64, _rule: Option<MergeRule>) -> bool {
        *count = count.plus(*other);
        true
    }

    fn empty_shard(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        self.increment_by(shard.count);
    }

    fn has_fallen(later: &u64, earlier: &u64) -> bool {
        later < earlier
    }

    fn zero() -> Option<u64> {
        Some(0)
    }
}

impl Count for Counter {
    #[inline]
    fn count(&mut self) -> bool {
        self.increment();
        true
    }
}

impl<V: IntoMeasure<u64>> Add<V> for Counter {
    #[inline]
    fn add(&mut self, amount: V) -> bool {
        let Some(amount) = amount.into_measure() else { return false };
        self.increment_by(amount);
        true
    }
}
