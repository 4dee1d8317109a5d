//! The bounds that all formats show of exponential buckets: powers of two, whatever the scale is.
//!
//! All series of a family have the same bounds, so that a query can add them up bound by bound. A bucket of scale 0 or above lies
//! between two neighbouring powers of two, so the count at a power is exact. Values only come, a scale only falls, and the memory
//! keeps the bounds of a family, so a bound that was shown stays, and its count never falls. A bucket of a negative scale contains
//! powers of two. There the count at a bound includes the bucket that contains it.

use crate::snapshot::{BucketRange, ExponentialBuckets, MIN_EXPONENT, power_of_two, union};

/// The exponent of the largest power of two.
const MAX_EXPONENT: i64 = 1023;

/// The powers of two that the series of a family show, as the first and the last exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PowerRange {
    negative: Option<(i64, i64)>,
    /// Whether the bound 0 is shown.
    zero: bool,
    positive: Option<(i64, i64)>,
}

impl PowerRange {
    /// The range that these buckets need.
    pub(super) fn of(buckets: &ExponentialBuckets) -> Self {
        let negative = exponents(buckets, &buckets.negative);
        Self {
            negative,
            zero: negative.is_some() || buckets.zero > 0,
            positive: exponents(buckets, &buckets.positive),
        }
    }

    /// The range of both.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            negative: union(self.negative, other.negative),
            zero: self.zero || other.zero,
            positive: union(self.positive, other.positive),
        }
    }

    /// The number of bounds.
    pub(super) fn len(self) -> usize {
        let len = |range: Option<(i64, i64)>| {
            range.map_or(0, |(first, last)| usize::try_from(last - first + 1).unwrap_or(0))
        };
        len(self.negative) + usize::from(self.zero) + len(self.positive)
    }
}

/// The finite bounds of the range in ascending order. With each, the number of values in the buckets that begin below it; at 0, the
/// zeros too.
pub(super) fn cumulative(buckets: &ExponentialBuckets, range: PowerRange) -> Vec<(f64, u64)> {
    let (steps, powers) = (steps_to_powers(buckets), powers_in_bucket(buckets));
    let mut bounds = Vec::with_capacity(range.len());
    let mut count = 0_u64;
    let mut left = buckets.negative.filled(steps).rev().peekable();
    if let Some((first, last)) = range.negative {
        for exponent in (first..=last).rev() {
            while let Some((_, values)) = left.next_if(|(index, _)| (index + 1) * powers > exponent) {
                count = count.saturating_add(values);
            }
            bounds.push((-power_of_two(exponent), count));
        }
    }
    count = left.fold(count, |count, (_, values)| count.saturating_add(values));
    count = count.saturating_add(buckets.zero);
    if range.zero {
        bounds.push((0.0, count));
    }
    if let Some((first, last)) = range.positive {
        let mut left = buckets.positive.filled(steps).peekable();
        for exponent in first..=last {
            while let Some((_, values)) = left.next_if(|(index, _)| index * powers < exponent) {
                count = count.saturating_add(values);
            }
            bounds.push((power_of_two(exponent), count));
        }
    }
    bounds
}

/// How much coarser the buckets between neighbouring powers of two are.
fn steps_to_powers(buckets: &ExponentialBuckets) -> u32 {
    u32::try_from(buckets.scale).unwrap_or(0)
}

/// How many powers of two lie in one bucket. More than 12 steps below scale 0, there are no more numbers.
fn powers_in_bucket(buckets: &ExponentialBuckets) -> i64 {
    1 << buckets.scale.min(0).unsigned_abs().min(12)
}

/// The exponents of the first and the last power of two that bounds a bucket of the range, or lies in one.
fn exponents(buckets: &ExponentialBuckets, range: &BucketRange) -> Option<(i64, i64)> {
    let (first, last) = range.span(steps_to_powers(buckets))?;
    let powers = powers_in_bucket(buckets);
    let within = |exponent: i64| exponent.clamp(MIN_EXPONENT, MAX_EXPONENT);
    Some((within(first * powers), within((last + 1) * powers)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::{Extreme, HistogramSnapshot, Merge};

    /// The bounds of a family with one series.
    fn alone(buckets: &ExponentialBuckets) -> Vec<(f64, u64)> {
        cumulative(buckets, PowerRange::of(buckets))
    }

    proptest! {
        /// One bucket of scale 8 after the other gets a value, and the text shows all bounds that it has shown before.
        #[test]
        #[cfg_attr(miri, ignore = "numbers only, for minutes")]
        fn di6_a_bound_that_was_shown_stays(
            recorded in proptest::collection::vec((-275_000..262_000_i32, 0..3_u8), 1..10),
            near in any::<bool>(),
        ) {
            let mut histogram = HistogramSnapshot::<f64> {
                count: 0,
                sum: 0.0,
                min: Extreme::Unknown,
                max: Extreme::Unknown,
                buckets: ExponentialBuckets { scale: 8, ..ExponentialBuckets::default() }.into(),
            };
            let mut shown = Vec::new();
            for (index, place) in recorded {
                // Values near each other need no negative scale.
                let bucket = range(if near { index / 10 } else { index }, &[1]);
                let mut one = ExponentialBuckets { scale: 8, ..ExponentialBuckets::default() };
                match place {
                    0 => one.zero = 1,
                    1 => one.positive = bucket,
                    _ => one.negative = bucket,
                }
                histogram.merge(&HistogramSnapshot { count: 1, buckets: one.into(), ..histogram.clone() });
                let buckets = histogram.buckets.exponential().expect("they merge");
                let later = alone(buckets);
                prop_assert!(later.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
                prop_assert!(later.iter().all(|(_, count)| *count <= histogram.count));
                prop_assert_eq!(later.len(), PowerRange::of(buckets).len());
                for (bound, count) in shown {
                    let stays = later
                        .binary_search_by(|(other, _)| other.total_cmp(&bound))
                        .is_ok_and(|at| later[at].1 >= count);
                    prop_assert!(stays, "{} {}: {:?}", bound, count, later);
                }
                shown = later;
            }
        }
    }

    fn range(offset: i32, counts: &[u64]) -> BucketRange {
        BucketRange { offset, counts: counts.to_vec() }
    }

    fn above(scale: i32, offset: i32, counts: &[u64]) -> ExponentialBuckets {
        ExponentialBuckets { scale, positive: range(offset, counts), ..ExponentialBuckets::default() }
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn the_bounds_reach_from_the_first_bucket_to_the_last_one() {
        assert_eq!(alone(&above(0, -2, &[5, 0, 0, 3])), [(0.25, 0), (0.5, 5), (1.0, 5), (2.0, 5), (4.0, 8)]);
        // Four buckets between two powers of two; the first and the last one are empty.
        assert_eq!(alone(&above(2, 3, &[0, 1, 2, 4, 8, 16, 0])), [(2.0, 0), (4.0, 15), (8.0, 31)]);
        assert_eq!(alone(&ExponentialBuckets::default()), []);
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn zeros_and_values_below_zero_have_bounds() {
        let buckets = ExponentialBuckets {
            scale: 0,
            zero: 7,
            positive: range(0, &[1]),
            negative: range(-1, &[10, 20]),
        };
        assert_eq!(alone(&buckets), [(-2.0, 0), (-1.0, 20), (-0.5, 30), (0.0, 37), (1.0, 37), (2.0, 38)]);
        assert_eq!(alone(&ExponentialBuckets { zero: 7, ..ExponentialBuckets::default() }), [(0.0, 7)]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn a_bound_inside_of_a_bucket_counts_the_whole_bucket() {
        assert_eq!(alone(&above(-1, 0, &[3, 4])), [(1.0, 0), (2.0, 3), (4.0, 3), (8.0, 7), (16.0, 7)]);
        let below =
            ExponentialBuckets { scale: -1, negative: range(0, &[3]), ..ExponentialBuckets::default() };
        assert_eq!(alone(&below), [(-4.0, 0), (-2.0, 3), (-1.0, 3), (0.0, 3)]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn the_ends_of_the_numbers_have_no_bounds_beyond_them() {
        let (least, most) = (alone(&above(0, -1_075, &[1])), alone(&above(0, 1_023, &[1])));
        assert_eq!(least, [(f64::from_bits(1), 1)]);
        assert_eq!(most, [(2_f64.powi(1_023), 0)]);
        let all = alone(&above(-10, -2, &[1, 2, 4]));
        assert_eq!((all.len(), all[0], all[2_097]), (2_098, (f64::from_bits(1), 1), (2_f64.powi(1_023), 7)));
        for hostile in [above(i32::MIN, i32::MAX, &[1; 9]), above(i32::MAX, i32::MIN, &[1; 9])] {
            assert!(alone(&hostile).len() <= 4_200, "{hostile:?}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn di6_series_of_one_family_have_the_same_bounds() {
        let (fast, slow) = (above(0, -2, &[5]), above(0, 3, &[7]));
        let negative =
            ExponentialBuckets { scale: 0, negative: range(0, &[3]), ..ExponentialBuckets::default() };
        let family =
            [&fast, &slow].into_iter().map(PowerRange::of).fold(PowerRange::default(), PowerRange::union);
        assert_eq!(
            cumulative(&fast, family),
            [(0.25, 0), (0.5, 5), (1.0, 5), (2.0, 5), (4.0, 5), (8.0, 5), (16.0, 5)]
        );
        assert_eq!(
            cumulative(&slow, family),
            [(0.25, 0), (0.5, 0), (1.0, 0), (2.0, 0), (4.0, 0), (8.0, 0), (16.0, 7)]
        );
        let family = PowerRange::of(&fast).union(PowerRange::of(&negative));
        assert_eq!(cumulative(&negative, family), [(-2.0, 0), (-1.0, 3), (0.0, 3), (0.25, 3), (0.5, 3)]);
        assert_eq!(cumulative(&ExponentialBuckets::default(), family).len(), family.len());
    }
}
