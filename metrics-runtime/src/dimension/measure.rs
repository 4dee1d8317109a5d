//! Measures: the types of number that dimensions record.

use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroUsize,
};
use std::time::Duration;

use crate::snapshot::{Arithmetic, Output};

/// A type of number that dimensions record: `u64`, `i64`, `f64` or [`Duration`].
///
/// It is the `T` of [`Sum<T>`](crate::Sum) and the like. No other type can be a measure. Values of narrower types are
/// converted by [`IntoMeasure<T>`](crate::feed::IntoMeasure).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a measure: use `u64`, `i64`, `f64` or `Duration`",
    label = "not a measure"
)]
pub trait Measure: Output + Arithmetic + Sync + Default + IntoMeasure<Self> + sealed::Sealed {
    /// The unit that the type itself implies: seconds for durations.
    const UNIT: Option<&'static str> = None;

    /// Whether no value is below zero.
    #[doc(hidden)]
    const IS_UNSIGNED: bool;

    /// Whether the value can be recorded; `false` for infinities and NaN.
    #[doc(hidden)]
    #[must_use]
    fn is_finite(self) -> bool {
        true
    }

    /// The value as a floating-point number; seconds for durations.
    #[must_use]
    fn as_f64(self) -> f64;
}

/// A measure that a gauge can hold: a signed number or a duration.
#[diagnostic::on_unimplemented(
    message = "a gauge is never unsigned: `Gauge<{Self}>` cannot go below zero, use `Gauge<i64>` or `Gauge<f64>`",
    label = "not a gauge value"
)]
pub trait GaugeValue: Measure {}

impl GaugeValue for i64 {}
impl GaugeValue for f64 {}
impl GaugeValue for Duration {}

mod sealed {
    pub trait Sealed: crate::dimension::histogram::Recorded {}
    impl Sealed for u64 {}
    impl Sealed for i64 {}
    impl Sealed for f64 {}
    impl Sealed for std::time::Duration {}
}

impl Measure for u64 {
    const IS_UNSIGNED: bool = true;

    #[expect(clippy::cast_precision_loss, reason = "the caller asks for a floating-point number")]
    fn as_f64(self) -> f64 {
        self as f64
    }
}

impl Measure for i64 {
    const IS_UNSIGNED: bool = false;

    #[expect(clippy::cast_precision_loss, reason = "the caller asks for a floating-point number")]
    fn as_f64(self) -> f64 {
        self as f64
    }
}

impl Measure for f64 {
    const IS_UNSIGNED: bool = false;

    #[inline]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }

    fn as_f64(self) -> f64 {
        self
    }
}

impl Measure for Duration {
    const UNIT: Option<&'static str> = Some("seconds");
    const IS_UNSIGNED: bool = true;

    fn as_f64(self) -> f64 {
        self.as_secs_f64()
    }
}

/// Lets finite values through, and counts all others in `invalid`.
#[inline]
pub(super) fn finite<T: Measure>(value: T, invalid: &mut u64) -> Option<T> {
    if value.is_finite() {
        Some(value)
    } else {
        *invalid = invalid.saturating_add(1);
        None
    }
}

/// A value of an event that can be recorded as a `T`: a `T`, a narrower number, or an `Option` of these.
///
/// `None` records nothing. A number above `i64::MAX` is recorded as `i64::MAX` where `T` is `i64`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` cannot be recorded as `{T}`",
    label = "expected `{T}`, found `{Self}`",
    note = "a closure can convert it: `value = |e| ..`"
)]
pub trait IntoMeasure<T> {
    /// Converts the value; `None` when there is nothing to record.
    fn into_measure(self) -> Option<T>;

    /// Whether the value is counted as invalid in place of being recorded.
    #[doc(hidden)]
    #[inline]
    fn is_invalid(&self) -> bool {
        false
    }
}

impl<T, V: IntoMeasure<T>> IntoMeasure<T> for Option<V> {
    #[inline]
    fn into_measure(self) -> Option<T> {
        self.and_then(V::into_measure)
    }

    #[inline]
    fn is_invalid(&self) -> bool {
        self.as_ref().is_some_and(V::is_invalid)
    }
}

macro_rules! into_measure {
    ($($from:ty => $to:ty: $convert:expr;)*) => {
        $(impl IntoMeasure<$to> for $from {
            #[inline]
            fn into_measure(self) -> Option<$to> {
                Some(($convert)(self))
            }
        })*
    };
}

/// References to numbers, as closures such as `|e| &e.bytes` return them.
impl<T, V: IntoMeasure<T> + Copy> IntoMeasure<T> for &V {
    #[inline]
    fn into_measure(self) -> Option<T> {
        (*self).into_measure()
    }
}

/// Types that users record by mistake. The impl says what to write: nothing implements its bound. The bound depends on a
/// lifetime: rustc checks it where the impl is used, and not here.
macro_rules! no_measure {
    ($to:ty: $($bound:ident: $($from:ty)*;)*) => {
        $($(impl IntoMeasure<$to> for $from
        where
            for<'a> $to: $bound<'a>,
        {
            fn into_measure(self) -> Option<$to> {
                None
            }
        })*)*
    };
    ($($to:ty)*) => {
        $(no_measure! {
            $to:
            FromBool: bool;
            FromWide: u128 i128;
            FromNonZero: NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroUsize NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64
                NonZeroIsize;
        })*
    };
}

no_measure! { u64 i64 f64 }
no_measure! { u64: FromSigned: i64 i32 i16 i8 isize; }
no_measure! { Duration: FromNumber: bool u128 i128; }

/// The same for every measure.
macro_rules! no_measure_of {
    ($bound:ident: $($from:ty),*) => {
        $(impl<T: $bound> IntoMeasure<T> for $from {
            fn into_measure(self) -> Option<T> {
                None
            }
        })*
    };
}

no_measure_of! { FromText: String, &str }

impl<T: FromResult, V, E> IntoMeasure<T> for Result<V, E> {
    fn into_measure(self) -> Option<T> {
        None
    }
}

/// Holds for no type: its message says what to write in place of a `bool`.
#[diagnostic::on_unimplemented(
    message = "a `bool` cannot be recorded as `{Self}`: write `|e| {Self}::from(e.field)`",
    label = "expected `{Self}`, found `bool`",
    note = "to count the events for which it is true, use a `Counter` with `when = field`"
)]
pub trait FromBool<'a> {}

/// Holds for no type: its message says what to write in place of a signed integer.
#[diagnostic::on_unimplemented(
    message = "a signed integer cannot be recorded as `{Self}`: write `|e| e.field as u64`, or measure `i64`",
    label = "expected `{Self}`, found a signed integer",
    note = "a number without a type is signed: write `1u64`"
)]
pub trait FromSigned<'a> {}

/// Holds for no type: its message says what to write in place of a number.
#[diagnostic::on_unimplemented(
    message = "a number cannot be recorded as a `Duration`: record the `Duration` itself, or say its unit, `from = milliseconds`",
    label = "expected a `Duration`"
)]
pub trait FromNumber<'a> {}

/// Holds for no type: its message says what to write in place of an integer of 128 bits.
#[diagnostic::on_unimplemented(
    message = "an integer of 128 bits cannot be recorded as `{Self}`: write `as u64` behind it",
    label = "expected `{Self}`, found 128 bits",
    note = "instead of `.as_millis()`, record the `Duration` itself, in a dimension of `Duration`s"
)]
pub trait FromWide<'a> {}

/// Holds for no type: its message says what to write in place of a number of a `NonZero` type.
#[diagnostic::on_unimplemented(
    message = "a number that is never zero cannot be recorded as `{Self}`: write `|e| e.field.get()`",
    label = "expected `{Self}`"
)]
pub trait FromNonZero<'a> {}

/// Holds for no type: its message says what to write in place of a text.
#[diagnostic::on_unimplemented(
    message = "a text cannot be recorded as `{Self}`: write a closure that makes a number of it, such as `|e| e.field.len()`",
    label = "expected `{Self}`, found a text"
)]
pub trait FromText {}

/// Holds for no type: its message says what to write in place of a `Result`.
#[diagnostic::on_unimplemented(
    message = "a `Result` cannot be recorded as `{Self}`: write `.ok()` behind it, and an error records nothing",
    label = "expected `{Self}`, found a `Result`"
)]
pub trait FromResult {}

into_measure! {
    u64 => u64: std::convert::identity;
    u32 => u64: u64::from;
    u16 => u64: u64::from;
    u8 => u64: u64::from;
    usize => u64: |value| value as u64;
    i64 => i64: std::convert::identity;
    i32 => i64: i64::from;
    i16 => i64: i64::from;
    i8 => i64: i64::from;
    isize => i64: |value| value as i64;
    u64 => i64: |value| i64::try_from(value).unwrap_or(i64::MAX);
    usize => i64: |value| i64::try_from(value).unwrap_or(i64::MAX);
    u32 => i64: i64::from;
    u16 => i64: i64::from;
    u8 => i64: i64::from;
    f64 => f64: std::convert::identity;
    f32 => f64: f64::from;
    i32 => f64: f64::from;
    i16 => f64: f64::from;
    i8 => f64: f64::from;
    u32 => f64: f64::from;
    u16 => f64: f64::from;
    u8 => f64: f64::from;
    Duration => Duration: std::convert::identity;
}
