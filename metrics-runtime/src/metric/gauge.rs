//! Gauges.

use crate::descriptor::DimensionKind;
use crate::snapshot::DimensionValue;

use super::dimension::{Dimension, Record, Set};
use super::measure::{IntoMeasure, Level, Measure, finite, optional};

/// The value that was set last. It is never unsigned: `i64`, `f64` or `Duration`.
///
/// Fed with `set` or `value`; reads as `Option<T>`, `None` before the first value.
#[derive(Debug, Clone, Copy)]
pub struct Gauge<T> {
    level: Option<T>,
    invalid: u64,
}

impl<T: Measure> Gauge<T> {
    /// Sets the value, unless it is not finite.
    #[inline]
    pub fn set(&mut self, level: T) {
        if let Some(level) = finite(level, &mut self.invalid) {
            self.level = Some(level);
        }
    }

    /// The value that was set last.
    #[must_use]
    pub fn get(&self) -> Option<T> {
        self.level
    }
}

impl<T> Default for Gauge<T> {
    fn default() -> Self {
        Self { level: None, invalid: 0 }
    }
}

impl<T: Level> Dimension for Gauge<T> {
    type Reading = Option<T>;
    const KIND: DimensionKind = DimensionKind::Gauge;
    const UNIT: Option<&'static str> = T::UNIT;

    fn read(&self) -> Option<T> {
        self.level
    }

    fn value(&self) -> DimensionValue {
        optional(self.level)
    }

    fn invalid(&self) -> u64 {
        self.invalid
    }
}

impl<T: Measure, V: IntoMeasure<T>> Set<V> for Gauge<T> {
    #[inline]
    fn set(&mut self, value: V) -> bool {
        let Some(value) = value.into_measure() else { return false };
        Gauge::set(self, value);
        true
    }
}

impl<T: Measure, V: IntoMeasure<T>> Record<V> for Gauge<T> {
    #[inline]
    fn record(&mut self, value: V) -> bool {
        Set::set(self, value)
    }
}
