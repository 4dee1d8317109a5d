//! Numbers without their type, and the difference of two counts.

use std::time::Duration;

use serde::ser::{Serialize, Serializer};

/// A number of any of the types that dimensions record.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Number {
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    /// A finite floating-point number.
    Float(f64),
    /// A duration; serialises as seconds.
    Duration(Duration),
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
            Self::Duration(duration) => serializer.serialize_f64(duration.as_secs_f64()),
        }
    }
}

/// Started minus finished, or the nearest value that an `i64` can hold.
pub(crate) fn in_flight(started: u64, finished: u64) -> i64 {
    let difference = i128::from(started) - i128::from(finished);
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}
