//! The value of a dimension, whatever its type.

use std::borrow::Cow;
use std::time::Duration;

use serde::ser::{Serialize, Serializer};

use super::Dimensions;
use super::breakdown::{BreakdownEntry, Nested};
use super::histogram::HistogramSnapshot;
use crate::metric::in_flight;

/// A number of any of the types that can be measured.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Number {
    /// A number that is never negative.
    Unsigned(u64),
    /// A number with a sign.
    Signed(i64),
    /// A finite floating-point number.
    Float(f64),
    /// A length of time; serialises as seconds.
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

/// The value of one dimension, whatever its type.
///
/// It keeps what is needed to combine the values of several recorders: a mean its sum and count, work in flight both
/// its counts, a histogram its buckets.
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::DimensionValue;
///
/// let values: [DimensionValue; 3] = [7_u64.into(), Duration::from_millis(250).into(), None::<i64>.into()];
/// assert_eq!(serde_json::to_string(&values)?, "[7,0.25,null]");
/// assert_eq!(values.map(|value| value.as_f64()), [Some(7.0), Some(0.25), None]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DimensionValue {
    /// Nothing recorded yet; serialises as null.
    Empty,
    /// A number that is never negative.
    Unsigned(u64),
    /// A number with a sign.
    Signed(i64),
    /// A finite floating-point number.
    Float(f64),
    /// A length of time; serialises as seconds.
    Duration(Duration),
    /// A mean with what it is made of; serialises as the mean, or null when nothing was recorded.
    Mean {
        /// The sum of the recorded values; seconds for durations.
        sum: f64,
        /// How many values were recorded.
        count: u64,
    },
    /// Work in flight with what it is made of; serialises as the difference.
    InFlight {
        /// How much was started.
        started: u64,
        /// How much was finished.
        finished: u64,
    },
    /// A distribution over buckets.
    Histogram(HistogramSnapshot<Number>),
    /// One value for each label; serialises as a map, nested when a label has several parts.
    Breakdown(Vec<BreakdownEntry>),
    /// A text, for dimensions of the user's own.
    Text(String),
    /// Several named values, for dimensions of the user's own; serialises as a map.
    Map(Dimensions),
}

impl DimensionValue {
    /// Several named values as one.
    #[must_use]
    pub fn map<const N: usize>(values: [(&'static str, Self); N]) -> Self {
        Self::Map(values.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }

    /// The value as an unsigned integer, if it is one.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Unsigned(value) => Some(value),
            Self::Signed(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }

    /// The value as a floating-point number, if it is a number; seconds for durations.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the caller asks for a floating-point number")]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Unsigned(value) => Some(value as f64),
            Self::Signed(value) => Some(value as f64),
            Self::Float(value) => Some(value),
            Self::Duration(value) => Some(value.as_secs_f64()),
            Self::InFlight { started, finished } => Some(in_flight(started, finished) as f64),
            Self::Mean { sum, count } => (count > 0).then(|| sum / count as f64),
            Self::Empty | Self::Histogram(_) | Self::Breakdown(_) | Self::Text(_) | Self::Map(_) => None,
        }
    }
}

impl From<Number> for DimensionValue {
    fn from(number: Number) -> Self {
        match number {
            Number::Unsigned(number) => Self::Unsigned(number),
            Number::Signed(number) => Self::Signed(number),
            Number::Float(number) => Self::Float(number),
            Number::Duration(duration) => Self::Duration(duration),
        }
    }
}

macro_rules! from_number {
    ($($number:ty),*) => {
        $(impl From<$number> for DimensionValue {
            fn from(number: $number) -> Self {
                Number::from(number).into()
            }
        })*
    };
}

from_number!(u64, i64, f64, Duration);

impl<T: Into<DimensionValue>> From<Option<T>> for DimensionValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl From<String> for DimensionValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Serialize for DimensionValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Mean { .. } => self.as_f64().serialize(serializer),
            Self::InFlight { started, finished } => serializer.serialize_i64(in_flight(*started, *finished)),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Duration(value) => serializer.serialize_f64(value.as_secs_f64()),
            Self::Histogram(histogram) => histogram.serialize(serializer),
            Self::Breakdown(entries) => Nested::of(entries).serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Map(values) => values.serialize(serializer),
        }
    }
}
