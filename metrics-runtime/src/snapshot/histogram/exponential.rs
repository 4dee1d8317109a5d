//! Exponential buckets: each is wider than the one before it by the same factor.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::super::extreme::Extreme;
use super::bounds::{bound, indexes, midpoint};

/// Buckets with powers of one base as bounds, which need no choice.
///
/// This is the data model of OpenTelemetry: the base is 2<sup>2<sup>-scale</sup></sup>. At scale 0 each bucket is twice as wide as
/// the one before it; at each further scale every bucket has two halves. Histograms begin at scale 8 and go down by one whenever
/// their values need more buckets than they may have. Durations are counted in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialBuckets {
    /// How fine the buckets are, from -10 to 20.
    pub scale: i32,
    /// The number of values that are zero.
    pub zero: u64,
    /// The buckets of the values above zero.
    pub positive: BucketRange,
    /// The buckets of the values below zero, by their distance from zero.
    pub negative: BucketRange,
}

/// Neighbouring exponential buckets.
///
/// The bucket at position `i` counts the values above base<sup>offset + i</sup> and up to base<sup>offset + i + 1</sup>.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketRange {
    /// The index of the first bucket.
    pub offset: i32,
    /// The number of values in each bucket.
    #[serde(deserialize_with = "read_counts")]
    pub counts: Vec<u64>,
}

/// The counts stand in one line, also where `{:#?}` gives each field a line of its own.
impl fmt::Debug for BucketRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = format_args!("{:?}", self.counts);
        formatter.debug_struct("BucketRange").field("offset", &self.offset).field("counts", &counts).finish()
    }
}

/// One exponential bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ExponentialBucket {
    /// All values of the bucket are above it. Those of a bucket below zero may also be equal to it.
    pub lower_bound: f64,
    /// No value of the bucket is above it. Those of a bucket below zero are all below it.
    pub upper_bound: f64,
    /// The number of values in this bucket alone.
    pub count: u64,
}

impl ExponentialBuckets {
    /// The finest scale that snapshots have.
    pub const MAX_SCALE: i32 = 20;
    /// The coarsest scale that snapshots have: three buckets on each side of zero take all numbers.
    pub const MIN_SCALE: i32 = -10;

    /// The number of values in all buckets.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self.positive.counts.iter().chain(&self.negative.counts);
        counts.fold(self.zero, |sum, count| sum.saturating_add(*count))
    }
}

/// How many buckets on one side of zero are read.
const MAX_READ_BUCKETS: usize = 65_536;

/// Where a bucket lies, with its index.
#[derive(Debug, Clone, Copy)]
enum Place {
    Below(i64),
    Zero,
    Above(i64),
}

/// Merged histograms have at most this many buckets above and below zero. With one number for all, the order of merging does not
/// matter.
const MAX_MERGED_BUCKETS: i64 = 160;

impl ExponentialBuckets {
    /// The buckets that have values, in ascending order. Both bounds of the bucket of zeros are 0.
    ///
    /// The bounds are the nearest floating-point numbers, or beside them; powers of two are exact.
    ///
    /// ```
    /// use mvx_metrics::{BucketRange, ExponentialBuckets};
    ///
    /// let buckets = ExponentialBuckets {
    ///     scale: 0,
    ///     zero: 7,
    ///     positive: BucketRange { offset: 2, counts: vec![5, 0, 3] },
    ///     negative: BucketRange { offset: -1, counts: vec![4] },
    /// };
    /// let buckets: Vec<_> =
    ///     buckets.iter().map(|bucket| (bucket.lower_bound, bucket.upper_bound, bucket.count)).collect();
    /// assert_eq!(buckets, [(-1.0, -0.5, 4), (0.0, 0.0, 7), (4.0, 8.0, 5), (16.0, 32.0, 3)]);
    /// ```
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = ExponentialBucket> + '_ {
        let bounds = |index: i64| (bound(self.scale, index), bound(self.scale, index + 1));
        self.filled().map(move |(place, count)| {
            let (lower_bound, upper_bound) = match place {
                Place::Below(index) => {
                    let (near, far) = bounds(index);
                    (-far, -near)
                }
                Place::Zero => (0.0, 0.0),
                Place::Above(index) => bounds(index),
            };
            ExponentialBucket { lower_bound, upper_bound, count }
        })
    }

    /// The places and counts of the buckets that have values, in ascending order.
    fn filled(&self) -> impl DoubleEndedIterator<Item = (Place, u64)> + '_ {
        let below = self.negative.filled(0).rev().map(|(index, count)| (Place::Below(index), count));
        let above = self.positive.filled(0).map(|(index, count)| (Place::Above(index), count));
        let zero = (self.zero > 0).then_some((Place::Zero, self.zero));
        below.chain(zero).chain(above)
    }

    /// The same values in buckets of a coarser scale. At a scale that is not coarser nothing changes.
    ///
    /// ```
    /// use mvx_metrics::{BucketRange, ExponentialBuckets};
    ///
    /// let buckets = ExponentialBuckets {
    ///     scale: 1,
    ///     positive: BucketRange { offset: 2, counts: vec![5, 1, 3] },
    ///     ..ExponentialBuckets::default()
    /// };
    /// assert_eq!(buckets.downscaled(0).positive, BucketRange { offset: 1, counts: vec![6, 3] });
    /// ```
    #[must_use]
    pub fn downscaled(&self, scale: i32) -> Self {
        self.at_scale(scale.into())
    }

    /// The same for a scale that buckets written by hand may need.
    fn at_scale(&self, scale: i64) -> Self {
        let steps = self.steps_to(scale);
        let scale = scale.clamp(i32::MIN.into(), self.scale.into());
        Self {
            scale: i32::try_from(scale).unwrap_or_default(),
            zero: self.zero,
            positive: self.positive.downscaled(steps),
            negative: self.negative.downscaled(steps),
        }
    }

    /// How much coarser a scale is.
    fn steps_to(&self, scale: i64) -> u32 {
        u32::try_from(i64::from(self.scale).saturating_sub(scale)).unwrap_or(0)
    }

    /// Adds the values of other buckets. The scale becomes as coarse as both need.
    pub(super) fn merge(&mut self, other: &Self) {
        let len = self.positive.counts.len() + self.negative.counts.len();
        let is_within = self.scale == other.scale
            && i64::try_from(len).is_ok_and(|len| len <= MAX_MERGED_BUCKETS)
            && self.positive.covers(&other.positive)
            && self.negative.covers(&other.negative);
        if is_within {
            self.zero = self.zero.saturating_add(other.zero);
            self.positive.add(&other.positive);
            self.negative.add(&other.negative);
        } else {
            self.combine(other, MAX_MERGED_BUCKETS, u64::saturating_add);
        }
    }

    /// Raises each count to at least the one in `earlier`.
    ///
    /// A single recorder may have more buckets than merged ones. Raising keeps them: the next complete totals have them again, and
    /// Prometheus takes a finer scale for a reset.
    pub(super) fn raise_to(&mut self, earlier: &Self) {
        let max_buckets = MAX_MERGED_BUCKETS.max(self.span_len()).max(earlier.span_len());
        self.combine(earlier, max_buckets, u64::max);
    }

    /// The number of buckets from the first to the last one with values, on both sides.
    fn span_len(&self) -> i64 {
        let len = |range: &BucketRange| range.span(0).map_or(0, |(first, last)| last - first + 1);
        len(&self.positive) + len(&self.negative)
    }

    /// Combines the counts bucket by bucket, at a scale that both need. The rule keeps a zero beside a zero.
    fn combine(&mut self, other: &Self, max_buckets: i64, rule: impl Fn(u64, u64) -> u64) {
        let scale = self.common_scale(other, max_buckets);
        let (own, other) = (self.at_scale(scale), other.at_scale(scale));
        *self = Self {
            scale: own.scale,
            zero: rule(own.zero, other.zero),
            positive: own.positive.combined(&other.positive, &rule),
            negative: own.negative.combined(&other.negative, &rule),
        };
    }

    /// The finest scale at which the buckets of both together are not too many.
    fn common_scale(&self, other: &Self, max_buckets: i64) -> i64 {
        let spans = |scale: i64, of: fn(&Self) -> &BucketRange| {
            let span = |buckets: &Self| of(buckets).span(buckets.steps_to(scale));
            union(span(self), span(other)).map_or(0, |(first, last)| last - first + 1)
        };
        let mut scale = i64::from(self.scale.min(other.scale));
        while spans(scale, |buckets| &buckets.positive) + spans(scale, |buckets| &buckets.negative)
            > max_buckets
        {
            scale -= 1;
        }
        scale
    }

    /// `HistogramSnapshot::quantile` for these buckets.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn quantile(&self, extremes: [Extreme<f64>; 2], quantile: f64) -> Option<f64> {
        let [min, max] = extremes.map(Extreme::known);
        let (lower, upper) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
        // A snapshot that was written by hand can contain anything.
        if !(0.0..=1.0).contains(&quantile) || lower.is_nan() || upper.is_nan() || lower > upper {
            return None;
        }
        let estimate = |place: Place| {
            let estimate = match place {
                Place::Below(index) => -midpoint(self.scale, index),
                Place::Zero => 0.0,
                Place::Above(index) => midpoint(self.scale, index),
            };
            estimate.clamp(lower, upper)
        };
        let last = self.filled().next_back().map(|(place, _)| estimate(place))?;
        if quantile <= 0.0 && min.is_some() {
            return min;
        }
        if quantile >= 1.0 {
            return max.or(Some(last));
        }
        let rank = quantile * self.count() as f64;
        let mut count = 0_u64;
        let mut buckets = self.filled();
        let here = buckets.find(|(_, inside)| {
            count = count.saturating_add(*inside);
            count as f64 >= rank
        });
        Some(here.map_or(last, |(place, _)| estimate(place)))
    }

    /// Says what no buckets can be.
    pub(super) fn check(&self, may_be_negative: bool) -> Result<(), &'static str> {
        if !(Self::MIN_SCALE..=Self::MAX_SCALE).contains(&self.scale) {
            return Err("the scale of a histogram is between -10 and 20");
        }
        let (first, last) = indexes(self.scale);
        for range in [&self.positive, &self.negative] {
            let end = range.index(range.counts.len()) - 1;
            if !range.counts.is_empty() && (i64::from(range.offset) < first || end > last) {
                return Err("a histogram has buckets in which no number is");
            }
        }
        if !may_be_negative && self.negative.span(0).is_some() {
            return Err("a histogram of numbers that are never negative has buckets below zero");
        }
        Ok(())
    }

    /// The lower and the upper bound of the first bucket with values, and of the last one; `None` where there is none.
    pub(super) fn ends(&self) -> Option<[(Option<f64>, Option<f64>); 2]> {
        let bounds = |bucket: ExponentialBucket| (Some(bucket.lower_bound), Some(bucket.upper_bound));
        let mut buckets = self.iter();
        let first = bounds(buckets.next()?);
        Some([first, buckets.next_back().map_or(first, bounds)])
    }

    /// The values that came after `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let scale = self.scale.min(earlier.scale);
        let (own, earlier) = (self.downscaled(scale), earlier.downscaled(scale));
        Self {
            scale,
            zero: own.zero.saturating_sub(earlier.zero),
            positive: own.positive.without(&earlier.positive),
            negative: own.negative.without(&earlier.negative),
        }
    }

    /// Whether the count of some bucket is lower than it was.
    pub(super) fn has_fallen_since(&self, earlier: &Self) -> bool {
        let scale = self.scale.min(earlier.scale);
        let (own, earlier) = (self.downscaled(scale), earlier.downscaled(scale));
        own.zero < earlier.zero
            || own.positive.has_fallen_since(&earlier.positive)
            || own.negative.has_fallen_since(&earlier.negative)
    }
}

/// The first and the last index of a range that contains both.
pub(crate) fn union(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some((first, last)), Some(other)) => Some((first.min(other.0), last.max(other.1))),
        (one, other) => one.or(other),
    }
}

impl BucketRange {
    /// The indexes and counts of the buckets that have values, at a scale that is this many steps coarser. Several buckets may
    /// have one index there.
    ///
    /// Snapshots that were written by hand may have any offset, so all indexes have 64 bits.
    pub(crate) fn filled(&self, steps: u32) -> impl DoubleEndedIterator<Item = (i64, u64)> + '_ {
        let buckets = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        buckets.map(move |(position, count)| (self.index(position) >> steps.min(63), *count))
    }

    fn index(&self, position: usize) -> i64 {
        i64::from(self.offset).saturating_add(i64::try_from(position).unwrap_or(i64::MAX))
    }

    /// The position of the bucket with this index.
    fn position(&self, index: i64) -> Option<usize> {
        usize::try_from(index.checked_sub(i64::from(self.offset))?).ok()
    }

    fn count_at(&self, index: i64) -> u64 {
        self.position(index).and_then(|position| self.counts.get(position)).copied().unwrap_or(0)
    }

    /// The indexes of the first and the last bucket with values, at a scale that is this many steps coarser.
    pub(crate) fn span(&self, steps: u32) -> Option<(i64, i64)> {
        let mut filled = self.filled(steps);
        let (first, _) = filled.next()?;
        Some((first, filled.next_back().map_or(first, |(last, _)| last)))
    }

    /// Empty buckets for these indexes.
    fn of_span((first, last): (i64, i64)) -> Self {
        let len = usize::try_from(last - first + 1).unwrap_or(0);
        // An offset that does not fit is one that no value has.
        let offset = i32::try_from(first.clamp(i32::MIN.into(), i32::MAX.into())).unwrap_or_default();
        Self { offset, counts: vec![0; len] }
    }

    fn downscaled(&self, steps: u32) -> Self {
        let Some(span) = self.span(steps) else { return Self::default() };
        let mut coarse = Self::of_span(span);
        for (index, count) in self.filled(steps) {
            if let Some(sum) = usize::try_from(index - span.0).ok().and_then(|at| coarse.counts.get_mut(at)) {
                *sum = sum.saturating_add(count);
            }
        }
        coarse
    }

    /// Whether each bucket of the other range that has values is one of this range.
    fn covers(&self, other: &Self) -> bool {
        let has = |index: i64| self.position(index).is_some_and(|position| position < self.counts.len());
        other.span(0).is_none_or(|(first, last)| has(first) && has(last))
    }

    /// Adds counts of buckets that this range has.
    fn add(&mut self, other: &Self) {
        for (index, count) in other.filled(0) {
            if let Some(sum) = self.position(index).and_then(|position| self.counts.get_mut(position)) {
                *sum = sum.saturating_add(count);
            }
        }
    }

    fn combined(&self, other: &Self, rule: impl Fn(u64, u64) -> u64) -> Self {
        let Some(span) = union(self.span(0), other.span(0)) else { return Self::default() };
        let mut combined = Self::of_span(span);
        for (index, count) in (span.0..).zip(&mut combined.counts) {
            *count = rule(self.count_at(index), other.count_at(index));
        }
        combined
    }

    /// The counts less those of an earlier range of the same scale, without empty buckets at the ends.
    fn without(&self, earlier: &Self) -> Self {
        let mut rest = self.clone();
        for (position, count) in rest.counts.iter_mut().enumerate() {
            *count = count.saturating_sub(earlier.count_at(self.index(position)));
        }
        rest.downscaled(0)
    }

    fn has_fallen_since(&self, earlier: &Self) -> bool {
        earlier.filled(0).any(|(index, count)| self.count_at(index) < count)
    }
}

/// Reads no more counts than a histogram can have, whatever length the text claims.
fn read_counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    struct Counts;

    impl<'de> Visitor<'de> for Counts {
        type Value = Vec<u64>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the counts of buckets")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut counts = Vec::new();
            while let Some(count) = list.next_element()? {
                if counts.len() >= MAX_READ_BUCKETS {
                    let problem = format_args!("a histogram has more than {MAX_READ_BUCKETS} buckets");
                    return Err(A::Error::custom(problem));
                }
                counts.push(count);
            }
            Ok(counts)
        }
    }

    deserializer.deserialize_seq(Counts)
}
