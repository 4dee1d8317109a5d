//! Buckets with bounds that the declaration names.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde::{Deserialize, Deserializer};

use super::super::extreme::Extreme;
use super::super::output::{DeserializeOutput, Output, SerializeOutput};
use crate::number::Number;

/// One bucket of a histogram with explicit bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket<T> {
    /// The largest value that belongs to the bucket; `None` for the last bucket. Serialised as `up_to`.
    pub upper_bound: Option<T>,
    /// The number of values in this bucket alone, without those in lower buckets.
    pub count: u64,
}

/// The number of values in all buckets.
pub(super) fn count_of<T>(buckets: &[Bucket<T>]) -> u64 {
    buckets.iter().fold(0, |count, bucket| count.saturating_add(bucket.count))
}

/// Whether both have the same bounds.
pub(super) fn have_same_bounds<T: PartialEq>(own: &[Bucket<T>], others: &[Bucket<T>]) -> bool {
    own.len() == others.len()
        && own.iter().zip(others).all(|(own, other)| own.upper_bound == other.upper_bound)
}

/// The buckets with only the bounds that `others` have too. Both have their bounds in ascending order.
pub(super) fn coarsened<T: Copy + PartialOrd>(own: &[Bucket<T>], others: &[Bucket<T>]) -> Vec<Bucket<T>> {
    let mut others = others.iter().map_while(|bucket| bucket.upper_bound).peekable();
    let mut kept = Vec::with_capacity(own.len());
    let mut count = 0_u64;
    for bucket in own {
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

/// Combines the counts of buckets with the same bounds.
pub(super) fn combine<T>(own: &mut [Bucket<T>], others: &[Bucket<T>], rule: impl Fn(u64, u64) -> u64) {
    for (own, other) in own.iter_mut().zip(others) {
        own.count = rule(own.count, other.count);
    }
}

/// Whether the count of some bucket is lower than it was.
pub(super) fn have_fallen<T>(later: &[Bucket<T>], earlier: &[Bucket<T>]) -> bool {
    later.iter().zip(earlier).any(|(later, earlier)| later.count < earlier.count)
}

/// Says what no buckets can be.
pub(super) fn check<T: PartialOrd + Copy>(buckets: &[Bucket<T>]) -> Result<(), &'static str> {
    let ordered = |pair: &[Bucket<T>]| match (pair[0].upper_bound, pair[1].upper_bound) {
        (Some(lower), Some(upper)) => lower < upper,
        (Some(_), None) => true,
        (None, _) => false,
    };
    if buckets.last().is_none_or(|last| last.upper_bound.is_some()) {
        return Err("the last bucket of a histogram has no bound: `\"up_to\": null`");
    }
    if !buckets.windows(2).all(ordered) {
        return Err("the bounds of a histogram's buckets ascend");
    }
    Ok(())
}

/// The lower and the upper bound of the first bucket with values, and of the last one; `None` where there is none.
pub(super) fn ends<T: Copy + Into<Number>>(buckets: &[Bucket<T>]) -> Option<[(Option<f64>, Option<f64>); 2]> {
    let bound = |index: usize| Some(buckets.get(index)?.upper_bound?.into().as_f64());
    let bounds = |index: usize| (index.checked_sub(1).and_then(bound), bound(index));
    let has_values = |bucket: &Bucket<T>| bucket.count > 0;
    let first = buckets.iter().position(has_values)?;
    let last = buckets.iter().rposition(has_values)?;
    Some([bounds(first), bounds(last)])
}

/// `HistogramSnapshot::quantile` for these buckets.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn quantile<T: Copy + Into<Number>>(
    buckets: &[Bucket<T>],
    count: u64,
    [least, most]: [Extreme<f64>; 2],
    quantile: f64,
) -> Option<f64> {
    let number = |value: T| value.into().as_f64();
    let bounds = || buckets.iter().filter_map(|bucket| bucket.upper_bound).map(number);
    let (min, max) = match (least.known(), most.known()) {
        (Some(min), Some(max)) => (min, max),
        _ if count == 0 || (!least.is_unknown() && !most.is_unknown()) => {
            return None;
        }
        (min, max) => {
            let (min, max) = (min.or(bounds().next().map(|bound| bound.min(0.0)))?, max.or(bounds().last())?);
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
    let rank = quantile * count as f64;
    let mut below = 0.0;
    let mut low = min;
    for bucket in buckets {
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

impl<T: Output> Serialize for Bucket<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bucket = serializer.serialize_struct("Bucket", 2)?;
        bucket.serialize_field("up_to", &SerializeOutput(&self.upper_bound))?;
        bucket.serialize_field("count", &self.count)?;
        bucket.end()
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
