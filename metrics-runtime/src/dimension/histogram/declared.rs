//! The buckets that a field declares: generated code gives them to its histogram.

use std::ptr;

use super::layout::BucketLayout;
use super::{Histogram, NO_WINDOW};
use crate::dimension::measure::{IntoMeasure, Measure};
use crate::dimension::{Dimension, Record};
use crate::snapshot::{DimensionValue, Number};

/// The most exponential buckets without the option `max_buckets`.
pub const DEFAULT_MAX_BUCKETS: u16 = 160;
/// The range of the option `max_buckets`. Positive and negative values need two buckets each at the coarsest scale.
pub const MIN_MAX_BUCKETS: u16 = 4;
/// See [`MIN_MAX_BUCKETS`].
pub const MAX_MAX_BUCKETS: u16 = 1_024;

/// A histogram with the buckets that its field declares.
#[derive(Debug)]
pub struct WithLayout<'a, T: 'static> {
    histogram: &'a mut Histogram<T>,
    layout: &'static BucketLayout<T>,
}

/// A histogram with the number of exponential buckets that its field declares.
#[derive(Debug)]
pub struct UpTo<'a, T: 'static> {
    histogram: &'a mut Histogram<T>,
    max_buckets: u16,
}

impl<T: Measure> Histogram<T> {
    /// Gives an unused histogram explicit buckets.
    pub(super) fn set_layout(&mut self, layout: &'static BucketLayout<T>) {
        if self.is_unused() {
            (self.offset, self.shift) = NO_WINDOW;
            self.layout = Some(layout);
        }
    }

    fn set_max_buckets(&mut self, max_buckets: u16) {
        if self.max_buckets == 0 && self.counts.is_empty() {
            self.max_buckets = max_buckets;
        }
    }
}

impl<T: Measure> WithLayout<'_, T> {
    /// Gives the histogram its buckets before a handler that the user has written.
    pub fn prepare(&mut self) {
        self.histogram.set_layout(self.layout);
    }

    /// The histogram, once it has its buckets.
    pub(super) fn prepared(&mut self) -> &mut Histogram<T> {
        self.prepare();
        self.histogram
    }

    /// A histogram that has counted something takes no other buckets, so it gets those of its field first.
    #[cold]
    fn count_invalid(&mut self) {
        self.prepared().count_invalid();
    }

    /// An instance that was made by other means has other buckets, and keeps them.
    #[cold]
    #[inline(never)]
    fn record_slow(mut self, value: T) {
        self.prepare();
        self.histogram.record_slow(value);
    }
}

impl<T: Measure, V: IntoMeasure<T>> Record<V> for WithLayout<'_, T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        if value.is_invalid() {
            self.count_invalid();
            return true;
        }
        let Some(value) = value.into_measure() else { return false };
        let Self { histogram, layout } = self;
        let is_recorded = histogram.layout.is_some_and(|own| ptr::eq(own, *layout))
            && value.ordinary_key().is_some_and(|key| histogram.count_ordinary(key, T::bucket(layout, key)));
        if !is_recorded {
            WithLayout { histogram, layout }.record_slow(value);
        }
        true
    }
}

impl<T: Measure> UpTo<'_, T> {
    /// As [`WithLayout::prepare`].
    pub fn prepare(&mut self) {
        self.histogram.set_max_buckets(self.max_buckets);
    }

    /// As [`WithLayout::prepared`].
    pub(super) fn prepared(&mut self) -> &mut Histogram<T> {
        self.prepare();
        self.histogram
    }

    #[cold]
    #[inline(never)]
    fn record_slow(mut self, value: T) {
        self.prepare();
        self.histogram.record_slow(value);
    }
}

impl<T: Measure, V: IntoMeasure<T>> Record<V> for UpTo<'_, T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        if value.is_invalid() {
            self.histogram.count_invalid();
            return true;
        }
        let Some(value) = value.into_measure() else { return false };
        let Self { histogram, max_buckets } = self;
        if !value.ordinary_key().is_some_and(|key| histogram.count_exponential(key)) {
            UpTo { histogram, max_buckets: *max_buckets }.record_slow(value);
        }
        true
    }
}

/// A dimension that has the option `buckets`: a histogram, or one for each label.
pub trait BucketedReading: Dimension {
    /// The type of the histogram's values.
    type Measure: Measure;

    /// Like [`Dimension::read`], with these buckets where a histogram has none yet. `zeros` tells whether labels that no
    /// event has had yet are shown.
    fn read_within(&self, layout: &'static BucketLayout<Self::Measure>, zeros: bool) -> Self::Output;

    /// The same without types.
    fn read_value_within(&self, layout: &'static BucketLayout<Self::Measure>, zeros: bool) -> DimensionValue;

    /// Like [`Dimension::zero`], with these buckets.
    fn zero_within(layout: &'static BucketLayout<Self::Measure>) -> Option<Self::Output>;
}

impl<T: Measure> BucketedReading for Histogram<T> {
    type Measure = T;

    fn read_within(&self, layout: &'static BucketLayout<T>, _zeros: bool) -> Self::Output {
        self.snapshot(Some(layout.bounds), |value| value)
    }

    fn read_value_within(&self, layout: &'static BucketLayout<T>, _zeros: bool) -> DimensionValue {
        DimensionValue::Histogram(self.snapshot(Some(layout.bounds), Into::<Number>::into))
    }

    fn zero_within(layout: &'static BucketLayout<T>) -> Option<Self::Output> {
        Some(Self::default().snapshot(Some(layout.bounds), |value| value))
    }
}

/// A dimension to which an event is applied with the option `buckets` or `max_buckets`.
#[diagnostic::on_unimplemented(
    message = "`buckets` and `max_buckets` apply to `Histogram<T>` only, and `{Self}` is not a histogram",
    label = "has no buckets"
)]
pub trait Bucketed {
    /// The type of the histogram's values.
    type Measure: Measure;

    /// The histogram with the explicit buckets of its field.
    fn within(&mut self, layout: &'static BucketLayout<Self::Measure>) -> WithLayout<'_, Self::Measure>;

    /// The histogram with the most exponential buckets of its field.
    fn up_to(&mut self, max_buckets: u16) -> UpTo<'_, Self::Measure>;
}

impl<T: Measure> Bucketed for Histogram<T> {
    type Measure = T;

    #[inline]
    fn within(&mut self, layout: &'static BucketLayout<T>) -> WithLayout<'_, T> {
        WithLayout { histogram: self, layout }
    }

    #[inline]
    fn up_to(&mut self, max_buckets: u16) -> UpTo<'_, T> {
        UpTo { histogram: self, max_buckets }
    }
}
