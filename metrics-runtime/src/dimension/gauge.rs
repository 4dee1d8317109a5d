//! Gauges.

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{DimensionValue, Output};

use super::measure::{GaugeValue, IntoMeasure, Measure, finite};
use super::{Dimension, Record, Set, Shape};

/// The value that was set last. `T` is `i64`, `f64` or `Duration`, and never unsigned.
///
/// Updated with `set` or `value`. A snapshot shows an `Option<T>`, `None` before the first value.
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
    value: Option<T>,
    invalid: u64,
}

impl<T: Measure> Gauge<T> {
    /// Sets the value. A value that is not finite is only counted as invalid.
    #[inline]
    pub fn set(&mut self, value: T) {
        if let Some(value) = finite(value, &mut self.invalid) {
            self.value = Some(value);
        }
    }

    /// The value that was set last.
    #[must_use]
    pub fn get(&self) -> Option<T> {
        self.value
    }
}

impl<T> Default for Gauge<T> {
    fn default() -> Self {
        Self { value: None, invalid: 0 }
    }
}

impl<T: GaugeValue> Dimension for Gauge<T> {
    type Output = Option<T>;
    const KIND: DimensionKind = DimensionKind::Gauge;
    const UNIT: Option<&'static str> = T::UNIT;
    const SHAPE: Shape = Shape::new(Self::KIND, T::NUMBER);

    fn read(&self) -> Option<T> {
        self.value
    }

    fn value(output: Option<T>) -> DimensionValue {
        output.map_or(DimensionValue::Empty, |value| DimensionValue::from(value.into()))
    }

    fn merge_outputs(output: &mut Option<T>, other: &Option<T>, rule: Option<MergeRule>) -> bool {
        output.merge_by_rule(other, rule.unwrap_or_default())
    }

    fn merge_in_time(output: &mut Option<T>, later: &Option<T>) {
        *output = later.or(*output);
    }

    /// In totals a gauge goes with its recorder.
    fn may_vanish(_output: &Option<T>) -> bool {
        true
    }

    fn invalid(&self) -> u64 {
        self.invalid
    }
}

impl<T: Measure, V: IntoMeasure<T>> Set<V> for Gauge<T> {
    #[inline]
    fn set(&mut self, value: V) -> bool {
        if value.is_invalid() {
            self.invalid = self.invalid.saturating_add(1);
            return true;
        }
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
