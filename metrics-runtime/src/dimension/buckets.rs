//! Bucket bounds, checked at compile time.
//!
//! The checks are `#[track_caller]`: rustc then shows the user's bounds and none of the functions that found the mistake.

use std::marker::PhantomData;
use std::time::Duration;

use crate::snapshot::Number;

/// Makes the bounds of a histogram of `T` from a constant, at compile time.
#[derive(Debug)]
pub struct BucketsOf<T>(PhantomData<T>);

/// Powers of four from 64 bytes to one gibibyte.
macro_rules! bytes {
    ($number:ty, $convert:expr) => {
        impl BucketsOf<$number> {
            /// The default bounds for bytes.
            pub const BYTES: &'static [$number] = &{
                let mut bounds = [$convert(64); 13];
                let mut index = 1;
                while index < bounds.len() {
                    bounds[index] = bounds[index - 1] * $convert(4);
                    index += 1;
                }
                bounds
            };
        }
    };
}

const fn identity_u64(number: u64) -> u64 {
    number
}

const fn to_i64(number: u64) -> i64 {
    number.cast_signed()
}

#[expect(clippy::cast_precision_loss, reason = "powers of four are exact")]
const fn to_f64(number: u64) -> f64 {
    number as f64
}

bytes!(u64, identity_u64);
bytes!(i64, to_i64);
bytes!(f64, to_f64);

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
    /// The default bounds: 5 ms to 10 s.
    pub const SECONDS: &'static [Duration] =
        &Self::bounds::<11>(&[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);

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
/// the method to a user whose bounds are something else.
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

/// Fails the compilation with a message about one bound.
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

#[track_caller]
const fn fail(index: usize, problem: &str) -> ! {
    let mut text = [0; 96];
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
