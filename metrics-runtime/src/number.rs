//! Numbers without their type, arithmetic on numbers, and durations as numbers.

mod time_unit;

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

pub use self::time_unit::TimeUnit;
pub(crate) use self::time_unit::{DurationText, InUnit};

/// A number of any of the types that dimensions record.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Number {
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    /// A floating-point number.
    Float(f64),
    /// A duration; serialises as seconds.
    Duration(Duration),
}

/// The type of a dimension's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NumberType {
    /// `u64`
    #[serde(rename = "u64")]
    Unsigned,
    /// `i64`
    #[serde(rename = "i64")]
    Signed,
    /// `f64`
    #[serde(rename = "f64")]
    Float,
    /// `Duration`, in seconds
    #[serde(rename = "duration")]
    Duration,
}

impl Number {
    /// The number as a floating-point number; seconds for durations.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the caller asks for a floating-point number")]
    pub fn as_f64(&self) -> f64 {
        match *self {
            Self::Unsigned(number) => number as f64,
            Self::Signed(number) => number as f64,
            Self::Float(number) => number,
            Self::Duration(duration) => duration.as_secs_f64(),
        }
    }

    /// Whether numbers of this type can be below zero.
    pub(crate) fn may_be_negative(self) -> bool {
        matches!(self, Self::Signed(_) | Self::Float(_))
    }

    /// The type of the number.
    #[must_use]
    pub fn number_type(&self) -> NumberType {
        match self {
            Self::Unsigned(_) => NumberType::Unsigned,
            Self::Signed(_) => NumberType::Signed,
            Self::Float(_) => NumberType::Float,
            Self::Duration(_) => NumberType::Duration,
        }
    }

    /// The same number as this type, for a number that was read from a text; `None` when it is not of this type.
    #[expect(
        clippy::cast_precision_loss,
        reason = "formats may write whole floating-point numbers as integers"
    )]
    pub(crate) fn with_type(self, to: NumberType) -> Option<Self> {
        if self.number_type() == to {
            return Some(self);
        }
        Some(match (self, to) {
            (Self::Unsigned(number), NumberType::Signed) => Self::Signed(i64::try_from(number).ok()?),
            (Self::Signed(number), NumberType::Unsigned) => Self::Unsigned(u64::try_from(number).ok()?),
            (Self::Unsigned(number), NumberType::Float) => Self::Float(number as f64),
            (Self::Signed(number), NumberType::Float) => Self::Float(number as f64),
            (Self::Unsigned(number), NumberType::Duration) => {
                Self::Duration(TimeUnit::current().of_whole(number))
            }
            (Self::Float(number), NumberType::Duration) => {
                Self::Duration(TimeUnit::current().of_float(number)?)
            }
            _ => return None,
        })
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Unsigned(number)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::Signed(number)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Duration> for Number {
    fn from(duration: Duration) -> Self {
        Self::Duration(duration)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Unsigned(number) => serializer.serialize_u64(number),
            Self::Signed(number) => serializer.serialize_i64(number),
            Self::Float(number) => serializer.serialize_f64(number),
            Self::Duration(duration) => serialize_duration(duration, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number::Unsigned(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(u64::try_from(number).map_or(Number::Signed(number), Number::Unsigned))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                finite(number).map(Number::Float)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let duration = TimeUnit::current().parse(text).map(Number::Duration);
                duration.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

/// Arithmetic on the numbers of one dimension. All results saturate.
///
/// Two [`Number`]s of different types do not combine: the first one stays. Callers compare declarations first.
pub trait Arithmetic: Copy + PartialOrd + Into<Number> {
    /// The sum.
    #[doc(hidden)]
    #[must_use]
    fn plus(self, other: Self) -> Self;

    /// The difference. An unsigned one is never below zero.
    #[doc(hidden)]
    #[must_use]
    fn minus(self, other: Self) -> Self;
}

impl Arithmetic for u64 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Arithmetic for i64 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Arithmetic for f64 {
    /// A sum of finite numbers is finite.
    #[inline]
    fn plus(self, other: Self) -> Self {
        (self + other).clamp(f64::MIN, f64::MAX)
    }

    fn minus(self, other: Self) -> Self {
        (self - other).clamp(f64::MIN, f64::MAX)
    }
}

impl Arithmetic for Duration {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

/// Lets finite numbers through: no dimension of this crate has any other, and JSON cannot write them.
pub(crate) fn finite<E: de::Error>(number: f64) -> Result<f64, E> {
    if number.is_finite() {
        return Ok(number);
    }
    Err(E::invalid_value(de::Unexpected::Float(number), &"a finite number"))
}

/// Numbers of different types compare by their value, and are never equal.
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Unsigned(one), Self::Unsigned(other)) => one.partial_cmp(other),
            (Self::Signed(one), Self::Signed(other)) => one.partial_cmp(other),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(other),
            (Self::Duration(one), Self::Duration(other)) => one.partial_cmp(other),
            (one, other) => {
                one.as_f64().partial_cmp(&other.as_f64()).filter(|order| *order != Ordering::Equal)
            }
        }
    }
}

impl Arithmetic for Number {
    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unsigned(one), Self::Unsigned(other)) => Self::Unsigned(one.plus(other)),
            (Self::Signed(one), Self::Signed(other)) => Self::Signed(one.plus(other)),
            (Self::Float(one), Self::Float(other)) => Self::Float(one.plus(other)),
            (Self::Duration(one), Self::Duration(other)) => Self::Duration(one.plus(other)),
            _ => self,
        }
    }

    fn minus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unsigned(one), Self::Unsigned(other)) => Self::Unsigned(one.minus(other)),
            (Self::Signed(one), Self::Signed(other)) => Self::Signed(one.minus(other)),
            (Self::Float(one), Self::Float(other)) => Self::Float(one.minus(other)),
            (Self::Duration(one), Self::Duration(other)) => Self::Duration(one.minus(other)),
            _ => self,
        }
    }
}

/// Serialises a duration in the unit of its dimension, which is seconds outside of snapshots.
pub(crate) fn serialize_duration<S: Serializer>(
    duration: Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    TimeUnit::current().serialize(duration, serializer)
}

/// Deserialises the form that [`serialize_duration`] writes.
pub(crate) fn deserialize_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let number = Number::deserialize(deserializer)?;
    if let Some(Number::Duration(duration)) = number.with_type(NumberType::Duration) {
        return Ok(duration);
    }
    let found = de::Unexpected::Float(number.as_f64());
    Err(de::Error::invalid_value(found, &"seconds, zero or more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_EXACT_SECONDS: u64 = 1 << 21;

    fn exactly(duration: Duration) -> Duration {
        let json = serde_json::to_string(&Number::Duration(duration)).expect("it is written");
        let number: Number = serde_json::from_str(&json).expect("it is read");
        match number.with_type(NumberType::Duration) {
            Some(Number::Duration(read)) => read,
            read => panic!("{json} is {read:?}"),
        }
    }

    #[test]
    fn st1_durations_come_back_exactly_at_the_limits_of_their_forms() {
        let seconds = [0, 1, MAX_EXACT_SECONDS - 1, MAX_EXACT_SECONDS, 1 << 53, (1 << 53) + 1, u64::MAX];
        for seconds in seconds {
            for nanos in [0, 1, 333_333_333, 500_000_000, 999_999_998, 999_999_999] {
                let duration = Duration::new(seconds, nanos);
                assert_eq!(exactly(duration), duration);
            }
        }
    }

    /// Some parsers of JSON round the last digit of a number in another way.
    #[test]
    fn a_duration_that_is_a_number_survives_a_rounded_last_digit() {
        for seconds in (0..MAX_EXACT_SECONDS).step_by(4_093) {
            let duration = Duration::new(seconds, 123_456_789);
            let number = duration.as_secs_f64();
            for number in [number.next_down(), number, number.next_up()] {
                assert_eq!(TimeUnit::Seconds.of_float(number), Some(duration));
            }
        }
    }

    #[test]
    fn a_number_takes_another_type_where_it_fits() {
        use NumberType::{Duration as D, Float as F, Signed as I, Unsigned as U};
        let second = Number::Duration(Duration::from_secs(1));
        let cases = [
            (Number::Unsigned(1), [Some(1_u64.into()), Some(1_i64.into()), Some(1.0.into()), Some(second)]),
            (
                Number::Unsigned(u64::MAX),
                [
                    Some(u64::MAX.into()),
                    None,
                    Some(18_446_744_073_709_551_615.0.into()),
                    Some(Duration::from_secs(u64::MAX).into()),
                ],
            ),
            (Number::Signed(-1), [None, Some((-1_i64).into()), Some((-1.0).into()), None]),
            (Number::Float(1.0), [None, None, Some(1.0.into()), Some(second)]),
            (Number::Float(-0.5), [None, None, Some((-0.5).into()), None]),
            (Number::Float(1e20), [None, None, Some(1e20.into()), None]),
            (second, [None, None, None, Some(second)]),
        ];
        for (number, expected) in cases {
            assert_eq!([U, I, F, D].map(|to| number.with_type(to)), expected, "{number:?}");
        }
    }

    #[test]
    fn numbers_of_different_types_compare_and_are_never_equal() {
        let (unsigned, float) = (Number::Unsigned(1), Number::Float(1.0));
        assert_ne!(unsigned, float);
        assert_eq!(unsigned.partial_cmp(&float), None);
        assert!(unsigned < Number::Float(1.5) && Number::Signed(-1) < unsigned);
        assert_eq!(unsigned.plus(float), unsigned);
    }

    #[test]
    fn a_text_is_a_duration_only_with_nine_decimals() {
        for text in [
            "",
            ".",
            "1",
            "1.",
            "1.5",
            "1.0000000000",
            "-1.000000000",
            "+1.000000000",
            "1e3.000000000",
            "1.00000000-",
        ] {
            assert_eq!(TimeUnit::Seconds.parse(text), None, "{text}");
        }
        assert_eq!(TimeUnit::Seconds.parse("18446744073709551615.999999999"), Some(Duration::MAX));
        assert_eq!(TimeUnit::Seconds.parse("18446744073709551616.000000000"), None);
    }
}
