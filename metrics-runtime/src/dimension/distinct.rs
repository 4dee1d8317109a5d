//! Counts of different values.

mod hash;
mod value;

use std::fmt;

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{DimensionValue, DistinctSnapshot, Merge};

use super::{Dimension, Record, Shape};

#[doc(hidden)]
pub use value::hash_of_label;
pub use value::{DistinctHash, DistinctValue};

/// How many different values there were, as an estimate with a standard error of 1.6%.
///
/// Updated with `value`, which takes all that can be told apart: texts, integers, `bool`, bytes, addresses, labels, tuples of
/// these, and [types of your own](crate::feed::DistinctValue). A `None` is not counted. A snapshot shows a
/// [`DistinctSnapshot`], which merges exactly: a value that two recorders or two processes have got counts once.
///
/// It takes no memory before the first value, 4 bytes for each value until there are about 512, and 4 KiB from then on. Nine
/// allocations in its whole life are all that growth needs.
///
/// The hash is the same in all processes, so an attacker can choose values that make the estimate too small or
/// too large. Neither the time for a value nor the memory depends on the values.
///
/// ```
/// use mvx_metrics::{Distinct, HandleEvent, Metric, metric_event};
///
/// #[metric_event]
/// struct PageViewed {
///     page: &'static str,
///     user: Option<u64>,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(PageViewed))]
/// struct Views {
///     #[dimension(value = page)]
///     pages: Distinct,
///     #[dimension(value = user)]
///     users: Distinct,
/// }
///
/// let mut views = Views::default();
/// for (page, user) in [("/", None), ("/", Some(7)), ("/about", Some(7)), ("/", Some(8))] {
///     views.handle(&PageViewed { page, user });
/// }
/// assert_eq!((views.pages.estimate(), views.users.estimate()), (2, 2));
/// ```
#[derive(Clone, Default)]
pub struct Distinct {
    seen: DistinctSnapshot,
}

impl Distinct {
    /// Counts a value, unless an equal one was counted before.
    #[inline]
    pub fn record(&mut self, value: impl DistinctValue) {
        Record::record(self, value);
    }

    /// How many different values there were, about.
    #[must_use]
    pub fn estimate(&self) -> u64 {
        self.seen.estimate()
    }
}

impl fmt::Debug for Distinct {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Distinct").field("estimate", &self.estimate()).finish_non_exhaustive()
    }
}

impl Dimension for Distinct {
    type Output = DistinctSnapshot;
    const KIND: DimensionKind = DimensionKind::Distinct;
    const SHAPE: Shape = Shape::new(Self::KIND, None);

    fn read(&self) -> DistinctSnapshot {
        self.seen.clone()
    }

    fn value(seen: DistinctSnapshot) -> DimensionValue {
        DimensionValue::Distinct(seen)
    }

    fn merge_outputs(
        seen: &mut DistinctSnapshot,
        other: &DistinctSnapshot,
        _rule: Option<MergeRule>,
    ) -> bool {
        seen.merge(other);
        true
    }

    fn empty_shard(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        self.seen.merge(&shard.seen);
    }

    fn has_fallen(later: &DistinctSnapshot, earlier: &DistinctSnapshot) -> bool {
        later.has_fallen_since(earlier)
    }

    fn zero() -> Option<DistinctSnapshot> {
        Some(DistinctSnapshot::default())
    }
}

impl<V: DistinctValue> Record<V> for Distinct {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        let Some(hash) = value.distinct_hash() else { return false };
        self.seen.insert(hash.get());
        true
    }
}
