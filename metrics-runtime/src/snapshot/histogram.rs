//! The snapshot of a histogram.

use serde::de::Error as DeserializeError;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde::{Deserialize, Deserializer};

use super::extreme::Extreme;
use super::merge::Merge;
use super::output::{DeserializeOutput, Output, SerializeOutput};
use crate::number::{Arithmetic, Number, NumberType};

/// A distribution over buckets at one moment.
///
/// Serialises as `{"count", "sum", "min", "max", "buckets": [{"up_to", "count"}, ..]}`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramSnapshot<T> {
    /// The number of recorded values.
    pub count: u64,
    /// The sum of the recorded values.
    pub sum: T,
    /// The smallest recorded value.
    pub min: Extreme<T>,
    /// The largest recorded value.
    pub max: Extreme<T>,
    /// The buckets in ascending order; the last one has no upper bound.
    pub buckets: Vec<Bucket<T>>,
}

/// One bucket of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket<T> {
    /// The largest value that belongs to the bucket; `None` for the last bucket. Serialised as `up_to`.
    pub upper_bound: Option<T>,
    /// The number of values in this bucket alone, without those in lower buckets.
    pub count: u64,
}

impl<T: Copy + Into<Number>> HistogramSnapshot<T> {
    /// Estimates a quantile, in seconds for durations: `quantile(0.95)` is the value that 95% of the values do not exceed.
    ///
    /// The estimate interpolates inside a bucket, between the minimum and the maximum: geometrically where both ends are positive,
    /// else linearly. In the last bucket, which has no upper bound, it is the bucket's lower bound or the minimum, whichever is
    /// larger, and the maximum for `quantile(1.0)`. So a single outlier moves no other quantile.
    ///
    /// Where the extremes are unknown, the first bucket begins at zero, or at its bound if that is not positive, and the maximum
    /// is the largest bound. `None` when nothing was recorded, `quantile` is not between 0 and 1, or the minimum is above the
    /// maximum.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let number = |value: T| value.into().as_f64();
        let bounds = || self.buckets.iter().filter_map(|bucket| bucket.upper_bound).map(number);
        let min = self.min.known().map(number);
        let max = self.max.known().map(number);
        let (min, max) = match (min, max) {
            (Some(min), Some(max)) => (min, max),
            _ if self.count == 0 || (!self.min.is_unknown() && !self.max.is_unknown()) => return None,
            (min, max) => {
                let (min, max) =
                    (min.or(bounds().next().map(|bound| bound.min(0.0)))?, max.or(bounds().last())?);
                (min, max.max(min))
            }
        };
        // A snapshot that was written by hand can contain anything.
        if !(0.0..=1.0).contains(&quantile) || min.is_nan() || max.is_nan() || min > max {
            return None;
        }
        if quantile >= 1.0 {
            return Some(max);
        }
        let rank = quantile * self.count as f64;
        let mut below = 0.0;
        let mut low = min;
        for bucket in &self.buckets {
            let inside = bucket.count as f64;
            let is_here = inside > 0.0 && below + inside >= rank;
            let Some(high) = bucket.upper_bound.map(|bound| number(bound).clamp(min, max)) else {
                return Some(low);
            };
            if is_here {
                let share = (rank - below) / inside;
                // Neither the difference nor the quotient of the ends: both can overflow to infinity.
                let between = if low > 0.0 && high > 0.0 {
                    low.powf(1.0 - share) * high.powf(share)
                } else {
                    low * (1.0 - share) + high * share
                };
                return Some(between.clamp(low, high.max(low)));
            }
            below += inside;
            low = high;
        }
        Some(max)
    }
}

impl<T: Arithmetic> HistogramSnapshot<T> {
    /// The values that came after `earlier`. Their extremes are unknown, unless `earlier` is empty.
    ///
    /// A bucket that has fewer values than it had is empty in the interval.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut interval = self.clone();
        if earlier.count == 0 {
            return interval;
        }
        interval.combine_buckets(earlier, u64::saturating_sub);
        interval.sum = self.sum.minus(earlier.sum);
        interval.count = count_of(&interval.buckets);
        let extreme = if interval.count == 0 { Extreme::None } else { Extreme::Unknown };
        (interval.min, interval.max) = (extreme, extreme);
        interval
    }

    /// Whether the histograms have the same buckets.
    pub(crate) fn has_bounds_of(&self, other: &Self) -> bool {
        self.buckets.len() == other.buckets.len()
            && self
                .buckets
                .iter()
                .zip(&other.buckets)
                .all(|(own, other)| own.upper_bound == other.upper_bound)
    }

    /// Whether the count of some bucket is lower than it was.
    pub(crate) fn has_fallen_since(&self, earlier: &Self) -> bool {
        let fallen = |later: &[Bucket<T>], earlier: &[Bucket<T>]| {
            later.iter().zip(earlier).any(|(later, earlier)| later.count < earlier.count)
        };
        if self.has_bounds_of(earlier) {
            return fallen(&self.buckets, &earlier.buckets);
        }
        fallen(&self.coarsened(earlier), &earlier.coarsened(self))
    }

    /// Merges a histogram with the same buckets.
    pub(super) fn merge_same_buckets(&mut self, other: &Self) {
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        for (own, other) in self.buckets.iter_mut().zip(&other.buckets) {
            own.count = own.count.saturating_add(other.count);
        }
        self.merge_all_but_buckets(other);
    }

    fn merge_all_but_buckets(&mut self, other: &Self) {
        self.sum = self.sum.plus(other.sum);
        self.count = self.count.saturating_add(other.count);
        self.min.merge(other.min, |new, old| new < old);
        self.max.merge(other.max, |new, old| new > old);
    }

    /// Combines the counts of the buckets. Where the bounds differ, only the bounds that both have stay.
    fn combine_buckets(&mut self, other: &Self, combine: impl Fn(u64, u64) -> u64) {
        let coarsened;
        let others = if self.has_bounds_of(other) {
            &other.buckets
        } else {
            coarsened = other.coarsened(self);
            self.buckets = self.coarsened(other);
            &coarsened
        };
        for (own, other) in self.buckets.iter_mut().zip(others) {
            own.count = combine(own.count, other.count);
        }
    }

    /// The buckets with only the bounds that `other` has too. Both have their bounds in ascending order.
    fn coarsened(&self, other: &Self) -> Vec<Bucket<T>> {
        let mut others = other.buckets.iter().map_while(|bucket| bucket.upper_bound).peekable();
        let mut kept = Vec::with_capacity(self.buckets.len());
        let mut count = 0_u64;
        for bucket in &self.buckets {
            count = count.saturating_add(bucket.count);
            let is_kept = bucket.upper_bound.is_none_or(|bound| {
                while others.next_if(|other| *other < bound).is_some() {}
                others.peek() == Some(&bound)
            });
            if is_kept {
                kept.push(Bucket { upper_bound: bucket.upper_bound, count });
                count = 0;
            }
        }
        kept
    }
}

/// The number of values in all buckets.
fn count_of<T>(buckets: &[Bucket<T>]) -> u64 {
    buckets.iter().fold(0, |count, bucket| count.saturating_add(bucket.count))
}

/// Buckets with equal bounds are exact. Where bounds differ, the bounds that both histograms have stay, and their buckets are
/// exact.
impl<T: Arithmetic> Merge for HistogramSnapshot<T> {
    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        self.combine_buckets(other, u64::saturating_add);
        self.merge_all_but_buckets(other);
    }
}

impl<T: Output + Arithmetic> Output for HistogramSnapshot<T> {
    const NUMBER: Option<NumberType> = T::NUMBER;
}

impl HistogramSnapshot<Number> {
    /// Whether both have the same type of numbers and the same buckets.
    pub(super) fn has_form_of(&self, other: &Self) -> bool {
        self.sum.number_type() == other.sum.number_type() && self.has_bounds_of(other)
    }

    pub(crate) fn of<T: Copy + Into<Number>>(typed: &HistogramSnapshot<T>) -> Self {
        let buckets = typed.buckets.iter();
        let buckets = buckets
            .map(|bucket| Bucket { upper_bound: bucket.upper_bound.map(Into::into), count: bucket.count });
        Self {
            count: typed.count,
            sum: typed.sum.into(),
            min: typed.min.map(Into::into),
            max: typed.max.map(Into::into),
            buckets: buckets.collect(),
        }
    }
}

impl<T: Output> Serialize for HistogramSnapshot<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut histogram = serializer.serialize_struct("HistogramSnapshot", 5)?;
        histogram.serialize_field("count", &self.count)?;
        histogram.serialize_field("sum", &SerializeOutput(&self.sum))?;
        histogram.serialize_field("min", &self.min)?;
        histogram.serialize_field("max", &self.max)?;
        histogram.serialize_field("buckets", &self.buckets)?;
        histogram.end()
    }
}

impl<T: Output> Serialize for Bucket<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bucket = serializer.serialize_struct("Bucket", 2)?;
        bucket.serialize_field("up_to", &SerializeOutput(&self.upper_bound))?;
        bucket.serialize_field("count", &self.count)?;
        bucket.end()
    }
}

impl<'de, T: Output + Arithmetic> Deserialize<'de> for HistogramSnapshot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "HistogramSnapshot", bound = "T: Output", deny_unknown_fields)]
        struct Fields<T> {
            count: u64,
            sum: DeserializeOutput<T>,
            min: Extreme<T>,
            max: Extreme<T>,
            buckets: Vec<Bucket<T>>,
        }

        let Fields { count, sum, min, max, buckets } = Fields::deserialize(deserializer)?;
        let histogram = Self { count, sum: sum.0, min, max, buckets };
        histogram.check().map_err(D::Error::custom)?;
        Ok(histogram)
    }
}

impl<T: Arithmetic> HistogramSnapshot<T> {
    /// Says what no histogram can have.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let ordered = |pair: &[Bucket<T>]| match (pair[0].upper_bound, pair[1].upper_bound) {
            (Some(lower), Some(upper)) => lower < upper,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if self.buckets.last().is_none_or(|last| last.upper_bound.is_some()) {
            return Err("the last bucket of a histogram has no bound: `\"up_to\": null`");
        }
        if !self.buckets.windows(2).all(ordered) {
            return Err("the bounds of a histogram's buckets ascend");
        }
        if count_of(&self.buckets) != self.count {
            return Err("the count of a histogram is the sum of its buckets");
        }
        let has_values = |extreme: Extreme<T>| !matches!(extreme, Extreme::None);
        if has_values(self.min) != (self.count > 0) || has_values(self.max) != (self.count > 0) {
            return Err("a histogram has a minimum and a maximum exactly when it has values");
        }
        match (self.min.known(), self.max.known()) {
            (Some(min), Some(max)) if min > max => Err("the minimum of a histogram is above its maximum"),
            (min, max) => self.check_extremes(min, max),
        }
    }

    /// Says when an extreme does not lie in its bucket. Text formats may round the last digit of a number.
    fn check_extremes(&self, min: Option<T>, max: Option<T>) -> Result<(), &'static str> {
        let number = |value: T| value.into().as_f64();
        let is_above = |value: f64, bound: f64| value - bound > bound.abs().max(value.abs()) * 1e-12;
        let is_inside = |index: usize, value: T| {
            let bound = |index: usize| Some(number(self.buckets.get(index)?.upper_bound?));
            let below = index.checked_sub(1).and_then(bound);
            below.is_none_or(|below| !is_above(below, number(value)))
                && bound(index).is_none_or(|bound| !is_above(number(value), bound))
        };
        let has_values = |bucket: &Bucket<T>| bucket.count > 0;
        let (first, last) =
            (self.buckets.iter().position(has_values), self.buckets.iter().rposition(has_values));
        let fits = |index: Option<usize>, value: Option<T>| {
            index.zip(value).is_none_or(|(index, value)| is_inside(index, value))
        };
        if fits(first, min) && fits(last, max) {
            Ok(())
        } else {
            Err("an extreme of a histogram does not lie in the bucket that has it")
        }
    }
}

impl<'de, T: Output> Deserialize<'de> for Bucket<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Bucket", bound = "T: Output", deny_unknown_fields)]
        struct Fields<T> {
            #[serde(rename = "up_to")]
            upper_bound: DeserializeOutput<Option<T>>,
            count: u64,
        }

        let Fields { upper_bound, count } = Fields::deserialize(deserializer)?;
        Ok(Self { upper_bound: upper_bound.0, count })
    }
}
