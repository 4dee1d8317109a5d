//! The units in which JSON shows durations.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use serde::ser::{Serialize, Serializer};

/// The unit in which JSON shows the durations of a dimension.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeUnit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    #[default]
    Seconds,
}

thread_local! {
    /// The unit of the dimension that this thread writes or reads.
    ///
    /// serde passes nothing to nested values: a duration in a bucket of a histogram of a breakdown has no other way to learn its
    /// unit. Each write and each read of a value stays on its thread.
    static CURRENT: Cell<TimeUnit> = const { Cell::new(TimeUnit::Seconds) };
}

impl TimeUnit {
    /// The unit of this name; seconds for every other name.
    #[must_use]
    pub const fn of(name: Option<&str>) -> Self {
        match Self::named(name) {
            Some(unit) => unit,
            None => Self::Seconds,
        }
    }

    /// The unit of this name, if it is one.
    pub(crate) const fn named(name: Option<&str>) -> Option<Self> {
        let Some(name) = name else { return None };
        match name.as_bytes() {
            b"nanoseconds" => Some(Self::Nanoseconds),
            b"microseconds" => Some(Self::Microseconds),
            b"milliseconds" => Some(Self::Milliseconds),
            b"seconds" => Some(Self::Seconds),
            _ => None,
        }
    }

    /// Writes or reads a value whose durations are in this unit.
    pub(crate) fn within<R>(self, action: impl FnOnce() -> R) -> R {
        /// Restores the unit also when the user's code panics.
        struct Restore(TimeUnit);

        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }

        let _restore = Restore(CURRENT.replace(self));
        action()
    }

    /// The unit of the value that this thread writes or reads; seconds outside of [`within`](Self::within).
    pub(crate) fn current() -> Self {
        CURRENT.get()
    }

    /// The number of nanoseconds.
    const fn nanos(self) -> u128 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
        }
    }

    /// The number of decimals with which a duration is exact.
    const fn decimals(self) -> usize {
        match self {
            Self::Nanoseconds => 0,
            Self::Microseconds => 3,
            Self::Milliseconds => 6,
            Self::Seconds => 9,
        }
    }

    /// Below this number of units each nanosecond has an `f64` of its own, also when a parser rounds the last digit.
    const fn max_exact(self) -> u128 {
        match self {
            Self::Nanoseconds => 1 << 51,
            Self::Microseconds => 1 << 41,
            Self::Milliseconds => 1 << 31,
            Self::Seconds => 1 << 21,
        }
    }

    /// The duration as a floating-point number of units, exact where [`is_exact`](Self::is_exact) says so.
    #[expect(clippy::cast_precision_loss, reason = "the caller asks for a floating-point number")]
    pub(crate) fn float(self, duration: Duration) -> f64 {
        let nanos = duration.as_nanos();
        match self {
            Self::Seconds => duration.as_secs_f64(),
            // The number of nanoseconds may be above 2^53 where that of the units is not.
            _ if nanos.is_multiple_of(self.nanos()) => (nanos / self.nanos()) as f64,
            _ => nanos as f64 / self.nanos() as f64,
        }
    }

    /// The duration of a number of units, rounded to nanoseconds; `None` when it is negative, not a number, or too long.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "both parts are positive, and the fraction is less than one unit"
    )]
    pub(crate) fn of_float(self, units: f64) -> Option<Duration> {
        if self == Self::Seconds {
            return Duration::try_from_secs_f64(units).ok();
        }
        if !(units >= 0.0 && units.is_finite()) {
            return None;
        }
        let fraction = (units.fract() * self.nanos() as f64).round() as u128;
        from_nanos((units.trunc() as u128).checked_mul(self.nanos())?.checked_add(fraction)?)
    }

    /// The duration of a whole number of units.
    #[inline]
    pub(crate) const fn of_whole(self, units: u64) -> Duration {
        match self {
            Self::Nanoseconds => Duration::from_nanos(units),
            Self::Microseconds => Duration::from_micros(units),
            Self::Milliseconds => Duration::from_millis(units),
            Self::Seconds => Duration::from_secs(units),
        }
    }

    /// Serialises a duration as a number where that is exact, else as a text with all decimals.
    #[expect(clippy::cast_possible_truncation, reason = "the number is below 2^53")]
    pub(crate) fn serialize<S: Serializer>(
        self,
        duration: Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if !self.is_exact(duration) {
            serializer.collect_str(&DurationText(self, duration))
        } else if self == Self::Nanoseconds {
            serializer.serialize_u64(duration.as_nanos() as u64)
        } else {
            serializer.serialize_f64(self.float(duration))
        }
    }

    pub(crate) fn is_exact(self, duration: Duration) -> bool {
        let (units, rest) = (duration.as_nanos() / self.nanos(), duration.as_nanos() % self.nanos());
        // A parser reads the digits of `1234.0` as one integer, which must be exact as well.
        let max_whole = (1 << f64::MANTISSA_DIGITS) / if self == Self::Nanoseconds { 1 } else { 10 };
        units < self.max_exact() || (rest == 0 && units < max_whole)
    }

    /// Reads the text that [`DurationText`] writes.
    pub(crate) fn parse(self, text: &str) -> Option<Duration> {
        let (units, rest) = match self {
            Self::Nanoseconds => (text, ""),
            _ => text.split_once('.')?,
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if rest.len() != self.decimals() || !digits(units) || !digits(rest) {
            return None;
        }
        let rest: u128 = if rest.is_empty() { 0 } else { rest.parse().ok()? };
        from_nanos(units.parse::<u128>().ok()?.checked_mul(self.nanos())?.checked_add(rest)?)
    }
}

fn from_nanos(nanos: u128) -> Option<Duration> {
    const NANOS_OF_SECOND: u128 = TimeUnit::Seconds.nanos();
    let seconds = u64::try_from(nanos / NANOS_OF_SECOND).ok()?;
    Some(Duration::new(seconds, u32::try_from(nanos % NANOS_OF_SECOND).ok()?))
}

/// A duration in a unit, with all decimals.
pub(crate) struct DurationText(pub(crate) TimeUnit, pub(crate) Duration);

impl fmt::Display for DurationText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(unit, duration) = self;
        let (units, rest) = (duration.as_nanos() / unit.nanos(), duration.as_nanos() % unit.nanos());
        write!(formatter, "{units}")?;
        if *unit == TimeUnit::Nanoseconds {
            return Ok(());
        }
        write!(formatter, ".{rest:0width$}", width = unit.decimals())
    }
}

/// Serialises a value with its durations in this unit.
pub(crate) struct InUnit<T>(pub(crate) TimeUnit, pub(crate) T);

impl<T: Serialize> Serialize for InUnit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.within(|| self.1.serialize(serializer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Number, NumberType};

    const UNITS: [TimeUnit; 4] =
        [TimeUnit::Nanoseconds, TimeUnit::Microseconds, TimeUnit::Milliseconds, TimeUnit::Seconds];

    fn json(unit: TimeUnit, duration: Duration) -> String {
        unit.within(|| serde_json::to_string(&Number::Duration(duration)).expect("it is written"))
    }

    fn read(unit: TimeUnit, json: &str) -> Option<Duration> {
        unit.within(|| {
            let number: Number = serde_json::from_str(json).ok()?;
            match number.with_type(NumberType::Duration) {
                Some(Number::Duration(read)) => Some(read),
                _ => None,
            }
        })
    }

    #[test]
    fn dl5_each_unit_shows_one_duration_in_its_own_numbers() {
        let duration = Duration::new(1, 234_567_891);
        assert_eq!(
            UNITS.map(|unit| json(unit, duration)),
            ["1234567891", "1234567.891", "1234.567891", "1.234567891"]
        );
        assert_eq!(UNITS.map(|unit| json(unit, Duration::ZERO)), ["0", "0.0", "0.0", "0.0"]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn dl5_durations_come_back_exactly_at_the_limits_of_their_forms() {
        for unit in UNITS {
            let limits = [0, 1, unit.max_exact() - 1, unit.max_exact(), 1 << 53, (1 << 53) + 1];
            let limits = limits.map(|units| from_nanos(units * unit.nanos()).expect("it fits"));
            for limit in limits.into_iter().chain([Duration::new(u64::MAX - 1, 999_999_999)]) {
                for nanos in [0, 1, 333, 333_333, 333_333_333, 500_000_000, 999_999_998, 999_999_999] {
                    let duration = limit + Duration::from_nanos(nanos);
                    let json = json(unit, duration);
                    assert_eq!(read(unit, &json), Some(duration), "{json} {unit:?}");
                }
            }
        }
    }

    /// Some parsers of JSON round the last digit of a number in another way.
    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn dl5_a_duration_that_is_a_number_survives_a_rounded_last_digit() {
        for unit in UNITS {
            for part in 1..2_000 {
                let nanos = unit.max_exact() * unit.nanos() / 2_000 * part + 123_456_789 % unit.nanos();
                let duration = from_nanos(nanos).expect("it fits");
                let number = unit.float(duration);
                let beside = [number.next_down(), number, number.next_up()];
                assert_eq!(
                    beside.map(|number| unit.of_float(number)),
                    [Some(duration); 3],
                    "{number} {unit:?}"
                );
            }
        }
    }

    /// `serde_json` reads the digits of `3882671134340000.0` as one integer, which a floating-point number cannot hold.
    #[test]
    #[cfg_attr(miri, ignore = "numbers only, for minutes")]
    fn dl5_long_durations_of_whole_units_come_back_exactly() {
        for unit in UNITS {
            for units in (1..64).flat_map(|step| [(1 << 53) / 64 * step, 3_882_671_134_340_000 / step]) {
                let duration = from_nanos(units * unit.nanos()).expect("it fits");
                let json = json(unit, duration);
                assert_eq!(read(unit, &json), Some(duration), "{json} {unit:?}");
            }
        }
    }

    #[test]
    fn dl5_a_number_that_is_no_duration_is_not_read() {
        for unit in UNITS {
            for json in ["-1", "-0.5", "1e300", "\"1e3\"", "\"+1\"", "\"\"", "\".\"", "true"] {
                assert_eq!(read(unit, json), None, "{json} {unit:?}");
            }
        }
        assert_eq!(read(TimeUnit::Milliseconds, "\"1.500000\""), Some(Duration::from_micros(1_500)));
        assert_eq!(read(TimeUnit::Milliseconds, "\"1.500000000\""), None, "that is a text of seconds");
    }

    #[test]
    fn dl5_a_unit_ends_with_its_value_also_when_the_value_panics() {
        let second = Duration::from_secs(1);
        let nested = TimeUnit::Nanoseconds.within(|| {
            (
                json(TimeUnit::Milliseconds, second),
                serde_json::to_string(&Number::Duration(second)).expect("it is"),
            )
        });
        assert_eq!(nested, ("1000.0".to_owned(), "1000000000".to_owned()));
        let panicked = std::panic::catch_unwind(|| TimeUnit::Nanoseconds.within(|| panic!("in the middle")));
        assert!(panicked.is_err());
        assert_eq!(TimeUnit::current(), TimeUnit::Seconds);
    }
}
