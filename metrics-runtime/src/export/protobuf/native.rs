//! Native histograms of Prometheus, from exponential buckets.
//!
//! Both divide each power of two into `2^scale` buckets, so every count moves as it is. Three things differ. Prometheus numbers
//! a bucket by its upper bound, so its numbers are larger by one. It has the scales -4 to 8. And its zero bucket has a width.

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

/// One side of exponential buckets: the bucket `index` holds values above `base^index`, up to `base^(index + 1)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range<'a> {
    /// The index of the first count.
    pub(super) offset: i32,
    pub(super) counts: &'a [u64],
}

/// A native histogram.
#[derive(Debug, PartialEq)]
pub(super) struct Native {
    pub(super) schema: i32,
    pub(super) count: u64,
    pub(super) zero_count: u64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
}

/// The buckets of one side.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Buckets {
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
    pub(super) fn of(scale: i32, zero: u64, positive: Range<'_>, negative: Range<'_>) -> Option<Self> {
        if scale < MIN_SCHEMA {
            return None;
        }
        let schema = scale.min(MAX_SCHEMA);
        let counts = positive.counts.iter().chain(negative.counts).copied();
        let count = counts.fold(Some(zero), |sum, count| sum?.checked_add(count))?;
        // The differences of counts are signed.
        i64::try_from(count).ok()?;
        let mut zero_count = zero;
        let positive = Buckets::of(positive, schema, scale - schema, &mut zero_count)?;
        let negative = Buckets::of(negative, schema, scale - schema, &mut zero_count)?;
        Some(Self { schema, count, zero_count, positive, negative })
    }
}

impl Buckets {
    /// The buckets of a range whose scale is larger by `surplus`. Values in the width of the zero bucket are counted there.
    fn of(range: Range<'_>, schema: i32, surplus: i32, zero_count: &mut u64) -> Option<Self> {
        // Prometheus' index of the bucket that ends at a power of two.
        let index_of = |exponent: i64| if schema < 0 { exponent >> -schema } else { exponent << schema };
        let (zero, last) = (index_of(ZERO_THRESHOLD_EXPONENT), index_of(MAX_EXPONENT));
        let mut counts: Vec<(i32, u64)> = Vec::with_capacity(range.counts.len());
        for (index, count) in (i64::from(range.offset)..).zip(range.counts).filter(|(_, count)| **count > 0) {
            // All bits of an index are gone after 63 steps.
            let index = (index >> surplus.min(63)) + 1;
            if index <= zero {
                *zero_count += count;
                continue;
            }
            let index = i32::try_from(index).ok().filter(|_| index <= last)?;
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
