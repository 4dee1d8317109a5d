//! Histograms.
//!
//! [`Histogram`] records values and reads them out. `key` knows the types of values, `index` the exponential buckets, `window`
//! their memory, and `layout` the explicit buckets. `declared` gives a histogram the buckets that its field declares. `open_ids` are
//! those of the options `begin` and `end`, and `event_id` knows the types of ids. `absorb` adds up histograms of several threads.

mod absorb;
mod declared;
mod event_id;
mod index;
mod key;
mod layout;
mod open_ids;
#[cfg(test)]
mod tests;
mod window;

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{
    Bucket, BucketRange, Buckets, DimensionValue, ExponentialBuckets, Extreme, HistogramSnapshot, Merge,
    Number,
};

use super::measure::{IntoMeasure, Measure};
use super::{Dimension, Record, Shape};
use key::{Place, Sum};
use open_ids::OpenIds;
use window::{Limits, Window};

pub use declared::{
    Bucketed, BucketedReading, DEFAULT_MAX_BUCKETS, MAX_MAX_BUCKETS, MIN_MAX_BUCKETS, UpTo, WithLayout,
};
pub use event_id::{EqualTo, EventId, IdHasher, IdKind};
pub use key::Recorded;
pub use layout::{BucketLayout, Guess, guesses};
pub use open_ids::{EventTime, RecordsDurations};

/// A distribution of values over buckets, with their count, sum, minimum and maximum.
///
/// Updated with `value`, or of durations with `begin` and `end`: [the time between two
/// events](crate::guide::language#begin-and-end). A snapshot shows a [`HistogramSnapshot`].
///
/// * Without further options the buckets are exponential: each is wider than the one before it by the same factor, so no
///   bounds are chosen. There are at most 160, or `max_buckets = N`. They begin very narrow, and double in width whenever the
///   values need more of them. Memory is taken as values need it: 64 bytes for the first ones, 1,280 for 160 buckets.
/// * With `buckets = [..]` the field declares upper bounds. A bucket counts the values that are above the bound of the bucket
///   before it, up to and including its own bound. The last bucket has no bound.
///
/// Exponential buckets of `Duration` are counted in seconds. They round an integer, or a number of nanoseconds, above
/// 2<sup>53</sup> to the nearest `f64`, and count a subnormal `f64` as the smallest normal one. Count, sum and extremes
/// are not rounded.
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
///     #[dimension(value = moves)]
///     moves: Histogram<u64>,
///     #[dimension(value = moves, buckets = [20, 40, 80])]
///     rough: Histogram<u64>,
/// }
///
/// let mut games = Games::default();
/// for moves in [12, 40, 41, 200] {
///     games.handle(&GameEnded { moves });
/// }
/// let GamesSnapshot { moves, rough, .. } = games.typed_snapshot();
/// assert_eq!((moves.count, moves.sum, moves.max.known()), (4, 293, Some(200)));
/// let buckets = rough.buckets.explicit().unwrap_or_default();
/// let buckets: Vec<_> = buckets.iter().map(|bucket| (bucket.upper_bound, bucket.count)).collect();
/// assert_eq!(buckets, [(Some(20), 1), (Some(40), 1), (Some(80), 1), (None, 1)]);
/// ```
///
/// # How many buckets
///
/// With exponential buckets, [`quantile`](HistogramSnapshot::quantile) answers the geometric middle of a bucket, so its error is
/// half a bucket. The buckets are as narrow as their largest number allows: 16, 8, 4, .. of them for each doubling of the values.
/// The histogram needs that many for each doubling between its smallest and its largest value, and one more:
///
/// | buckets for each doubling | error of a quantile, at most | with 160 buckets, largest / smallest value up to | buckets for 1 to 1,000,000 |
/// |---|---|---|---|
/// | 16 | 2.2% | 950 | 320 |
/// | 8 | 4.5% | 900,000 | 161 |
/// | 4 | 9.1% | 9 * 10<sup>11</sup> | 81 |
/// | 2 | 19% | 8 * 10<sup>23</sup> | 41 |
/// | 1 | 42% | 7 * 10<sup>47</sup> | 21 |
/// | 1 for two doublings | 100% | 5 * 10<sup>95</sup> | 11 |
///
/// * **At least one for each doubling, and one more.** That is 65 for all `u64`, and for durations up to 584 years. With fewer
///   buckets the counts that text formats show are wrong: the text has powers of two, and counts a wider bucket at the first one
///   inside of it. Prometheus then answers quantiles that are too small.
/// * **More than 160 are for a single recorder.** Merging keeps at most 160. So do the totals of several recorders, with those
///   that were removed, and a [`Recent`](crate::Recent), which merges its steps.
/// * Negative values share the number with positive ones. Zeros need no bucket.
///
/// ```
/// # use mvx_metrics::{HandleEvent, Histogram, Metric, TypedMetric, metric_event};
/// #[metric_event]
/// struct Sent {
///     bytes: u64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Sent))]
/// struct Responses {
///     #[dimension(value = bytes, max_buckets = 21)]
///     enough: Histogram<u64>,
///     #[dimension(value = bytes, max_buckets = 20)]
///     too_few: Histogram<u64>,
/// }
///
/// let mut responses = Responses::default();
/// for bytes in [50, 50_000_000] {
///     responses.handle(&Sent { bytes });
/// }
/// let snapshot = responses.typed_snapshot();
/// let first = |histogram: &mvx_metrics::HistogramSnapshot<u64>| {
///     histogram.buckets.exponential().and_then(|buckets| buckets.iter().next())
/// };
/// let bounds = |bucket: mvx_metrics::ExponentialBucket| (bucket.lower_bound, bucket.upper_bound);
/// assert_eq!(first(&snapshot.enough).map(bounds), Some((32.0, 64.0)));
/// assert_eq!(first(&snapshot.too_few).map(bounds), Some((16.0, 64.0))); // the text counts it at `le="32.0"`
/// ```
#[derive(Debug, Clone)]
pub struct Histogram<T: 'static> {
    /// The counts of the explicit buckets, or of the exponential buckets of positive values; empty before the first value.
    ///
    /// They grow one by one, so they never reach 2<sup>64</sup>.
    counts: Box<[u64]>,
    /// The index of the first exponential bucket.
    offset: u32,
    /// How far a position is shifted for its index.
    shift: u8,
    /// Whether `min` and `span` are known.
    has_extremes: bool,
    /// The most exponential buckets; 0 for the default.
    max_buckets: u16,
    sum: Sum,
    /// The key of the smallest value. No ordinary value has the key that it has at first.
    min: u64,
    /// The difference between the keys of the largest and of the smallest value.
    span: u64,
    /// The declared buckets.
    layout: Option<&'static BucketLayout<T>>,
    rest: Option<Box<Rest<T>>>,
}

/// What few histograms need.
#[derive(Debug, Clone)]
struct Rest<T: 'static> {
    invalid: u64,
    zero: u64,
    /// Exponential buckets of negative values.
    negative: Window,
    seldom: Option<Box<Seldom<T>>>,
    /// The bounds of a histogram that code outside of a derived metric has made.
    own_bounds: Option<&'static [T]>,
}

/// What hardly any histogram needs.
#[derive(Debug, Clone)]
struct Seldom<T> {
    /// The smallest and the largest of the durations that have no key.
    without_key: Option<(T, T)>,
    open: Option<Box<OpenIds>>,
}

/// `offset` and `shift` of a histogram with explicit buckets. No position has an index in the window that begins there.
const NO_WINDOW: (u32, u8) = (2, 63);

impl<T> Default for Histogram<T> {
    fn default() -> Self {
        Self {
            counts: Box::default(),
            offset: 0,
            shift: index::FINEST_SHIFT,
            has_extremes: false,
            max_buckets: 0,
            sum: Sum::default(),
            min: u64::MAX,
            span: 0,
            layout: None,
            rest: None,
        }
    }
}

impl<T> Default for Rest<T> {
    fn default() -> Self {
        Self { invalid: 0, zero: 0, negative: Window::default(), seldom: None, own_bounds: None }
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self { without_key: None, open: None }
    }
}

impl<T: Measure> Histogram<T> {
    /// An empty histogram with these bounds, for metrics and dimensions written by hand.
    ///
    /// The bounds must be in ascending order, or values are counted in the wrong buckets. Nothing checks this here, while
    /// `buckets = ..` is checked at compile time.
    #[must_use]
    pub fn with_buckets(bounds: &'static [T]) -> Self {
        let (offset, shift) = NO_WINDOW;
        let rest = Rest { own_bounds: Some(bounds), ..Rest::default() };
        Self { offset, shift, rest: Some(Box::new(rest)), ..Self::default() }
    }

    /// Records a value. A value that is not finite is only counted as invalid.
    #[inline]
    pub fn record(&mut self, value: T) {
        if !value.ordinary_key().is_some_and(|key| self.count_exponential(key)) {
            self.record_slow(value);
        }
    }

    /// Records an ordinary value in the window; `false`, without any change, when it lies outside.
    #[inline]
    fn count_exponential(&mut self, key: u64) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "an index has 20 bits")]
        let index = T::position(key).wrapping_shr(self.shift.into()) as u32;
        self.count_ordinary(key, index.wrapping_sub(self.offset) as usize)
    }

    /// Records an ordinary value in this bucket, if there is one.
    #[inline]
    fn count_ordinary(&mut self, key: u64, bucket: usize) -> bool {
        let Some(count) = self.counts.get_mut(bucket) else { return false };
        *count = count.wrapping_add(1);
        T::add_key(&mut self.sum, key);
        self.observe(key);
        true
    }

    /// Takes a key into the extremes.
    #[inline]
    fn observe(&mut self, key: u64) {
        if key.wrapping_sub(self.min) > self.span {
            self.extend_extremes(key);
        }
    }

    #[cold]
    #[inline(never)]
    fn extend_extremes(&mut self, key: u64) {
        if !self.has_extremes {
            (self.min, self.span, self.has_extremes) = (key, 0, true);
        } else if T::of_key(key) < T::of_key(self.min) {
            self.span = self.span.wrapping_add(self.min).wrapping_sub(key);
            self.min = key;
        } else {
            self.span = key.wrapping_sub(self.min);
        }
    }

    #[cold]
    fn count_invalid(&mut self) {
        self.add_invalid(1);
    }

    fn add_invalid(&mut self, count: u64) {
        if count > 0 {
            let rest = self.rest();
            rest.invalid = rest.invalid.saturating_add(count);
        }
    }

    /// Records any value: the first one, one that needs memory for its bucket, and one that is not ordinary.
    #[cold]
    #[inline(never)]
    fn record_slow(&mut self, value: T) {
        if !value.is_finite() {
            return self.count_invalid();
        }
        match self.bounds() {
            Some(bounds) => {
                if self.counts.is_empty() {
                    self.counts = vec![0; bounds.len() + 1].into();
                }
                self.counts[bounds.partition_point(|bound| *bound < value)] += 1;
            }
            None => self.count_place(value.place()),
        }
        T::add(&mut self.sum, value);
        self.observe_any(value);
    }

    /// Takes any finite value into the extremes.
    fn observe_any(&mut self, value: T) {
        match value.key() {
            Some(key) if !self.has_extremes => self.extend_extremes(key),
            Some(key) => self.observe(key),
            None => {
                let seldom = self.rest().seldom.get_or_insert_default();
                let (min, max) = seldom.without_key.get_or_insert((value, value));
                if value < *min {
                    *min = value;
                }
                if value > *max {
                    *max = value;
                }
            }
        }
    }

    fn rest(&mut self) -> &mut Rest<T> {
        self.rest.get_or_insert_default()
    }

    /// The bounds of explicit buckets.
    fn bounds(&self) -> Option<&'static [T]> {
        match (self.layout, &self.rest) {
            (Some(layout), _) => Some(layout.bounds),
            (None, rest) => rest.as_ref()?.own_bounds,
        }
    }

    /// The limits of the memory for exponential buckets.
    fn limits(&self) -> Limits {
        let max_buckets = if self.max_buckets == 0 { DEFAULT_MAX_BUCKETS } else { self.max_buckets };
        Limits { max_buckets: max_buckets.into(), lowest: T::LOWEST }
    }

    /// Counts a value in its exponential bucket.
    fn count_place(&mut self, place: Place) {
        let (position, is_negative) = match place {
            Place::Zero => {
                self.rest().zero += 1;
                return;
            }
            Place::Positive(position) => (position, false),
            Place::Negative(position) => (position, true),
        };
        let limits = self.limits();
        let mut positive = Window { counts: std::mem::take(&mut self.counts), offset: self.offset };
        let mut no_negative = Window::default();
        let negative = match &mut self.rest {
            Some(rest) => &mut rest.negative,
            None if is_negative => &mut self.rest.insert(Box::default()).negative,
            None => &mut no_negative,
        };
        let (own, other) = if is_negative { (negative, &mut positive) } else { (&mut positive, negative) };
        self.shift = window::count(own, other, position, self.shift, limits);
        (self.counts, self.offset) = (positive.counts, positive.offset);
    }

    /// The number of recorded values.
    #[must_use]
    pub fn count(&self) -> u64 {
        let (zero, negative): (_, &[u64]) = match &self.rest {
            Some(rest) => (rest.zero, &rest.negative.counts),
            None => (0, &[]),
        };
        zero + self.counts.iter().chain(negative).sum::<u64>()
    }

    /// The sum of the recorded values.
    #[must_use]
    pub fn sum(&self) -> T {
        T::sum(self.sum)
    }

    /// The smallest and the largest value.
    fn extremes(&self) -> Option<(T, T)> {
        let max = self.min.wrapping_add(self.span);
        let with_key = self.has_extremes.then(|| (T::of_key(self.min), T::of_key(max)));
        // Durations without a key are longer than all others.
        let seldom = self.rest.as_ref().and_then(|rest| rest.seldom.as_ref());
        match (with_key, seldom.and_then(|seldom| seldom.without_key)) {
            (Some((min, _)), Some((_, max))) => Some((min, max)),
            (with_key, without_key) => with_key.or(without_key),
        }
    }

    /// The extremes of the values with a key, and of those without.
    fn all_extremes(&self) -> impl Iterator<Item = T> + use<T> {
        let max = self.min.wrapping_add(self.span);
        let with_key = self.has_extremes.then(|| [T::of_key(self.min), T::of_key(max)]);
        let seldom = self.rest.as_ref().and_then(|rest| rest.seldom.as_ref());
        let without_key = seldom.and_then(|seldom| seldom.without_key).map(|(min, max)| [min, max]);
        with_key.into_iter().chain(without_key).flatten()
    }

    /// The state, with these explicit bounds unless the histogram has buckets already.
    fn snapshot<N>(&self, declared: Option<&'static [T]>, number: impl Fn(T) -> N) -> HistogramSnapshot<N> {
        let declared = declared.filter(|_| self.is_unused());
        let extreme = |extreme: Option<T>| Extreme::from(extreme.map(&number));
        HistogramSnapshot {
            count: self.count(),
            sum: number(self.sum()),
            min: extreme(self.extremes().map(|(min, _)| min)),
            max: extreme(self.extremes().map(|(_, max)| max)),
            buckets: match self.bounds().or(declared) {
                Some(bounds) => Buckets::Explicit(self.explicit(bounds, &number)),
                None => Buckets::Exponential(self.exponential()),
            },
        }
    }

    fn explicit<N>(&self, bounds: &[T], number: impl Fn(T) -> N) -> Vec<Bucket<N>> {
        let upper_bounds = bounds.iter().map(|bound| Some(number(*bound))).chain([None]);
        let counts = self.counts.iter().copied().chain(std::iter::repeat(0));
        upper_bounds.zip(counts).map(|(upper_bound, count)| Bucket { upper_bound, count }).collect()
    }

    fn exponential(&self) -> ExponentialBuckets {
        let range = |offset: u32, counts: &[u64]| match window::trimmed(offset, counts) {
            (_, []) => BucketRange::default(),
            (first, counts) => {
                BucketRange { offset: index::bucket(first, self.shift), counts: counts.to_vec() }
            }
        };
        let (zero, negative) = match &self.rest {
            Some(rest) => (rest.zero, range(rest.negative.offset, &rest.negative.counts)),
            None => (0, BucketRange::default()),
        };
        let positive = range(self.offset, &self.counts);
        ExponentialBuckets { scale: index::scale(self.shift), zero, positive, negative }
    }

    /// Whether the histogram has neither values nor buckets of its own.
    fn is_unused(&self) -> bool {
        self.layout.is_none() && self.counts.is_empty() && self.rest.is_none()
    }
}

impl<T: Measure> Dimension for Histogram<T> {
    type Output = HistogramSnapshot<T>;
    const KIND: DimensionKind = DimensionKind::Histogram;
    const UNIT: Option<&'static str> = T::UNIT;
    const SHAPE: Shape =
        Shape { max_buckets: Some(DEFAULT_MAX_BUCKETS as usize), ..Shape::new(Self::KIND, T::NUMBER) };

    fn read(&self) -> Self::Output {
        self.snapshot(None, |value| value)
    }

    fn emptied(&self) -> Option<Self> {
        let mut emptied = Self { max_buckets: self.max_buckets, ..Self::default() };
        if let Some(layout) = self.layout {
            emptied.set_layout(layout);
        }
        Some(emptied)
    }

    fn empty_shard(&self) -> Option<Self> {
        Some(absorb::empty_shard(self))
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        absorb::absorb_shard(self, shard);
    }

    fn read_value(&self) -> DimensionValue {
        DimensionValue::Histogram(self.snapshot(None, Into::<Number>::into))
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
        self.rest.as_ref().map_or(0, |rest| rest.invalid)
    }
}

impl<T: Measure, V: IntoMeasure<T>> Record<V> for Histogram<T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        if value.is_invalid() {
            self.count_invalid();
            return true;
        }
        let Some(value) = value.into_measure() else { return false };
        self.record(value);
        true
    }
}
