//! Snapshots: the public, serialisable view of a metric's state.

mod breakdown;
mod histogram;
mod number;
mod output;
mod value;

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

pub use breakdown::BreakdownSnapshot;
pub use histogram::{Bucket, HistogramSnapshot};
pub use number::Number;
pub(crate) use number::in_flight;
pub use output::Output;
pub(crate) use output::{DeserializeOutput, SerializeOutput};
pub use value::{BreakdownEntry, DimensionValue, Dimensions};

/// The state of one metric at one moment.
///
/// Serialises as `{"name": .., "dimensions": {..}}`. `invalid` is added when it is not 0, `failed` when the metric failed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MetricSnapshot {
    /// The metric's name.
    pub name: Cow<'static, str>,
    /// The values of the dimensions, in the order of their declaration.
    pub dimensions: Dimensions,
    /// The number of values that were not recorded because they were infinite or NaN.
    pub invalid: u64,
    /// The panic that ended the metric; `None` while the metric works. The values are those from before the panic.
    pub failed: Option<String>,
}

impl MetricSnapshot {
    /// A snapshot without dimensions.
    pub fn new(name: impl Into<String>) -> Self {
        Self::of_static(name.into())
    }

    /// Like [`new`](Self::new), without copying a static name.
    #[doc(hidden)]
    pub fn of_static(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), dimensions: Dimensions::default(), invalid: 0, failed: None }
    }

    /// Adds a dimension at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<DimensionValue>) -> Self {
        self.dimensions.push(name, value);
        self
    }

    /// The value of the dimension with this name.
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

/// The snapshots of all metrics of a recorder, in the order of their registration; serialises as a map by name.
///
/// ```
/// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
///
/// #[metric_event]
/// struct Rang;
///
/// #[derive(Metric, Default)]
/// #[metric(name = "bell", on(Rang))]
/// struct Bell {
///     times: Counter,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder("door")?;
/// recorder.register_metric(Bell::default())?;
/// recorder.emit(Rang);
///
/// let snapshots = recorder.metric_snapshots()?;
/// let times = snapshots.get("bell").and_then(|bell| bell.get("times"));
/// assert_eq!(times.and_then(|times| times.as_u64()), Some(1));
/// let json = serde_json::to_string(&snapshots)?;
/// assert_eq!(json, r#"{"bell":{"name":"bell","dimensions":{"times":1}}}"#);
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricSnapshots(Vec<MetricSnapshot>);

impl MetricSnapshots {
    /// The snapshot of the metric with this name.
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
