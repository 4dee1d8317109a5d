//! Cells: the values behind the handles of the facade. Many threads write one cell, and readers read it at any time.
//!
//! All orderings are relaxed. A cell is one number, and no other data is published through it. Each atomic has one order of its changes, so
//! none is counted twice or lost. A reader that knows of a call, because it has synchronised with its thread, sees the call's change.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::{CounterFn, GaugeFn, HistogramFn};
use mvx_metrics::{
    Buckets, Dimension, DimensionDescriptor, DimensionKind, DimensionValue, Histogram, HistogramSnapshot,
    Merge, Number, NumberType,
};

/// The upper bounds of a histogram's buckets; `None` for exponential buckets.
pub(crate) type Bounds = Option<&'static [f64]>;

/// A kind of value.
pub(crate) trait Cell: Send + Sync + 'static {
    /// The word for the kind, in names and in the log.
    const WORD: &'static str;

    fn new(bounds: Bounds) -> Self;

    /// The dimension of all cells with these bounds, without name and labels.
    fn dimension(bounds: Bounds) -> DimensionDescriptor;

    fn value(&self) -> DimensionValue;

    /// How many values were NaN or infinite.
    fn invalid(&self) -> u64;
}

#[derive(Default)]
pub(crate) struct CounterCell(AtomicU64);

impl Cell for CounterCell {
    const WORD: &'static str = "counter";

    fn new(_: Bounds) -> Self {
        Self::default()
    }

    fn dimension(_: Bounds) -> DimensionDescriptor {
        let mut counter = DimensionDescriptor::new("", DimensionKind::Counter);
        counter.number = Some(NumberType::Unsigned);
        counter
    }

    fn value(&self) -> DimensionValue {
        self.0.load(Relaxed).into()
    }

    fn invalid(&self) -> u64 {
        0
    }
}

impl CounterFn for CounterCell {
    #[inline]
    fn increment(&self, value: u64) {
        add_saturating(&self.0, value);
    }

    #[inline]
    fn absolute(&self, value: u64) {
        self.0.fetch_max(value, Relaxed);
    }
}

#[inline]
fn add_saturating(count: &AtomicU64, amount: u64) {
    let _ = count.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_add(amount)));
}

#[derive(Default)]
pub(crate) struct GaugeCell {
    /// The bits of a finite `f64`.
    bits: AtomicU64,
    invalid: AtomicU64,
}

impl GaugeCell {
    #[inline]
    fn add(&self, amount: f64) {
        if !amount.is_finite() {
            return add_saturating(&self.invalid, 1);
        }
        let _ = self
            .bits
            .fetch_update(Relaxed, Relaxed, |bits| Some(saturated(f64::from_bits(bits) + amount).to_bits()));
    }
}

/// The nearest finite number: sums saturate.
fn saturated(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

impl Cell for GaugeCell {
    const WORD: &'static str = "gauge";

    fn new(_: Bounds) -> Self {
        Self::default()
    }

    fn dimension(_: Bounds) -> DimensionDescriptor {
        let mut gauge = DimensionDescriptor::new("", DimensionKind::Gauge);
        gauge.number = Some(NumberType::Float);
        gauge
    }

    fn value(&self) -> DimensionValue {
        f64::from_bits(self.bits.load(Relaxed)).into()
    }

    fn invalid(&self) -> u64 {
        self.invalid.load(Relaxed)
    }
}

impl GaugeFn for GaugeCell {
    #[inline]
    fn increment(&self, value: f64) {
        self.add(value);
    }

    #[inline]
    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    #[inline]
    fn set(&self, value: f64) {
        if value.is_finite() {
            self.bits.store(value.to_bits(), Relaxed);
        } else {
            add_saturating(&self.invalid, 1);
        }
    }
}

pub(crate) struct HistogramCell {
    bounds: Bounds,
    recorded: Mutex<Recorded>,
}

#[derive(Default)]
struct Recorded {
    values: Histogram<f64>,
    /// The values of `record_many`.
    repeated: Option<Box<HistogramSnapshot<f64>>>,
    /// How many values of `record_many` were NaN or infinite.
    repeated_invalid: u64,
}

/// Up to so many equal values are recorded one by one.
const MAX_SINGLE_RECORDS: usize = 8;

impl HistogramCell {
    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn histogram(bounds: Bounds) -> Histogram<f64> {
    bounds.map_or_else(Histogram::default, Histogram::with_buckets)
}

impl Cell for HistogramCell {
    const WORD: &'static str = "histogram";

    fn new(bounds: Bounds) -> Self {
        let recorded = Recorded { values: histogram(bounds), ..Recorded::default() };
        Self { bounds, recorded: Mutex::new(recorded) }
    }

    fn dimension(bounds: Bounds) -> DimensionDescriptor {
        let mut histogram = DimensionDescriptor::new("", DimensionKind::Histogram);
        histogram.number = Some(NumberType::Float);
        match bounds {
            Some(bounds) => histogram.buckets = bounds.iter().map(|bound| Number::Float(*bound)).collect(),
            None => histogram.max_buckets = Some(MAX_BUCKETS),
        }
        histogram
    }

    fn value(&self) -> DimensionValue {
        let recorded = self.lock();
        let mut values = recorded.values.read();
        if let Some(repeated) = &recorded.repeated {
            values.merge(repeated);
        }
        drop(recorded);
        <Histogram<f64> as Dimension>::value(values)
    }

    fn invalid(&self) -> u64 {
        let recorded = self.lock();
        Dimension::invalid(&recorded.values).saturating_add(recorded.repeated_invalid)
    }
}

/// The most exponential buckets of a histogram, which is the library's default.
const MAX_BUCKETS: usize = 160;

impl HistogramFn for HistogramCell {
    #[inline]
    fn record(&self, value: f64) {
        self.lock().values.record(value);
    }

    fn record_many(&self, value: f64, count: usize) {
        if count <= MAX_SINGLE_RECORDS {
            let mut recorded = self.lock();
            (0..count).for_each(|_| recorded.values.record(value));
            return;
        }
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if !value.is_finite() {
            let mut recorded = self.lock();
            recorded.repeated_invalid = recorded.repeated_invalid.saturating_add(count);
            return;
        }
        let many = repeated(self.bounds, value, count);
        let mut recorded = self.lock();
        match &mut recorded.repeated {
            Some(sum) => sum.merge(&many),
            None => recorded.repeated = Some(Box::new(many)),
        }
    }
}

/// A histogram of one value that was recorded so often.
fn repeated(bounds: Bounds, value: f64, count: u64) -> HistogramSnapshot<f64> {
    let mut one = histogram(bounds);
    one.record(value);
    let mut many = one.read();
    many.count = count;
    #[expect(clippy::cast_precision_loss, reason = "the sum is a floating-point number, too")]
    let sum = saturated(value * count as f64);
    many.sum = sum;
    // Each bucket has 0 values or 1.
    match &mut many.buckets {
        Buckets::Explicit(buckets) => buckets.iter_mut().for_each(|bucket| bucket.count *= count),
        Buckets::Exponential(buckets) => {
            buckets.zero *= count;
            let (positive, negative) = (&mut buckets.positive.counts, &mut buckets.negative.counts);
            positive.iter_mut().chain(negative).for_each(|bucket| *bucket *= count);
        }
        _ => {}
    }
    many
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(cell: &HistogramCell) -> HistogramSnapshot<Number> {
        match cell.value() {
            DimensionValue::Histogram(histogram) => histogram,
            other => panic!("no histogram: {other:?}"),
        }
    }

    #[test]
    fn a_counter_saturates_and_an_absolute_value_never_lowers_it() {
        let counter = CounterCell::new(None);
        counter.absolute(7);
        counter.absolute(5);
        assert_eq!(counter.value(), 7_u64.into());
        counter.increment(u64::MAX);
        counter.increment(1);
        assert_eq!(counter.value(), u64::MAX.into());
    }

    #[test]
    fn a_gauge_saturates_and_counts_what_is_not_finite() {
        let gauge = GaugeCell::new(None);
        gauge.set(f64::MAX);
        gauge.increment(f64::MAX);
        assert_eq!(gauge.value(), f64::MAX.into());
        gauge.set(f64::NAN);
        gauge.increment(f64::INFINITY);
        gauge.decrement(f64::NEG_INFINITY);
        assert_eq!((gauge.value(), gauge.invalid()), (f64::MAX.into(), 3));
        gauge.set(1.5);
        gauge.decrement(2.0);
        assert_eq!(gauge.value(), (-0.5).into());
    }

    #[test]
    fn many_equal_values_are_recorded_as_one_by_one() {
        const BOUNDS: &[f64] = &[1.0, 10.0];
        for bounds in [None, Some(BOUNDS)] {
            let (single, many) = (HistogramCell::new(bounds), HistogramCell::new(bounds));
            for value in [0.0, 0.25, 3.5, -3.5, 1e9, f64::NAN] {
                for count in [0, 1, 8, 9, 100] {
                    many.record_many(value, count);
                    (0..count).for_each(|_| single.record(value));
                }
            }
            let (mut single_read, mut many_read) = (snapshot(&single), snapshot(&many));
            let sums = [&mut single_read, &mut many_read].map(|read| {
                let sum = read.sum.as_f64();
                read.sum = Number::Float(0.0);
                sum
            });
            assert!((sums[0] - sums[1]).abs() <= sums[0] * 1e-12, "{sums:?}");
            assert_eq!(single_read, many_read);
            assert_eq!((single.invalid(), many.invalid()), (118, 118));
        }
    }

    #[test]
    fn endlessly_many_values_take_no_time_and_saturate() {
        let histogram = HistogramCell::new(None);
        for value in [f64::MAX, f64::MAX, f64::NAN, f64::NAN] {
            histogram.record_many(value, usize::MAX);
        }
        let read = snapshot(&histogram);
        assert_eq!((read.count, read.sum.as_f64()), (u64::MAX, f64::MAX));
        assert_eq!(histogram.invalid(), u64::MAX);
    }
}
