//! Histograms.

use std::time::Duration;

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{Bucket, Buckets, DimensionValue, HistogramSnapshot, Merge, Number};

use super::measure::{IntoMeasure, Measure, finite};
use super::{Dimension, Record, Shape};

/// A distribution of values over buckets, with their count, sum, minimum and maximum.
///
/// Updated with `value`. A snapshot shows a [`HistogramSnapshot`]. A bucket counts the values that are above the bound of the
/// bucket before it, up to and including its own bound. The last bucket has no bound. The bounds come from `buckets = ..`;
/// histograms of `Duration` have default bounds, from 5 ms to 10 s.
///
/// ```
/// use mvx_metrics::{HandleEvent, Histogram, Metric, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct GameEnded {
///     moves: u32,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(GameEnded))]
/// struct Games {
///     #[dimension(value = moves, buckets = [20, 40, 80])]
///     moves: Histogram<u64>,
/// }
///
/// let mut games = Games::default();
/// for moves in [12, 40, 41, 200] {
///     games.handle(&GameEnded { moves });
/// }
/// let moves = games.typed_snapshot().moves;
/// let buckets = moves.buckets.explicit().unwrap_or_default();
/// let buckets: Vec<_> = buckets.iter().map(|bucket| (bucket.upper_bound, bucket.count)).collect();
/// assert_eq!(buckets, [(Some(20), 1), (Some(40), 1), (Some(80), 1), (None, 1)]);
/// assert_eq!((moves.count, moves.sum, moves.max.known()), (4, 293, Some(200)));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Histogram<T: 'static> {
    bounds: &'static [T],
    /// One count for each bound, and one for the last bucket; empty until the first value, which brings the bounds.
    counts: Box<[u64]>,
    count: u64,
    sum: T,
    extremes: Option<(T, T)>,
    invalid: u64,
}

impl<T: Measure> Histogram<T> {
    /// An empty histogram with these bounds, for metrics and dimensions written by hand.
    ///
    /// The bounds must be in ascending order, or values are counted in the wrong buckets. Nothing checks this here, while
    /// `buckets = ..` is checked at compile time.
    #[must_use]
    pub fn with_buckets(bounds: &'static [T]) -> Self {
        let mut histogram = Self::default();
        histogram.set_bounds(bounds);
        histogram
    }

    #[cold]
    fn set_bounds(&mut self, bounds: &'static [T]) {
        self.bounds = bounds;
        self.counts = vec![0; bounds.len() + 1].into();
    }

    /// Records a value. A value that is not finite is only counted as invalid.
    #[inline]
    pub fn record(&mut self, value: T) {
        let Some(value) = finite(value, &mut self.invalid) else { return };
        if self.counts.is_empty() {
            self.set_bounds(T::DEFAULT_BUCKETS);
        }
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket] = self.counts[bucket].saturating_add(1);
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.plus(value);
        self.extremes = Some(match self.extremes {
            None => (value, value),
            Some((min, max)) => {
                (if value < min { value } else { min }, if value > max { value } else { max })
            }
        });
    }

    /// The number of recorded values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum of the recorded values.
    #[must_use]
    pub fn sum(&self) -> T {
        self.sum
    }

    fn snapshot<N>(&self, bounds: &'static [T], number: impl Fn(T) -> N) -> HistogramSnapshot<N> {
        let bounds = if self.counts.is_empty() { bounds } else { self.bounds };
        let upper_bound = bounds.iter().map(|bound| Some(number(*bound))).chain([None]);
        let counts = self.counts.iter().copied().chain(std::iter::repeat(0));
        HistogramSnapshot {
            count: self.count,
            sum: number(self.sum),
            min: self.extremes.map(|(min, _)| number(min)).into(),
            max: self.extremes.map(|(_, max)| number(max)).into(),
            buckets: Buckets::Explicit(
                upper_bound.zip(counts).map(|(upper_bound, count)| Bucket { upper_bound, count }).collect(),
            ),
        }
    }

    fn value_within(&self, bounds: &'static [T]) -> DimensionValue {
        DimensionValue::Histogram(self.snapshot(bounds, Into::<Number>::into))
    }
}

impl<T: Measure> Dimension for Histogram<T> {
    type Output = HistogramSnapshot<T>;
    const KIND: DimensionKind = DimensionKind::Histogram;
    const UNIT: Option<&'static str> = T::UNIT;
    const SHAPE: Shape = Shape { buckets: T::DEFAULT_BUCKET_NUMBERS, ..Shape::new(Self::KIND, T::NUMBER) };

    fn read(&self) -> Self::Output {
        self.snapshot(T::DEFAULT_BUCKETS, |value| value)
    }

    fn read_value(&self) -> DimensionValue {
        self.value_within(T::DEFAULT_BUCKETS)
    }

    fn value(histogram: Self::Output) -> DimensionValue {
        DimensionValue::Histogram(HistogramSnapshot::of(&histogram))
    }

    fn since(later: &Self::Output, earlier: &Self::Output) -> Self::Output {
        later.since(earlier)
    }

    fn merge_outputs(histogram: &mut Self::Output, other: &Self::Output, _rule: Option<MergeRule>) -> bool {
        histogram.merge(other);
        true
    }

    fn has_fallen(later: &Self::Output, earlier: &Self::Output) -> bool {
        later.has_fallen_since(earlier)
    }

    fn zero() -> Option<Self::Output> {
        Some(Self::default().read())
    }

    fn may_vanish(histogram: &Self::Output) -> bool {
        histogram.count == 0
    }

    fn invalid(&self) -> u64 {
        self.invalid
    }
}

/// A measure with default buckets for its histograms.
#[diagnostic::on_unimplemented(
    message = "a histogram of `{Self}` needs buckets: add `buckets = [..]`, or `unit = bytes` for powers of four",
    label = "no buckets for `{Self}`",
    note = "`buckets` needs the type `Histogram<{Self}>` written out, not an alias of it"
)]
pub trait DefaultBuckets: Measure {}

impl DefaultBuckets for Duration {}

impl<T: DefaultBuckets, V: IntoMeasure<T>> Record<V> for Histogram<T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        WithBounds(self).record(value)
    }
}

/// A histogram that has its bounds.
pub struct WithBounds<'a, T: 'static>(&'a mut Histogram<T>);

impl<T: Measure, V: IntoMeasure<T>> Record<V> for WithBounds<'_, T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure() else { return false };
        self.0.record(value);
        true
    }
}

/// A dimension that has the option `buckets`: a histogram, or one for each label.
pub trait BucketedReading: Dimension {
    /// The type of the histogram's values.
    type Measure: Measure;

    /// Like [`Dimension::read`], with these bounds where a histogram has none yet. `zeros` tells whether labels that no
    /// event has had yet are shown.
    fn read_within(&self, bounds: &'static [Self::Measure], zeros: bool) -> Self::Output;

    /// The same without types.
    fn read_value_within(&self, bounds: &'static [Self::Measure], zeros: bool) -> DimensionValue;

    /// Like [`Dimension::zero`], with these bounds.
    fn zero_within(bounds: &'static [Self::Measure]) -> Option<Self::Output>;
}

impl<T: Measure> BucketedReading for Histogram<T> {
    type Measure = T;

    fn read_within(&self, bounds: &'static [T], _zeros: bool) -> Self::Output {
        self.snapshot(bounds, |value| value)
    }

    fn read_value_within(&self, bounds: &'static [T], _zeros: bool) -> DimensionValue {
        self.value_within(bounds)
    }

    fn zero_within(bounds: &'static [T]) -> Option<Self::Output> {
        Some(Self::default().snapshot(bounds, |value| value))
    }
}

/// A dimension to which an event is applied with the option `buckets`.
#[diagnostic::on_unimplemented(
    message = "`buckets` applies to `Histogram<T>` only, and `{Self}` is not a histogram",
    label = "has no buckets"
)]
pub trait Bucketed: BucketedReading {
    /// Gives the histogram these bounds, unless it has bounds already.
    fn within(&mut self, bounds: &'static [Self::Measure]) -> WithBounds<'_, Self::Measure>;
}

impl<T: Measure> Bucketed for Histogram<T> {
    #[inline]
    fn within(&mut self, bounds: &'static [T]) -> WithBounds<'_, T> {
        if self.counts.is_empty() {
            self.set_bounds(bounds);
        }
        WithBounds(self)
    }
}
