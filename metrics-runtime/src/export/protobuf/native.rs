//! Native histograms of Prometheus, from exponential buckets.
//!
//! Both divide each power of two into `2^scale` buckets, so every count moves as it is. Three things differ. Prometheus numbers
//! a bucket by its upper bound, so its numbers are larger by one. It has the scales -4 to 8. And its zero bucket has a width.

use crate::snapshot::{BucketRange, ExponentialBuckets};

/// The scales that Prometheus knows, and calls schemas.
const MIN_SCHEMA: i32 = -4;
const MAX_SCHEMA: i32 = 8;
/// The largest distance of a value in the zero bucket from zero, which other clients of Prometheus have, too. It is a bound of
/// buckets at every scale. A threshold above 0 also tells an empty native histogram from an empty classic one.
pub(super) const ZERO_THRESHOLD: f64 = f64::from_bits((1_023 - 128) << 52);
/// `ZERO_THRESHOLD` is 2 to the power of this.
const ZERO_THRESHOLD_EXPONENT: i64 = -128;
/// No finite number is 2 to the power of this, or more.
const MAX_EXPONENT: i64 = 1_024;
/// So many empty buckets take less room than a further span.
const MAX_BRIDGED: i32 = 2;

/// A native histogram.
#[derive(Debug, PartialEq)]
pub(super) struct Native {
    pub(super) schema: i32,
    pub(super) count: u64,
    pub(super) zero_count: u64,
    pub(super) positive: NativeBuckets,
    pub(super) negative: NativeBuckets,
}

/// The buckets of one side.
#[derive(Debug, Default, PartialEq)]
pub(super) struct NativeBuckets {
    pub(super) spans: Vec<Span>,
    /// The difference of each count to the previous one.
    pub(super) deltas: Vec<i64>,
}

/// Buckets in a row.
#[derive(Debug, PartialEq)]
pub(super) struct Span {
    /// The index of the first bucket, in all but the first span counted from the end of the previous one.
    pub(super) offset: i32,
    pub(super) length: u32,
}

impl Native {
    /// The native histogram with these buckets; `None` when Prometheus has none for them. Then its scale is too coarse, or a
    /// snapshot that was written by hand has too large counts, or values that no `f64` has.
    pub(super) fn of(buckets: &ExponentialBuckets) -> Option<Self> {
        let ExponentialBuckets { scale, zero, positive, negative } = buckets;
        if *scale < MIN_SCHEMA {
            return None;
        }
        let schema = MAX_SCHEMA.min(*scale);
        let mut counts = positive.counts.iter().chain(&negative.counts);
        let count = counts.try_fold(*zero, |sum, count| sum.checked_add(*count))?;
        // The differences of counts are signed.
        i64::try_from(count).ok()?;
        let (mut zero_count, steps) = (*zero, scale - schema);
        let positive = NativeBuckets::of(positive, schema, steps, &mut zero_count)?;
        let negative = NativeBuckets::of(negative, schema, steps, &mut zero_count)?;
        Some(Self { schema, count, zero_count, positive, negative })
    }
}

impl NativeBuckets {
    /// The buckets of a range with a scale that is finer by so many steps. Values in the width of the zero bucket are counted there.
    fn of(range: &BucketRange, schema: i32, steps: i32, zero_count: &mut u64) -> Option<Self> {
        // Prometheus' index of the bucket that ends at a power of two.
        let index_of = |exponent: i64| if schema < 0 { exponent >> -schema } else { exponent << schema };
        let (zero, last) = (index_of(ZERO_THRESHOLD_EXPONENT), index_of(MAX_EXPONENT));
        let mut counts: Vec<(i32, u64)> = Vec::with_capacity(range.counts.len());
        for (index, count) in (i64::from(range.offset)..).zip(&range.counts).filter(|(_, count)| **count > 0)
        {
            // All bits of an index are gone after 63 steps.
            let index = (index >> steps.min(63)) + 1;
            if index <= zero {
                *zero_count += count;
                continue;
            }
            let index = i32::try_from(index).ok().filter(|index| i64::from(*index) <= last)?;
            match counts.last_mut() {
                Some((other, sum)) if *other == index => *sum += count,
                _ => counts.push((index, *count)),
            }
        }
        Some(Self::of_counts(&counts))
    }

    /// The buckets with these indexes, in ascending order.
    fn of_counts(counts: &[(i32, u64)]) -> Self {
        let mut buckets = Self::default();
        let (mut end, mut previous) = (0, 0);
        for (index, count) in counts {
            let gap = index - end;
            if buckets.spans.is_empty() || gap > MAX_BRIDGED {
                buckets.spans.push(Span { offset: gap, length: 0 });
            } else {
                (0..gap).for_each(|_| buckets.push(0, &mut previous));
            }
            buckets.push(count.cast_signed(), &mut previous);
            end = index + 1;
        }
        buckets
    }

    /// Appends a bucket to the last span.
    fn push(&mut self, count: i64, previous: &mut i64) {
        if let Some(span) = self.spans.last_mut() {
            span.length += 1;
        }
        self.deltas.push(count - *previous);
        *previous = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(
        scale: i32,
        zero: u64,
        positive: (i32, &[u64]),
        negative: (i32, &[u64]),
    ) -> ExponentialBuckets {
        let range = |(offset, counts): (i32, &[u64])| BucketRange { offset, counts: counts.to_vec() };
        ExponentialBuckets { scale, zero, positive: range(positive), negative: range(negative) }
    }

    fn native(scale: i32, offset: i32, counts: &[u64]) -> Native {
        Native::of(&buckets(scale, 0, (offset, counts), (0, &[]))).expect("Prometheus has such histograms")
    }

    /// The index of each bucket that has values, and its count.
    fn counts(buckets: &NativeBuckets) -> Vec<(i32, i64)> {
        let (mut index, mut count) = (0, 0);
        let (mut all, mut deltas) = (Vec::new(), buckets.deltas.iter());
        for span in &buckets.spans {
            index += span.offset;
            for _ in 0..span.length {
                count += deltas.next().expect("a difference for each bucket");
                all.push((index, count));
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None, "each difference belongs to a span");
        all.retain(|(_, count)| *count > 0);
        all
    }

    #[test]
    fn ed8_a_bucket_has_the_index_of_its_upper_bound() {
        // Scale 0: (1, 2], (2, 4], .. have the indexes 1, 2, ..
        assert_eq!(counts(&native(0, 0, &[3, 1]).positive), [(1, 3), (2, 1)]);
        // Scale 3: eight buckets from 1/2 to 1.
        assert_eq!(counts(&native(3, -8, &[1, 0, 0, 0, 0, 0, 0, 2]).positive), [(-7, 1), (0, 2)]);
        let both = Native::of(&buckets(-4, 5, (-1, &[2]), (7, &[4]))).expect("Prometheus has it");
        assert_eq!((both.schema, both.count, both.zero_count), (-4, 11, 5));
        assert_eq!((counts(&both.positive), counts(&both.negative)), (vec![(0, 2)], vec![(8, 4)]));
    }

    #[test]
    fn ed8_a_finer_scale_is_made_coarser() {
        assert_eq!(native(8, 300, &[1, 2]).schema, 8);
        let fine = native(10, -5, &[1, 2, 4, 8, 16, 32, 64, 128, 256]);
        // Below zero: -5, then -4 to -1. Above: 0 to 3.
        assert_eq!((fine.schema, counts(&fine.positive)), (8, vec![(-1, 1), (0, 30), (1, 480)]));
        let finest = native(20, i32::MIN, &[1]);
        assert_eq!((finest.zero_count, counts(&finest.positive)), (1, vec![]), "smaller than any threshold");
        assert_eq!(native(i32::MAX, i32::MAX, &[7]).positive, native(8, 0, &[7]).positive);
    }

    #[test]
    fn ed8_spans_leave_out_long_gaps_only() {
        let gaps = native(0, 10, &[1, 0, 0, 2, 0, 0, 0, 3, 3]).positive;
        assert_eq!(gaps.spans, [Span { offset: 11, length: 4 }, Span { offset: 3, length: 2 }]);
        assert_eq!(gaps.deltas, [1, -1, 0, 2, 1, 0]);
        assert_eq!(counts(&gaps), [(11, 1), (14, 2), (18, 3), (19, 3)]);
        assert_eq!(native(0, 10, &[0, 0, 0]).positive, NativeBuckets::default());
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri rounds powers as it likes")]
    fn ed8_values_in_the_width_of_the_zero_bucket_are_counted_there() {
        assert_eq!(ZERO_THRESHOLD.to_bits(), 2_f64.powi(-128).to_bits());
        for scale in MIN_SCHEMA..=MAX_SCHEMA {
            let first = if scale < 0 { -128 >> -scale } else { -128 << scale };
            let narrow = Native::of(&buckets(scale, 1, (first - 2, &[2, 4, 8]), (first - 1, &[16])));
            let narrow = narrow.expect("Prometheus has it");
            // The buckets up to the threshold, and the first one above it.
            assert_eq!((narrow.count, narrow.zero_count), (31, 1 + 2 + 4 + 16), "{scale}");
            assert_eq!(counts(&narrow.positive), [(first + 1, 8)], "{scale}");
        }
    }

    #[test]
    fn ed8_what_prometheus_has_no_native_histogram_for_has_none() {
        let of = |scale, zero, offset, counts: &[u64]| {
            Native::of(&buckets(scale, zero, (offset, counts), (0, &[1])))
        };
        assert_eq!(of(-5, 0, 0, &[1]), None, "too coarse");
        assert_eq!(of(i32::MIN, 0, 0, &[1]), None, "too coarse");
        assert_eq!(of(0, 0, 0, &[u64::MAX]), None, "too many values");
        assert_eq!(of(0, i64::MAX.cast_unsigned(), 0, &[]), None, "too many values");
        assert!(of(0, i64::MAX.cast_unsigned() - 1, 0, &[]).is_some());
        // The largest numbers are in the bucket that ends at 2 to the power of 1024.
        assert!(of(0, 0, 1_023, &[1]).is_some() && of(8, 0, (1_024 << 8) - 1, &[1]).is_some());
        assert_eq!(of(0, 0, 1_024, &[1]), None, "too large values");
        assert_eq!(of(0, 0, i32::MAX, &[1, 1]), None, "too large values");
        assert!(of(0, 0, 1_024, &[0]).is_some(), "a bucket without values does not count");
    }
}
