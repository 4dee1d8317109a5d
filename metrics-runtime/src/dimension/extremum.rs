//! The smallest and the largest value.

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{DimensionValue, Extreme};

use super::measure::{IntoMeasure, Measure, finite};
use super::{Dimension, Record, Shape};

macro_rules! extremum {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $get:literal, |$new:ident, $old:ident| $replaces:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<T> {
            extremum: Option<T>,
            invalid: u64,
        }

        impl<T: Measure> $name<T> {
            /// Takes a value into account. A value that is not finite is only counted as invalid.
            #[inline]
            pub fn record(&mut self, value: T) {
                if let Some($new) = finite(value, &mut self.invalid)
                    && self.extremum.is_none_or(|$old| $replaces)
                {
                    self.extremum = Some($new);
                }
            }

            #[doc = $get]
            #[must_use]
            pub fn get(&self) -> Option<T> {
                self.extremum
            }
        }

        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self { extremum: None, invalid: 0 }
            }
        }

        impl<T: Measure> Dimension for $name<T> {
            type Output = Extreme<T>;
            const KIND: DimensionKind = DimensionKind::$kind;
            const UNIT: Option<&'static str> = T::UNIT;
            const SHAPE: Shape = Shape::new(Self::KIND, T::NUMBER);

            fn read(&self) -> Extreme<T> {
                self.extremum.into()
            }

            fn value(extreme: Extreme<T>) -> DimensionValue {
                DimensionValue::from(extreme)
            }

            fn since(later: &Extreme<T>, earlier: &Extreme<T>) -> Extreme<T> {
                later.since(earlier)
            }

            fn merge_outputs(
                extreme: &mut Extreme<T>,
                other: &Extreme<T>,
                _rule: Option<MergeRule>,
            ) -> bool {
                extreme.merge(*other, |$new, $old| $replaces);
                true
            }

            fn empty_shard(&self) -> Option<Self> {
                Some(Self::default())
            }

            fn absorb_shard(&mut self, shard: &mut Self) {
                if let Some(extremum) = shard.extremum {
                    $name::record(self, extremum);
                }
                self.invalid = self.invalid.saturating_add(shard.invalid);
            }

            fn invalid(&self) -> u64 {
                self.invalid
            }
        }

        impl<T: Measure, V: IntoMeasure<T>> Record<V> for $name<T> {
            #[inline]
            fn record(&mut self, value: V) -> bool {
                if value.is_invalid() {
                    self.invalid = self.invalid.saturating_add(1);
                    return true;
                }
                let Some(value) = value.into_measure() else { return false };
                $name::record(self, value);
                true
            }
        }
    };
}

extremum! {
    /// The smallest of the values.
    ///
    /// Updated with `value`. A snapshot shows an [`Extreme<T>`](Extreme), `None` before the first value.
    ///
    /// ```
    /// use mvx_metrics::{HandleEvent, Min, Metric, metric_event};
    ///
    /// #[metric_event]
    /// struct Waited {
    ///     minutes: Option<u32>,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(Waited))]
    /// struct Waits {
    ///     #[dimension(value = minutes, unit = "minutes")]
    ///     shortest: Min<u64>,
    /// }
    ///
    /// let mut waits = Waits::default();
    /// for minutes in [Some(5), None, Some(3), Some(8)] {
    ///     waits.handle(&Waited { minutes });
    /// }
    /// assert_eq!(waits.shortest.get(), Some(3));
    /// ```
    Min, Min, "The smallest value so far.", |new, old| new < old
}

extremum! {
    /// The largest of the values.
    ///
    /// Updated with `value`. A snapshot shows an [`Extreme<T>`](Extreme), `None` before the first value.
    ///
    /// ```
    /// use mvx_metrics::{HandleEvent, Max, Metric, metric_event};
    ///
    /// #[metric_event]
    /// struct Waited {
    ///     minutes: Option<u32>,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(Waited))]
    /// struct Waits {
    ///     #[dimension(value = minutes, unit = "minutes")]
    ///     longest: Max<u64>,
    /// }
    ///
    /// let mut waits = Waits::default();
    /// for minutes in [Some(5), None, Some(3), Some(8)] {
    ///     waits.handle(&Waited { minutes });
    /// }
    /// assert_eq!(waits.longest.get(), Some(8));
    /// ```
    Max, Max, "The largest value so far.", |new, old| new > old
}
