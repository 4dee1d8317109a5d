//! Histograms.

use std::time::Duration;

use crate::descriptor::DimensionKind;
use crate::snapshot::{Bucket, DimensionValue, HistogramSnapshot, Number};

use super::measure::{IntoMeasure, Measure, finite};
use super::{Dimension, Record};

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
/// let buckets: Vec<_> = moves.buckets.iter().map(|bucket| (bucket.upper_bound, bucket.count)).collect();
/// assert_eq!(buckets, [(Some(20), 1), (Some(40), 1), (Some(80), 1), (None, 1)]);
/// assert_eq!((moves.count, moves.sum, moves.max), (4, 293, Some(200)));
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
            min: self.extremes.map(|(min, _)| number(min)),
            max: self.extremes.map(|(_, max)| number(max)),
            buckets: upper_bound
                .zip(counts)
                .map(|(upper_bound, count)| Bucket { upper_bound, count })
                .collect(),
        }
    }
}

impl<T: Measure> Dimension for Histogram<T> {
    type Output = HistogramSnapshot<T>;
    const KIND: DimensionKind = DimensionKind::Histogram;
    const UNIT: Option<&'static str> = T::UNIT;

    fn read(&self) -> Self::Output {
        self.snapshot(T::DEFAULT_BUCKETS, |value| value)
    }

    fn value(&self) -> DimensionValue {
        DimensionValue::Histogram(self.snapshot(T::DEFAULT_BUCKETS, Into::<Number>::into))
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

/// A dimension that has the option `buckets`.
#[diagnostic::on_unimplemented(
    message = "`buckets` applies to `Histogram<T>` only, and `{Self}` is not a histogram",
    label = "has no buckets"
)]
pub trait Bucketed: Dimension {
    /// The type of the histogram's values.
    type Measure: Measure;

    /// Gives the histogram these bounds, unless it has bounds already.
    fn within(&mut self, bounds: &'static [Self::Measure]) -> WithBounds<'_, Self::Measure>;

    /// Like [`Dimension::read`], with these bounds if the histogram has none yet.
    fn read_within(&self, bounds: &'static [Self::Measure]) -> Self::Output;

    /// Like [`Dimension::value`], with these bounds if the histogram has none yet.
    fn value_within(&self, bounds: &'static [Self::Measure]) -> DimensionValue;
}

impl<T: Measure> Bucketed for Histogram<T> {
    type Measure = T;

    #[inline]
    fn within(&mut self, bounds: &'static [T]) -> WithBounds<'_, T> {
        if self.counts.is_empty() {
            self.set_bounds(bounds);
        }
        WithBounds(self)
    }

    fn read_within(&self, bounds: &'static [T]) -> Self::Output {
        self.snapshot(bounds, |value| value)
    }

    fn value_within(&self, bounds: &'static [T]) -> DimensionValue {
        DimensionValue::Histogram(self.snapshot(bounds, Into::<Number>::into))
    }
}
