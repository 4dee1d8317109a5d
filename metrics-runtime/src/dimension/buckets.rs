//! Bucket bounds, checked at compile time.
//!
//! The checks are `#[track_caller]`: rustc then shows the user's bounds and none of the functions that found the mistake.

use std::marker::PhantomData;
use std::time::Duration;

use super::histogram::{Guess, MAX_MAX_BUCKETS, MIN_MAX_BUCKETS, guesses};
use crate::snapshot::Number;

/// Makes the bounds of a histogram of `T` from a constant, at compile time.
#[derive(Debug)]
pub struct BucketsOf<T>(PhantomData<T>);

macro_rules! ordered {
    ($number:ty) => {
        impl BucketsOf<$number> {
            /// Checks that the bounds are in ascending order, and returns them.
            ///
            /// # Panics
            ///
            /// At compile time, when they are not in ascending order.
            #[must_use]
            #[track_caller]
            pub const fn bounds<const N: usize>(from: &[$number]) -> [$number; N] {
                assert!(N > 0, "`buckets` is empty: name at least one bound");
                let mut bounds = [from[0]; N];
                let mut index = 1;
                while index < N {
                    bounds[index] = from[index];
                    if bounds[index] <= bounds[index - 1] {
                        fail(index, " is not above the bound before it");
                    }
                    index += 1;
                }
                bounds
            }
        }
    };
}

ordered!(u64);
ordered!(i64);

impl BucketsOf<f64> {
    /// Checks that the bounds are finite and in ascending order, and returns them.
    ///
    /// # Panics
    ///
    /// At compile time, when a bound is not finite or not above the bound before it.
    #[must_use]
    #[track_caller]
    pub const fn bounds<const N: usize>(from: &[f64]) -> [f64; N] {
        assert!(N > 0, "`buckets` is empty: name at least one bound");
        let mut bounds = [0.0; N];
        let mut index = 0;
        while index < N {
            bounds[index] = from[index];
            if bounds[index].is_nan() {
                fail(index, " is NaN");
            }
            if bounds[index].is_infinite() {
                fail(index, " is infinite: leave it out, the last bucket has no bound");
            }
            if index > 0 && bounds[index] <= bounds[index - 1] {
                fail(index, " is not above the bound before it");
            }
            index += 1;
        }
        bounds
    }
}

impl BucketsOf<Duration> {
    /// Makes durations of bounds in seconds.
    ///
    /// # Panics
    ///
    /// At compile time, when a bound is negative, not finite, or not at least one nanosecond above the bound before it.
    #[must_use]
    #[track_caller]
    pub const fn bounds<const N: usize>(from: &[f64]) -> [Duration; N] {
        let seconds = BucketsOf::<f64>::bounds::<N>(from);
        let mut bounds = [Duration::ZERO; N];
        let mut index = 0;
        while index < N {
            if seconds[index] < 0.0 {
                fail(index, " is negative, and a `Duration` never is");
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "rounds, and saturates"
            )]
            let nanos = (seconds[index] * 1e9 + 0.5) as u64;
            bounds[index] = Duration::from_nanos(nanos);
            if index > 0 && bounds[index].as_nanos() <= bounds[index - 1].as_nanos() {
                fail(index, " is the same number of nanoseconds as the bound before it");
            }
            index += 1;
        }
        bounds
    }
}

/// The bounds of a histogram of durations as the user wrote them: durations, or numbers of seconds. rustc shows the name of
/// the method when the bounds are something else.
#[derive(Debug)]
pub struct DurationBounds<'a, T>(pub &'a [T]);

impl DurationBounds<'_, f64> {
    /// Makes durations of bounds in seconds.
    ///
    /// # Panics
    ///
    /// At compile time, as [`BucketsOf`] does.
    #[must_use]
    #[track_caller]
    pub const fn of_durations_or_seconds<const N: usize>(self) -> [Duration; N] {
        BucketsOf::<Duration>::bounds(self.0)
    }
}

impl DurationBounds<'_, Duration> {
    /// Checks that the bounds are in ascending order, and returns them.
    ///
    /// # Panics
    ///
    /// At compile time, when they are not in ascending order.
    #[must_use]
    #[track_caller]
    pub const fn of_durations_or_seconds<const N: usize>(self) -> [Duration; N] {
        assert!(N > 0, "`buckets` is empty: name at least one bound");
        let mut bounds = [Duration::ZERO; N];
        let mut index = 0;
        while index < N {
            bounds[index] = self.0[index];
            if index > 0 && bounds[index].as_nanos() <= bounds[index - 1].as_nanos() {
                fail(index, " is not above the bound before it");
            }
            index += 1;
        }
        bounds
    }
}

/// The first bound of `buckets = exponential(start, factor, n)` of durations, as the user wrote it. rustc shows the name of the method
/// when that is something else.
#[derive(Debug)]
pub struct DurationStart<T>(pub T);

impl DurationStart<f64> {
    /// The start in seconds.
    #[must_use]
    pub const fn duration_or_seconds(self) -> f64 {
        self.0
    }
}

impl DurationStart<Duration> {
    /// The start in seconds.
    #[must_use]
    pub const fn duration_or_seconds(self) -> f64 {
        self.0.as_secs_f64()
    }
}

/// Bounds that are `start * factor^i`. Integers are rounded.
macro_rules! exponential {
    ($($number:ty: $start:ty, $unit:literal, |$value:ident| $bound:expr, $limit:expr;)*) => {
        $(impl BucketsOf<$number> {
            /// The bounds that begin at `start`, each `factor` times the one before it. For durations `start` is in
            /// seconds.
            ///
            /// # Panics
            ///
            /// At compile time, when the start is not above 0, the factor is not above 1, there is no bound, or a bound is too
            /// large or equal to the one before it.
            #[must_use]
            #[track_caller]
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bounds are rounded, and compared with the limit before"
            )]
            pub const fn exponential<const N: usize>(start: $start, factor: f64) -> [$number; N] {
                let mut $value = start as f64 * $unit;
                assert!($value > 0.0 && $value.is_finite(), "`exponential`: the start must be above 0");
                assert!(factor > 1.0 && factor.is_finite(), "`exponential`: the factor must be above 1");
                assert!(N > 0, "`exponential` has no bounds: name at least one");
                let mut bounds = [$bound; N];
                let mut index = 0;
                while index < N {
                    if $value >= $limit {
                        fail(index, concat!(" of `exponential`, counted from 0, is too large for `", stringify!($number), "`: write fewer bounds or a smaller factor"));
                    }
                    bounds[index] = $bound;
                    if index > 0 && !Self::is_above(bounds[index], bounds[index - 1]) {
                        fail(index, " of `exponential` is rounded to the bound before it");
                    }
                    $value *= factor;
                    index += 1;
                }
                bounds
            }
        })*
    };
}

exponential! {
    u64: u64, 1.0, |value| rounded(value), TWO_TO_63 * 2.0;
    i64: i64, 1.0, |value| rounded(value).cast_signed(), TWO_TO_63;
    f64: f64, 1.0, |value| value, f64::INFINITY;
    Duration: f64, 1e9, |value| Duration::from_nanos(rounded(value)), TWO_TO_63 * 2.0;
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// The nearest integer. Numbers of 2<sup>52</sup> and more are integers.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number, which is rounded"
)]
const fn rounded(value: f64) -> u64 {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    if value < WHOLE { (value + 0.5) as u64 } else { value as u64 }
}

macro_rules! is_above {
    ($($number:ty: |$one:ident, $other:ident| $is_above:expr;)*) => {
        $(impl BucketsOf<$number> {
            const fn is_above($one: $number, $other: $number) -> bool {
                $is_above
            }
        })*
    };
}

is_above! {
    u64: |one, other| one > other;
    i64: |one, other| one > other;
    f64: |one, other| one > other;
    Duration: |one, other| one.as_nanos() > other.as_nanos();
}

macro_rules! numbers {
    ($($number:ty => $variant:ident;)*) => {
        $(impl BucketsOf<$number> {
            /// The bounds without their type, for a descriptor.
            #[must_use]
            pub const fn numbers<const N: usize>(bounds: &[$number]) -> [Number; N] {
                let mut numbers = [Number::Unsigned(0); N];
                let mut index = 0;
                while index < N {
                    numbers[index] = Number::$variant(bounds[index]);
                    index += 1;
                }
                numbers
            }
        })*
    };
}

numbers! {
    u64 => Unsigned;
    i64 => Signed;
    f64 => Float;
    Duration => Duration;
}

/// The guesses for bounds that [`bounds`](BucketsOf) has checked.
macro_rules! guesses {
    ($($number:ty: |$bound:ident| $key:expr;)*) => {
        $(impl BucketsOf<$number> {
            /// The table that finds the bucket of a value.
            #[must_use]
            pub const fn guesses<const N: usize>(bounds: &[$number]) -> [Guess; 64] {
                let mut keys = [0; N];
                let mut negative = 0;
                let mut index = 0;
                while index < N {
                    let $bound = bounds[index];
                    match $key {
                        Some(key) => keys[index] = key,
                        None => negative += 1,
                    }
                    index += 1;
                }
                guesses(keys.split_at(negative).1, negative)
            }
        })*
    };
}

guesses! {
    u64: |bound| Some(bound);
    i64: |bound| if bound < 0 { None } else { Some(bound.cast_unsigned()) };
    Duration: |bound| Some(nanoseconds(bound));
}

impl BucketsOf<f64> {
    /// Numbers that are no integers need no table.
    #[must_use]
    pub const fn guesses<const N: usize>(_bounds: &[f64]) -> [Guess; 0] {
        []
    }
}

/// The duration in nanoseconds, or `u64::MAX`.
const fn nanoseconds(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    #[expect(clippy::cast_possible_truncation, reason = "compared before")]
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}

/// Checks the option `max_buckets`.
///
/// # Panics
///
/// At compile time, when the number is too low or too high.
#[must_use]
#[track_caller]
pub const fn max_buckets(max_buckets: usize) -> u16 {
    assert!(
        max_buckets >= MIN_MAX_BUCKETS as usize,
        "`max_buckets` must be at least 4: two buckets each for positive and negative values"
    );
    assert!(max_buckets <= MAX_MAX_BUCKETS as usize, "`max_buckets` must be at most 1,024");
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let max_buckets = max_buckets as u16;
    max_buckets
}

/// Fails the compilation with a message about one bound.
#[track_caller]
const fn fail(index: usize, problem: &str) -> ! {
    let mut text = [0; 128];
    let mut end = append(&mut text, 0, "`buckets`: bound ");
    let mut power = 1;
    while index / power >= 10 {
        power *= 10;
    }
    while power > 0 {
        #[expect(clippy::cast_possible_truncation, reason = "one decimal digit")]
        let digit = (index / power % 10) as u8;
        text[end] = b'0' + digit;
        end += 1;
        power /= 10;
    }
    end = append(&mut text, end, problem);
    match std::str::from_utf8(text.split_at(end).0) {
        Ok(message) => panic!("{}", message),
        Err(_) => panic!("`buckets` has a bound that does not fit"),
    }
}

/// Writes `part` into `text` from position `end` on; returns the new end.
pub(crate) const fn append(text: &mut [u8], mut end: usize, part: &str) -> usize {
    let mut index = 0;
    while index < part.len() {
        text[end] = part.as_bytes()[index];
        end += 1;
        index += 1;
    }
    end
}
