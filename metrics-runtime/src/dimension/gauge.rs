//! Gauges.

use crate::descriptor::DimensionKind;
use crate::snapshot::DimensionValue;

use super::measure::{GaugeValue, IntoMeasure, Measure, finite, optional};
use super::{Dimension, Record, Set};

/// The value that was set last. It is never unsigned: `i64`, `f64` or `Duration`.
///
/// Fed with `set` or `value`; reads as `Option<T>`, `None` before the first value.
///
/// ```
/// use mvx_metrics::{Gauge, HandleEvent, Metric, metric_event};
///
/// #[metric_event]
/// struct Sampled {
///     celsius: f64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Sampled))]
/// struct Oven {
///     #[dimension(set = celsius, unit = "celsius", merge = max)]
///     temperature: Gauge<f64>,
/// }
///
/// let mut oven = Oven::default();
/// oven.handle(&Sampled { celsius: 180.0 });
/// oven.handle(&Sampled { celsius: 175.5 });
/// oven.handle(&Sampled { celsius: f64::NAN }); // not recorded, and counted as `invalid`
/// assert_eq!(oven.temperature.get(), Some(175.5));
/// assert_eq!(oven.snapshot().invalid, 1);
/// ```
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

impl<T: GaugeValue> Dimension for Gauge<T> {
    type Output = Option<T>;
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
