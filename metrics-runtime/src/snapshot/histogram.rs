//! The snapshot of a histogram.

mod bounds;
mod explicit;
mod exponential;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::de::Error as DeserializeError;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde::{Deserialize, Deserializer};

#[cfg(feature = "page")]
pub(crate) use self::bounds::bound;
#[cfg(feature = "openmetrics")]
pub(crate) use self::bounds::{MIN_EXPONENT, power_of_two};
pub use self::explicit::Bucket;
#[cfg(feature = "openmetrics")]
pub(crate) use self::exponential::union;
pub use self::exponential::{BucketRange, ExponentialBucket, ExponentialBuckets};
use super::extreme::Extreme;
use super::merge::Merge;
use super::output::{DeserializeOutput, Output, SerializeOutput};
use crate::number::{Arithmetic, Number, NumberType};

/// A distribution over buckets at one moment.
///
/// Serialises as `{"count", "sum", "min", "max", "buckets": [{"up_to", "count"}, ..]}`. Exponential buckets serialise as
/// `"scale", "zero", "positive": {"offset", "counts": [..]}, "negative": {"offset", "counts": [..]}` in place of `"buckets"`.
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
    /// The number of values in each bucket.
    pub buckets: Buckets<T>,
}

/// The buckets of a histogram.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Buckets<T> {
    /// Buckets with bounds from the declaration, in ascending order; the last one has no upper bound.
    Explicit(Vec<Bucket<T>>),
    /// Buckets with powers of one base as bounds.
    Exponential(ExponentialBuckets),
}

impl<T> Buckets<T> {
    /// The buckets if their bounds come from the declaration.
    #[must_use]
    pub fn explicit(&self) -> Option<&[Bucket<T>]> {
        match self {
            Self::Explicit(buckets) => Some(buckets),
            Self::Exponential(_) => None,
        }
    }

    /// The buckets if they are exponential.
    #[must_use]
    pub fn exponential(&self) -> Option<&ExponentialBuckets> {
        match self {
            Self::Explicit(_) => None,
            Self::Exponential(buckets) => Some(buckets),
        }
    }

    /// The number of values in all buckets.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Explicit(buckets) => explicit::count_of(buckets),
            Self::Exponential(buckets) => buckets.count(),
        }
    }
}

impl<T> From<Vec<Bucket<T>>> for Buckets<T> {
    fn from(buckets: Vec<Bucket<T>>) -> Self {
        Self::Explicit(buckets)
    }
}

impl<T> From<ExponentialBuckets> for Buckets<T> {
    fn from(buckets: ExponentialBuckets) -> Self {
        Self::Exponential(buckets)
    }
}

impl<T: Copy + Into<Number>> HistogramSnapshot<T> {
    /// Estimates a quantile, in seconds for durations: `quantile(0.95)` is the value that 95% of the values do not exceed.
    ///
    /// With explicit buckets the estimate interpolates inside a bucket, between the minimum and the maximum: geometrically where
    /// both ends are positive, else linearly. In the last bucket, which has no upper bound, it is the bucket's lower bound or the
    /// minimum, whichever is larger, and the maximum for `quantile(1.0)`. So a single outlier moves no other quantile.
    ///
    /// Where the extremes are unknown, the first bucket begins at zero, or at its bound if that is not positive, and the maximum
    /// is the largest bound.
    ///
    /// With exponential buckets it is the geometric midpoint of a bucket, between the minimum and the maximum, where those are
    /// known: they are the answers to 0 and 1. It is within 2.2% of the value when the largest one is at most 950 times the
    /// smallest, and within 4.5% up to a factor of 900,000, with 160 buckets. [`Histogram`](crate::Histogram#how-many-buckets) has
    /// the errors of larger factors and of other numbers of buckets. The bucket of zeros answers 0.
    ///
    /// `None` when nothing was recorded, `quantile` is not between 0 and 1, or the minimum is above the maximum.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let extremes = [self.min, self.max].map(|extreme| extreme.map(|value| value.into().as_f64()));
        match &self.buckets {
            Buckets::Explicit(buckets) => explicit::quantile(buckets, self.count, extremes, quantile),
            Buckets::Exponential(buckets) => buckets.quantile(extremes, quantile),
        }
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
        interval.buckets = match (&self.buckets, &earlier.buckets) {
            (Buckets::Exponential(later), Buckets::Exponential(earlier)) => later.since(earlier).into(),
            _ => self.combined_bounds(earlier, u64::saturating_sub),
        };
        interval.sum = self.sum.minus(earlier.sum);
        interval.count = interval.buckets.count();
        let extreme = if interval.count == 0 { Extreme::None } else { Extreme::Unknown };
        (interval.min, interval.max) = (extreme, extreme);
        interval
    }

    /// Whether the histograms have the same explicit buckets, or both have exponential ones.
    pub(crate) fn has_buckets_of(&self, other: &Self) -> bool {
        match (&self.buckets, &other.buckets) {
            (Buckets::Explicit(own), Buckets::Explicit(others)) => explicit::have_same_bounds(own, others),
            (Buckets::Exponential(_), Buckets::Exponential(_)) => true,
            _ => false,
        }
    }

    /// Whether the count of some bucket is lower than it was.
    pub(crate) fn has_fallen_since(&self, earlier: &Self) -> bool {
        if let (Buckets::Exponential(later), Buckets::Exponential(earlier)) =
            (&self.buckets, &earlier.buckets)
        {
            return later.has_fallen_since(earlier);
        }
        let [own, others] = self.with_common_bounds(earlier);
        explicit::have_fallen(&own, &others)
    }

    /// Raises each bucket to at least its count in `earlier`, so that the count still is the sum of the buckets. Nothing changes
    /// where the buckets differ.
    pub(super) fn raise_to(&mut self, earlier: &Self) {
        if !self.has_buckets_of(earlier) {
            return;
        }
        match (&mut self.buckets, &earlier.buckets) {
            (Buckets::Explicit(own), Buckets::Explicit(earlier)) => explicit::combine(own, earlier, u64::max),
            (Buckets::Exponential(own), Buckets::Exponential(earlier)) => own.raise_to(earlier),
            _ => {}
        }
        self.count = self.buckets.count();
        if earlier.sum > self.sum {
            self.sum = earlier.sum;
        }
        self.merge_extremes(earlier);
    }

    fn merge_extremes(&mut self, other: &Self) {
        self.min.merge(other.min, |new, old| new < old);
        self.max.merge(other.max, |new, old| new > old);
    }

    /// The buckets of both with the bounds that both have. Explicit and exponential buckets have none in common: one bucket without
    /// a bound stays.
    fn with_common_bounds<'a>(&'a self, other: &'a Self) -> [Cow<'a, [Bucket<T>]>; 2] {
        let unbounded =
            |histogram: &Self| vec![Bucket { upper_bound: None, count: histogram.buckets.count() }].into();
        match (&self.buckets, &other.buckets) {
            (Buckets::Explicit(own), Buckets::Explicit(others)) => {
                if explicit::have_same_bounds(own, others) {
                    [own.into(), others.into()]
                } else {
                    [explicit::coarsened(own, others).into(), explicit::coarsened(others, own).into()]
                }
            }
            _ => [unbounded(self), unbounded(other)],
        }
    }

    /// The buckets with the bounds that both have, their counts combined.
    fn combined_bounds(&self, other: &Self, rule: impl Fn(u64, u64) -> u64) -> Buckets<T> {
        let [own, others] = self.with_common_bounds(other);
        let mut combined = own.into_owned();
        explicit::combine(&mut combined, &others, rule);
        combined.into()
    }
}

/// Buckets with equal bounds are exact, and so are exponential buckets, at the scale that both need; that is at most 160 buckets.
/// Where explicit bounds differ, the bounds that both histograms have stay, and their buckets are exact. Explicit and exponential
/// buckets have no bounds in common, so a single bucket stays, which has no bound.
impl<T: Arithmetic> Merge for HistogramSnapshot<T> {
    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        match (&mut self.buckets, &other.buckets) {
            (Buckets::Explicit(own), Buckets::Explicit(others))
                if explicit::have_same_bounds(own, others) =>
            {
                explicit::combine(own, others, u64::saturating_add);
            }
            (Buckets::Exponential(own), Buckets::Exponential(others)) => own.merge(others),
            _ => self.buckets = self.combined_bounds(other, u64::saturating_add),
        }
        self.sum = self.sum.plus(other.sum);
        self.count = self.count.saturating_add(other.count);
        self.merge_extremes(other);
    }
}

impl<T: Output + Arithmetic> Output for HistogramSnapshot<T> {
    const NUMBER: Option<NumberType> = T::NUMBER;
}

impl HistogramSnapshot<Number> {
    pub(crate) fn of<T: Copy + Into<Number>>(typed: &HistogramSnapshot<T>) -> Self {
        let buckets = match &typed.buckets {
            Buckets::Explicit(buckets) => {
                let erased = |bucket: &Bucket<T>| Bucket {
                    upper_bound: bucket.upper_bound.map(Into::into),
                    count: bucket.count,
                };
                Buckets::Explicit(buckets.iter().map(erased).collect())
            }
            Buckets::Exponential(buckets) => Buckets::Exponential(buckets.clone()),
        };
        Self {
            count: typed.count,
            sum: typed.sum.into(),
            min: typed.min.map(Into::into),
            max: typed.max.map(Into::into),
            buckets,
        }
    }
}

impl<T: Output> Serialize for HistogramSnapshot<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = if self.buckets.explicit().is_some() { 5 } else { 8 };
        let mut histogram = serializer.serialize_struct("HistogramSnapshot", fields)?;
        histogram.serialize_field("count", &self.count)?;
        histogram.serialize_field("sum", &SerializeOutput(&self.sum))?;
        histogram.serialize_field("min", &self.min)?;
        histogram.serialize_field("max", &self.max)?;
        match &self.buckets {
            Buckets::Explicit(buckets) => histogram.serialize_field("buckets", buckets)?,
            Buckets::Exponential(ExponentialBuckets { scale, zero, positive, negative }) => {
                histogram.serialize_field("scale", scale)?;
                histogram.serialize_field("zero", zero)?;
                histogram.serialize_field("positive", positive)?;
                histogram.serialize_field("negative", negative)?;
            }
        }
        histogram.end()
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
            #[serde(default, deserialize_with = "present")]
            buckets: Option<Vec<Bucket<T>>>,
            #[serde(default, deserialize_with = "present")]
            scale: Option<i32>,
            #[serde(default, deserialize_with = "present")]
            zero: Option<u64>,
            #[serde(default, deserialize_with = "present")]
            positive: Option<BucketRange>,
            #[serde(default, deserialize_with = "present")]
            negative: Option<BucketRange>,
        }

        /// A field that is there has a value: null is none.
        fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
            T::deserialize(field).map(Some)
        }

        let Fields { count, sum, min, max, buckets, scale, zero, positive, negative } =
            Fields::deserialize(deserializer)?;
        let missing = D::Error::missing_field;
        let buckets = match (buckets, scale) {
            (Some(buckets), None) if zero.is_none() && positive.is_none() && negative.is_none() => {
                Buckets::Explicit(buckets)
            }
            (Some(_), _) => {
                return Err(D::Error::custom(
                    "a histogram has either `buckets`, or `scale`, `zero`, `positive` and `negative`",
                ));
            }
            (None, None) if zero.is_none() && positive.is_none() && negative.is_none() => {
                return Err(missing("buckets"));
            }
            (None, scale) => Buckets::Exponential(ExponentialBuckets {
                scale: scale.ok_or_else(|| missing("scale"))?,
                zero: zero.ok_or_else(|| missing("zero"))?,
                positive: positive.ok_or_else(|| missing("positive"))?,
                negative: negative.ok_or_else(|| missing("negative"))?,
            }),
        };
        let histogram = Self { count, sum: sum.0, min, max, buckets };
        histogram.check().map_err(D::Error::custom)?;
        Ok(histogram)
    }
}

impl<T: Arithmetic> HistogramSnapshot<T> {
    /// Says what no histogram can have.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match &self.buckets {
            Buckets::Explicit(buckets) => explicit::check(buckets)?,
            Buckets::Exponential(buckets) => buckets.check(self.sum.into().may_be_negative())?,
        }
        if self.buckets.count() != self.count {
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
        // Numbers next to zero have fewer digits.
        let rounding = |one: f64, other: f64| (one.abs().max(other.abs()) * 1e-12).max(f64::from_bits(1));
        let is_above = |value: f64, bound: f64| value - bound > rounding(value, bound);
        let is_between = |(below, bound): (Option<f64>, Option<f64>), value: f64| {
            below.is_none_or(|below| !is_above(below, value))
                && bound.is_none_or(|bound| !is_above(value, bound))
        };
        // Exponential buckets may count a subnormal number as the smallest normal one.
        let is_inside = |bounds, value: T| {
            let value = number(value);
            let normal = f64::MIN_POSITIVE.copysign(value);
            is_between(bounds, value) || (value.is_subnormal() && is_between(bounds, normal))
        };
        let ends = match &self.buckets {
            Buckets::Explicit(buckets) => explicit::ends(buckets),
            Buckets::Exponential(buckets) => buckets.ends(),
        };
        let Some([first, last]) = ends else { return Ok(()) };
        let fits = |bounds, value: Option<T>| value.is_none_or(|value| is_inside(bounds, value));
        if fits(first, min) && fits(last, max) {
            Ok(())
        } else {
            Err("an extreme of a histogram does not lie in the bucket that has it")
        }
    }
}
