//! The snapshots of metrics without types.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::time::SystemTime;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::declaration::{Declaration, ReadDeclaration, SerializeDeclaration};
use super::output::named;
use super::times::{Times, Timestamp};
use super::value::{DimensionValue, Dimensions};
use crate::descriptor::{DimensionDescriptor, MetricDescriptor};
use crate::number::{InUnit, TimeUnit};

/// The state of one metric at one moment.
///
/// Serialises as `{"name": .., "dimensions": {..}}`. `invalid` is added when it is not 0, `failed` when the metric failed. In
/// a [`RuntimeSnapshot`](crate::RuntimeSnapshot) and in [`Totals`](crate::Totals) the metric also has its declaration and
/// its times. `==` compares the readings, and neither times nor declarations.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MetricSnapshot {
    /// The metric's name.
    pub name: Cow<'static, str>,
    /// The values of the dimensions, in the order of their declaration. Alone they know no declaration: serialised alone, durations
    /// are in seconds. Serialise the snapshot itself to have them in their units.
    pub dimensions: Dimensions,
    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    pub invalid: u64,
    /// The panic that ended the metric; `None` while the metric works. The values are those from before the panic.
    pub failed: Option<String>,
    pub(crate) declaration: Option<Declaration>,
    pub(crate) times: Times,
}

impl MetricSnapshot {
    /// A snapshot without dimensions.
    pub fn new(name: impl Into<String>) -> Self {
        Self::of_static(name.into())
    }

    /// Like [`new`](Self::new), without copying a static name.
    #[doc(hidden)]
    pub fn of_static(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            dimensions: Dimensions::default(),
            invalid: 0,
            failed: None,
            declaration: None,
            times: Times::default(),
        }
    }

    /// Adds a dimension at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<DimensionValue>) -> Self {
        self.dimensions.push(name, value);
        self
    }

    /// Says what the dimensions are, for [`Metric::further_metrics`](crate::Metric::further_metrics): their kinds, units and labels. The
    /// snapshot takes the descriptor's name.
    ///
    /// Totals combine the values as it says, and leave out those of a name that was declared otherwise in an earlier reading.
    #[must_use]
    pub fn declared(mut self, descriptor: MetricDescriptor) -> Self {
        self.name.clone_from(&descriptor.name);
        self.declaration = Some(Declaration::with_events(descriptor, Vec::new()));
        self
    }

    /// The value of the dimension with this name.
    #[must_use]
    pub fn get(&self, dimension: &str) -> Option<&DimensionValue> {
        self.dimensions.get(dimension)
    }

    /// The value of a dimension as a floating-point number, if it is one number: durations in the unit that the dimension declares,
    /// as in JSON, and in seconds where none is declared.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mvx_metrics::{HandleEvent, Max, Metric, metric_event};
    ///
    /// #[metric_event]
    /// struct Saved {
    ///     elapsed: Duration,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(Saved))]
    /// struct Saves {
    ///     #[dimension(value = elapsed, unit = milliseconds)]
    ///     longest: Max<Duration>,
    /// }
    ///
    /// let mut metric = Saves::default();
    /// metric.handle(&Saved { elapsed: Duration::from_micros(1_500) });
    /// let snapshot = metric.snapshot();
    /// assert_eq!(snapshot.value("longest"), Some(1.5));
    /// assert_eq!(snapshot.get("longest").and_then(|value| value.as_f64()), Some(0.0015));
    /// ```
    #[must_use]
    pub fn value(&self, dimension: &str) -> Option<f64> {
        let (index, (name, value)) =
            self.dimensions.iter().enumerate().find(|(_, (name, _))| *name == dimension)?;
        let unit = self.time_unit_at(index, name);
        match value {
            DimensionValue::Duration(duration) => Some(unit.float(*duration)),
            DimensionValue::Mean(mean) => unit.within(|| mean.shown_mean()),
            value => value.as_f64(),
        }
    }

    /// The unit in which the dimension shows its durations.
    fn time_unit_at(&self, index: usize, name: &str) -> TimeUnit {
        let declared = self.declaration.as_ref().and_then(|declared| declared.dimension_at(index, name));
        declared.map_or_else(TimeUnit::default, DimensionDescriptor::time_unit)
    }

    /// Whether the metric panicked while it was read, so that its values are missing.
    pub(crate) fn is_unread(&self) -> bool {
        self.failed.is_some()
            && self.dimensions.is_empty()
            && self.declaration().is_some_and(|declared| !declared.dimensions.is_empty())
    }

    /// The declaration of the metric: the kinds, units and labels of its dimensions. `None` when it is not known, as for a
    /// snapshot that was read from JSON of one metric.
    #[must_use]
    pub fn declaration(&self) -> Option<&MetricDescriptor> {
        self.declaration.as_ref().map(Declaration::descriptor)
    }

    /// The time when the snapshot was taken. `None` when no recorder took it.
    #[must_use]
    pub fn taken_at(&self) -> Option<SystemTime> {
        self.times.taken_at()
    }

    /// The time since when the metric counts: that of its registration. `None` when no recorder took the snapshot.
    #[must_use]
    pub fn counting_since(&self) -> Option<SystemTime> {
        self.times.counting_since()
    }
}

impl PartialEq for MetricSnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.dimensions == other.dimensions
            && self.invalid == other.invalid
            && self.failed == other.failed
    }
}

impl Serialize for MetricSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_with(false, serializer)
    }
}

impl MetricSnapshot {
    fn serialize_with<S: Serializer>(&self, declared: bool, serializer: S) -> Result<S::Ok, S::Error> {
        let declaration = self.declaration.as_ref().filter(|_| declared);
        let since = Some(self.times.counting_since).filter(|since| declared && !since.is_unknown());
        let optional = [self.invalid != 0, self.failed.is_some(), since.is_some(), declaration.is_some()];
        let fields = 2 + optional.into_iter().filter(|is_there| *is_there).count();
        let mut snapshot = serializer.serialize_struct("MetricSnapshot", fields)?;
        snapshot.serialize_field("name", &self.name)?;
        snapshot.serialize_field("dimensions", &ShownValues(self))?;
        if self.invalid != 0 {
            snapshot.serialize_field("invalid", &self.invalid)?;
        }
        if let Some(failed) = &self.failed {
            snapshot.serialize_field("failed", failed)?;
        }
        if let Some(since) = since {
            snapshot.serialize_field("counting_since", &since)?;
        }
        if let Some(declaration) = declaration {
            let values = &self.dimensions;
            snapshot.serialize_field("declaration", &SerializeDeclaration { declaration, values })?;
        }
        snapshot.end()
    }
}

/// The values of a snapshot, with durations in the declared units.
struct ShownValues<'a>(&'a MetricSnapshot);

impl Serialize for ShownValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.0.dimensions.iter().enumerate();
        serializer.collect_map(
            values.map(|(index, (name, value))| (name, InUnit(self.0.time_unit_at(index, name), value))),
        )
    }
}

/// Without a declaration the values are read as numbers, texts, lists and maps.
impl<'de> Deserialize<'de> for MetricSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "MetricSnapshot", deny_unknown_fields)]
        struct Fields {
            name: String,
            dimensions: Dimensions,
            #[serde(default)]
            invalid: u64,
            failed: Option<String>,
            #[serde(default)]
            counting_since: Timestamp,
            declaration: Option<ReadDeclaration>,
        }

        let Fields { name, mut dimensions, invalid, failed, counting_since, declaration } =
            Fields::deserialize(deserializer)?;
        let declaration = declaration.map(|read| read.of_metric::<D::Error>(&name)).transpose()?;
        if let Some(declaration) = &declaration {
            declaration.restore::<D::Error>(&mut dimensions)?;
        }
        let times = Times { counting_since, taken_at: Timestamp::default() };
        Ok(Self { name: Cow::Owned(name), dimensions, invalid, failed, declaration, times })
    }
}

/// A snapshot with its declaration and its times.
pub(crate) struct Declared<'a>(pub(crate) &'a MetricSnapshot);

impl Serialize for Declared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_with(true, serializer)
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
/// recorder.metric::<Bell>()?;
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

    pub(crate) fn get_mut(&mut self, metric: &str) -> Option<&mut MetricSnapshot> {
        self.0.iter_mut().find(|snapshot| snapshot.name == metric)
    }

    pub(crate) fn push(&mut self, snapshot: MetricSnapshot) {
        self.0.push(snapshot);
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

impl<'de> Deserialize<'de> for MetricSnapshots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor;

        impl<'de> Visitor<'de> for MapVisitor {
            type Value = MetricSnapshots;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map from names to metrics")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MetricSnapshots, A::Error> {
                let mut names = HashSet::new();
                let mut snapshots = MetricSnapshots::default();
                while let Some(name) = map.next_key::<String>()? {
                    let snapshot: MetricSnapshot = map.next_value().map_err(named(&name))?;
                    if snapshot.name != name {
                        let other = &snapshot.name;
                        return Err(de::Error::custom(format_args!("`{name}` has the name `{other}`")));
                    }
                    if !names.insert(name.clone()) {
                        return Err(de::Error::custom(format_args!("the metric `{name}` stands twice")));
                    }
                    snapshots.0.push(snapshot);
                }
                Ok(snapshots)
            }
        }

        deserializer.deserialize_map(MapVisitor)
    }
}

impl MetricSnapshots {
    /// Serialises each snapshot with its declaration and its times.
    pub(crate) fn serialize_declared<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for snapshot in self {
            map.serialize_entry(&snapshot.name, &Declared(snapshot))?;
        }
        map.end()
    }

    /// Sets the time when the snapshots were taken.
    pub(crate) fn set_taken_at(&mut self, taken_at: Timestamp) {
        self.0.iter_mut().for_each(|snapshot| snapshot.times.taken_at = taken_at);
    }
}
