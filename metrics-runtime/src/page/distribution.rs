//! The distribution of a histogram, in at most 64 buckets.

use super::data::Distribution;
use crate::number::Number;
use crate::snapshot::{Bucket, BucketRange, Buckets, ExponentialBuckets, HistogramSnapshot, bound};

/// How many buckets a distribution has. Neighbours are joined until there are no more.
const MAX_BUCKETS: usize = 64;
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// The distribution of all values, with the values of the last interval, or of the window, if they are known.
///
/// The bounds are chosen for all values, so they stay the same from look to look while the range of the values does.
pub(super) fn distribution(
    all: &HistogramSnapshot<Number>,
    recent: Option<&HistogramSnapshot<Number>>,
) -> Distribution {
    let shown = recent.filter(|recent| recent.count > 0).unwrap_or(all);
    let quantiles = QUANTILES.map(|quantile| shown.quantile(quantile).filter(|value| value.is_finite()));
    let (bounds, counts) = match (&all.buckets, recent.map(|recent| &recent.buckets)) {
        (Buckets::Exponential(all), None) => exponential(all, None),
        (Buckets::Exponential(all), Some(Buckets::Exponential(recent))) => exponential(all, Some(recent)),
        // Where the bounds of the interval are others, they are those that both of its ends have.
        (_, Some(Buckets::Explicit(recent))) => (explicit_bounds(recent), Some(counts_of(recent))),
        (Buckets::Explicit(all), _) => (explicit_bounds(all), None),
    };
    let (bounds, recent) = joined(bounds, counts.unwrap_or_default());
    Distribution { count: all.count, bounds, recent, quantiles }
}

fn explicit_bounds(buckets: &[Bucket<Number>]) -> Vec<Option<f64>> {
    let bound = |bucket: &Bucket<Number>| finite(bucket.upper_bound?.as_f64());
    std::iter::once(None).chain(buckets.iter().map(bound)).collect()
}

fn counts_of(buckets: &[Bucket<Number>]) -> Vec<u64> {
    buckets.iter().map(|bucket| bucket.count).collect()
}

/// Bounds for all values, and the counts of the recent ones between them.
fn exponential(
    all: &ExponentialBuckets,
    recent: Option<&ExponentialBuckets>,
) -> (Vec<Option<f64>>, Option<Vec<u64>>) {
    let Spans { scale, negative, positive, has_zero } = Spans::of(all, recent.map(|recent| recent.scale));
    let mut bounds = Vec::new();
    if let Some((first, last)) = negative {
        bounds.extend((first..=last + 1).rev().map(|index| finite(-bound(scale, index))));
    }
    if has_zero {
        // The bucket of zeros reaches from the last bucket below zero to the first one above.
        if bounds.is_empty() {
            bounds.push(None);
        }
        bounds.push(Some(positive.map_or(0.0, |(first, _)| bound(scale, first))));
    }
    if let Some((first, last)) = positive {
        let first = if has_zero { first + 1 } else { first };
        bounds.extend((first..=last + 1).map(|index| finite(bound(scale, index))));
    }
    let counts = recent.map(|recent| {
        let mut counts = vec![0_u64; bounds.len().saturating_sub(1)];
        let below = negative.map_or(0, |(first, last)| last - first + 1);
        let steps = u32::try_from(recent.scale.saturating_sub(scale)).unwrap_or(0);
        let mut add = |position: i64, count: u64| {
            // A value outside of the bounds is of a snapshot that was written by hand.
            if let Some(sum) = usize::try_from(position).ok().and_then(|position| counts.get_mut(position)) {
                *sum = sum.saturating_add(count);
            }
        };
        if let Some((_, last)) = negative {
            recent.negative.filled(steps).for_each(|(index, count)| add(last - index, count));
        }
        if has_zero {
            add(below, recent.zero);
        }
        if let Some((first, _)) = positive {
            let begin = below + i64::from(has_zero);
            recent.positive.filled(steps).for_each(|(index, count)| {
                add(if index < first { -1 } else { begin + index - first }, count);
            });
        }
        counts
    });
    (bounds, counts)
}

/// The scale of a distribution, with the indexes of the first and the last bucket on each side of zero.
struct Spans {
    scale: i32,
    negative: Option<(i64, i64)>,
    positive: Option<(i64, i64)>,
    has_zero: bool,
}

impl Spans {
    /// The finest scale with few enough buckets that is not finer than `max_scale`.
    fn of(all: &ExponentialBuckets, max_scale: Option<i32>) -> Self {
        let mut scale = max_scale.map_or(all.scale, |max_scale| max_scale.min(all.scale));
        loop {
            let steps = u32::try_from(all.scale.saturating_sub(scale)).unwrap_or(0);
            let span = |range: &BucketRange| range.span(steps);
            let (negative, positive) = (span(&all.negative), span(&all.positive));
            let len =
                |span: Option<(i64, i64)>| span.map_or(0, |(first, last)| last.saturating_sub(first) + 1);
            let has_zero = all.zero > 0 || (negative.is_some() && positive.is_some());
            let buckets = len(negative) + len(positive) + i64::from(has_zero);
            // Two buckets on each side are left after at most 63 steps.
            let are_few = usize::try_from(buckets).is_ok_and(|buckets| buckets <= MAX_BUCKETS);
            if are_few || steps >= 63 {
                return Self { scale, negative, positive, has_zero };
            }
            scale = scale.saturating_sub(1);
        }
    }
}

/// Joins neighbours until there are few enough buckets. `counts` may be empty.
fn joined(bounds: Vec<Option<f64>>, counts: Vec<u64>) -> (Vec<Option<f64>>, Vec<u64>) {
    let buckets = bounds.len().saturating_sub(1);
    if buckets <= MAX_BUCKETS {
        return (bounds, counts);
    }
    let width = buckets.div_ceil(MAX_BUCKETS);
    let last = bounds[buckets];
    let mut kept: Vec<_> = bounds[..buckets].iter().step_by(width).copied().collect();
    kept.push(last);
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    (kept, counts.chunks(width).map(sum).collect())
}

fn finite(bound: f64) -> Option<f64> {
    bound.is_finite().then_some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Extreme;

    fn of(buckets: impl Into<Buckets<Number>>) -> HistogramSnapshot<Number> {
        let buckets = buckets.into();
        let (min, max) = (Extreme::Unknown, Extreme::Unknown);
        HistogramSnapshot { count: buckets.count(), sum: Number::Float(0.0), min, max, buckets }
    }

    fn range(offset: i32, counts: &[u64]) -> BucketRange {
        BucketRange { offset, counts: counts.to_vec() }
    }

    /// The number of values between each two bounds, as the buckets themselves tell them.
    fn expected(buckets: &ExponentialBuckets, bounds: &[Option<f64>]) -> Vec<u64> {
        let mut counts = vec![0; bounds.len() - 1];
        for bucket in buckets.iter() {
            let inside = f64::midpoint(bucket.lower_bound, bucket.upper_bound);
            let position = bounds.windows(2).position(|pair| {
                pair[0].is_none_or(|below| below < inside) && pair[1].is_none_or(|bound| inside <= bound)
            });
            counts[position.expect("each value is between two bounds")] += bucket.count;
        }
        counts
    }

    #[test]
    fn pg1_explicit_buckets_keep_their_bounds() {
        let buckets = |counts: [u64; 3]| {
            let bounds = [Some(Number::Float(1.0)), Some(Number::Float(5.0)), None];
            let buckets = bounds.into_iter().zip(counts);
            of(buckets.map(|(upper_bound, count)| Bucket { upper_bound, count }).collect::<Vec<_>>())
        };
        let shown = distribution(&buckets([4, 2, 1]), Some(&buckets([1, 0, 1])));
        assert_eq!((shown.count, &shown.bounds), (7, &vec![None, Some(1.0), Some(5.0), None]));
        assert_eq!(shown.recent, [1, 0, 1]);
        assert!(distribution(&buckets([4, 2, 1]), None).recent.is_empty());
    }

    #[test]
    fn pg1_many_explicit_buckets_are_joined() {
        let bucket = |number: u32| Bucket {
            upper_bound: (number < 999).then(|| Number::Float(number.into())),
            count: u64::from(number),
        };
        let all = of((0..1_000).map(bucket).collect::<Vec<_>>());
        let shown = distribution(&all, Some(&all));
        assert_eq!((shown.recent.len(), shown.bounds.len()), (63, 64));
        assert_eq!(shown.recent.iter().sum::<u64>(), all.count);
        assert_eq!((shown.bounds[0], shown.bounds[1], shown.bounds[63]), (None, Some(15.0), None));
        // The first bucket has those up to 15: 0 + 1 + .. + 15.
        assert_eq!(shown.recent[0], 120);
    }

    #[test]
    fn pg1_exponential_buckets_are_joined_to_at_most_64() {
        let counts: Vec<u64> = (1..=160).collect();
        for (negative, zero, positive) in [
            (range(0, &[]), 0, range(-80, &counts)),
            (range(0, &[]), 3, range(-80, &counts)),
            (range(-20, &counts[..70]), 0, range(-80, &counts[..90])),
            (range(-20, &counts[..70]), 5, range(0, &[])),
            (range(3, &[7]), 5, range(3, &[1, 0, 2])),
            (range(3, &[7]), 0, range(0, &[])),
            (range(0, &[]), 9, range(0, &[])),
        ] {
            let all = ExponentialBuckets { scale: 3, zero, positive, negative };
            let shown = distribution(&of(all.clone()), Some(&of(all.clone())));
            assert!(shown.bounds.len() <= 65, "{} bounds", shown.bounds.len());
            assert_eq!(shown.recent.len() + 1, shown.bounds.len());
            assert_eq!(shown.recent.iter().sum::<u64>(), all.count());
            assert_eq!(shown.recent, expected(&all, &shown.bounds), "{all:?}");
            let known: Vec<f64> = shown.bounds.iter().flatten().copied().collect();
            assert!(known.is_sorted() && known.windows(2).all(|pair| pair[0] < pair[1]), "{known:?}");
        }
    }

    #[test]
    fn pg1_an_interval_of_another_scale_has_the_same_values() {
        let all = ExponentialBuckets { scale: 2, positive: range(10, &[5; 20]), ..Default::default() };
        let recent = ExponentialBuckets { scale: 0, positive: range(2, &[0, 7, 1]), ..Default::default() };
        let shown = distribution(&of(all), Some(&of(recent.clone())));
        assert_eq!(shown.recent, expected(&recent, &shown.bounds));
        assert_eq!(shown.recent.iter().sum::<u64>(), 8);
    }

    #[test]
    fn pg1_an_empty_histogram_has_no_buckets_and_no_quantiles() {
        let empty = of(ExponentialBuckets::default());
        let shown = distribution(&empty, Some(&empty));
        assert_eq!((shown.count, shown.bounds, shown.recent), (0, vec![], vec![]));
        assert_eq!(shown.quantiles, [None; 3]);
    }

    #[test]
    fn pg1_the_quantiles_are_those_of_the_interval_if_it_has_values() {
        let all = of(ExponentialBuckets { positive: range(0, &[100]), ..Default::default() });
        let recent = of(ExponentialBuckets { positive: range(9, &[1]), ..Default::default() });
        assert!(distribution(&all, Some(&recent)).quantiles[0].is_some_and(|median| median > 500.0));
        let none = of(ExponentialBuckets::default());
        assert!(distribution(&all, Some(&none)).quantiles[0].is_some_and(|median| median < 3.0));
    }
}
