//! Numbers that are recorded as times: the option `from` of a field.

use std::time::Duration;

use super::IntoMeasure;
use crate::number::TimeUnit;

/// A number that the option `from` makes a time of: an integer, a floating-point number, or an `Option` of one.
///
/// A number that is negative, infinite or NaN counts as invalid. One that is too large becomes [`Duration::MAX`], and `None` records
/// nothing.
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::{HandleEvent, Metric, Sum, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Polled {
///     nanos: u64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Polled))]
/// struct Polls {
///     #[dimension(value = nanos, from = nanoseconds)]
///     spent: Sum<Duration>,
/// }
///
/// let mut metric = Polls::default();
/// metric.handle(&Polled { nanos: 1_500 });
/// assert_eq!(metric.typed_snapshot().spent, Duration::from_nanos(1_500));
/// ```
#[diagnostic::on_unimplemented(
    message = "`from` makes a time of a number, and `{Self}` is no number: remove `from`",
    label = "expected an integer or a floating-point number, found `{Self}`"
)]
pub trait TimeNumber: Copy {
    /// The number as a time, to be recorded.
    #[doc(hidden)]
    #[inline]
    fn in_unit(self, unit: TimeUnit) -> FromUnit {
        FromUnit { time: self.time(unit), is_invalid: self.is_no_time() }
    }

    /// The time, at most the longest one; `None` when there is nothing to record.
    #[doc(hidden)]
    fn time(self, unit: TimeUnit) -> Option<Duration>;

    /// Whether the number is negative, infinite or NaN.
    #[doc(hidden)]
    fn is_no_time(self) -> bool;
}

/// A time that the option `from` has made of a number.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct FromUnit {
    time: Option<Duration>,
    is_invalid: bool,
}

impl IntoMeasure<Duration> for FromUnit {
    #[inline]
    fn into_measure(self) -> Option<Duration> {
        self.time
    }

    #[inline]
    fn is_invalid(&self) -> bool {
        self.is_invalid
    }
}

impl<V: TimeNumber> TimeNumber for Option<V> {
    #[inline]
    fn time(self, unit: TimeUnit) -> Option<Duration> {
        self.and_then(|value| value.time(unit))
    }

    #[inline]
    fn is_no_time(self) -> bool {
        self.is_some_and(V::is_no_time)
    }
}

macro_rules! integers {
    ($($number:ty),*) => {
        $(impl TimeNumber for $number {
            #[inline]
            fn time(self, unit: TimeUnit) -> Option<Duration> {
                // Only an integer of more than 64 bits is too large.
                let is_time = !self.is_no_time();
                is_time.then(|| u64::try_from(self).map_or(Duration::MAX, |whole| unit.of_whole(whole)))
            }

            #[inline]
            #[allow(unused_comparisons, reason = "unsigned integers, too")]
            fn is_no_time(self) -> bool {
                self < 0
            }
        })*
    };
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl TimeNumber for f64 {
    #[inline]
    fn time(self, unit: TimeUnit) -> Option<Duration> {
        (!self.is_no_time()).then(|| unit.of_float(self).unwrap_or(Duration::MAX))
    }

    #[inline]
    fn is_no_time(self) -> bool {
        !(self >= 0.0 && self.is_finite())
    }
}

impl TimeNumber for f32 {
    #[inline]
    fn time(self, unit: TimeUnit) -> Option<Duration> {
        f64::from(self).time(unit)
    }

    #[inline]
    fn is_no_time(self) -> bool {
        f64::from(self).is_no_time()
    }
}
