//! The values of dimensions without their types, for exporters and for JSON.

use std::borrow::Cow;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::breakdown::{NestedMap, SerializeEntry};
use super::histogram::HistogramSnapshot;
use super::number::{Number, in_flight};

/// The value of one dimension of any type.
///
/// It keeps all that is needed to combine the values of several recorders. A mean keeps its sum and count, work in
/// flight both counts, a histogram its buckets.
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
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    /// A finite floating-point number.
    Float(f64),
    /// A duration; serialises as seconds.
    Duration(Duration),
    /// A mean as its sum and count; serialises as the mean, or null when nothing was recorded.
    Mean {
        /// The sum of the recorded values; seconds for durations.
        sum: f64,
        /// The number of recorded values.
        count: u64,
    },
    /// Work in flight as its two counts; serialises as started minus finished.
    InFlight {
        /// The amount that was started.
        started: u64,
        /// The amount that was finished.
        finished: u64,
    },
    /// A distribution over buckets.
    Histogram(HistogramSnapshot<Number>),
    /// One value for each label; serialises as a map, nested when a label has several parts.
    Breakdown(Vec<BreakdownEntry>),
    /// A text, for dimensions of your own.
    Text(String),
    /// Several named values, for dimensions of your own; serialises as a map.
    Map(Dimensions),
}

impl DimensionValue {
    /// Several named values as one.
    #[must_use]
    pub fn map<const N: usize>(values: [(&'static str, Self); N]) -> Self {
        Self::Map(values.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }

    /// The value as an unsigned integer; `None` when it is not an integer, or negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Unsigned(value) => Some(value),
            Self::Signed(value) => u64::try_from(value).ok(),
            Self::InFlight { started, finished } => u64::try_from(in_flight(started, finished)).ok(),
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
            Self::Breakdown(entries) => NestedMap::of(entries).serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Map(values) => values.serialize(serializer),
        }
    }
}

/// One label of a breakdown with its value, in a snapshot without types.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakdownEntry {
    /// The text of each part of the label. In a breakdown, entries that begin with the same parts must stand side by side.
    pub labels: Vec<Cow<'static, str>>,
    /// The value of the label's dimension.
    pub value: DimensionValue,
}

impl SerializeEntry for BreakdownEntry {
    fn labels(&self) -> &[Cow<'static, str>] {
        &self.labels
    }

    fn serialize_value<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_value(&self.value)
    }
}

/// Named values in the order of their declaration; serialises as a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dimensions(Vec<(Cow<'static, str>, DimensionValue)>);

impl Dimensions {
    pub(crate) fn reserve(&mut self, additional: usize) {
        self.0.reserve(additional);
    }

    /// Adds a dimension at the end.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<DimensionValue>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of the dimension with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&DimensionValue> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }

    /// All dimensions in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &DimensionValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The number of dimensions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no dimensions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Cow<'static, str>, DimensionValue)> for Dimensions {
    fn from_iter<I: IntoIterator<Item = (Cow<'static, str>, DimensionValue)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Serialize for Dimensions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
