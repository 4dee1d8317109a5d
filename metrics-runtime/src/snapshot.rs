//! Snapshots: the public, serialisable view of metric state.

use std::borrow::Cow;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// The state of one metric at one moment.
///
/// Serialises as `{"name": .., "dimensions": {..}}`, with `invalid` and `failed` added when there is something to say.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MetricSnapshot {
    /// The metric's name.
    pub name: Cow<'static, str>,
    /// The dimensions' values in the order of their declaration.
    pub dimensions: Dimensions,
    /// How many values could not be recorded because they were not finite.
    pub invalid: u64,
    /// Why the metric stopped counting, when it failed.
    pub failed: Option<String>,
}

impl MetricSnapshot {
    /// A snapshot without dimensions.
    pub fn new(name: impl Into<String>) -> Self {
        Self::of_static(name.into())
    }

    /// As [`new`](Self::new), without a copy of a static name.
    pub fn of_static(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), dimensions: Dimensions::default(), invalid: 0, failed: None }
    }

    /// The same snapshot with one more dimension.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<DimensionValue>) -> Self {
        self.dimensions.push(name, value);
        self
    }

    /// The value of the dimension of that name.
    #[must_use]
    pub fn get(&self, dimension: &str) -> Option<&DimensionValue> {
        self.dimensions.get(dimension)
    }
}

impl Serialize for MetricSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 2 + usize::from(self.invalid != 0) + usize::from(self.failed.is_some());
        let mut snapshot = serializer.serialize_struct("MetricSnapshot", fields)?;
        snapshot.serialize_field("name", &self.name)?;
        snapshot.serialize_field("dimensions", &self.dimensions)?;
        if self.invalid != 0 {
            snapshot.serialize_field("invalid", &self.invalid)?;
        }
        if let Some(failed) = &self.failed {
            snapshot.serialize_field("failed", failed)?;
        }
        snapshot.end()
    }
}

/// Named values in the order of their declaration; serialises as a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dimensions(Vec<(Cow<'static, str>, DimensionValue)>);

impl Dimensions {
    /// Adds a dimension at the end.
    pub fn push(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<DimensionValue>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of the dimension of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&DimensionValue> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }

    /// All dimensions in order.
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

impl Serialize for Dimensions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// The value of one dimension, whatever its type.
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
}

impl DimensionValue {
    /// The value as an unsigned integer, if it is one.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Unsigned(value) => Some(value),
            Self::Signed(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }
}

impl From<u64> for DimensionValue {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl Serialize for DimensionValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Empty => serializer.serialize_none(),
            Self::Unsigned(value) => serializer.serialize_u64(value),
            Self::Signed(value) => serializer.serialize_i64(value),
            Self::Float(value) => serializer.serialize_f64(value),
            Self::Duration(value) => serializer.serialize_f64(value.as_secs_f64()),
            Self::Mean { count: 0, .. } => serializer.serialize_none(),
            #[expect(clippy::cast_precision_loss, reason = "a mean is a floating-point number")]
            Self::Mean { sum, count } => serializer.serialize_f64(sum / count as f64),
        }
    }
}

/// The snapshots of all metrics of a recorder, in the order of their registration; serialises as a map by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricSnapshots(Vec<MetricSnapshot>);

impl MetricSnapshots {
    /// The snapshot of the metric of that name.
    #[must_use]
    pub fn get(&self, metric: &str) -> Option<&MetricSnapshot> {
        self.0.iter().find(|snapshot| snapshot.name == metric)
    }

    /// All snapshots in order.
    pub fn iter(&self) -> std::slice::Iter<'_, MetricSnapshot> {
        self.0.iter()
    }

    /// The number of metrics.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no metrics.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<MetricSnapshot> for MetricSnapshots {
    fn from_iter<I: IntoIterator<Item = MetricSnapshot>>(snapshots: I) -> Self {
        Self(snapshots.into_iter().collect())
    }
}

impl IntoIterator for MetricSnapshots {
    type Item = MetricSnapshot;
    type IntoIter = std::vec::IntoIter<MetricSnapshot>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a MetricSnapshots {
    type Item = &'a MetricSnapshot;
    type IntoIter = std::slice::Iter<'a, MetricSnapshot>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for MetricSnapshots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for snapshot in self {
            map.serialize_entry(&snapshot.name, snapshot)?;
        }
        map.end()
    }
}
