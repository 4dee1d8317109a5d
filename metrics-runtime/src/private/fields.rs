//! Serialising and deserialising typed snapshots.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as DeserializeError, MapAccess};
use serde::ser::{SerializeMap, Serializer};

use super::{Fields, prefixed};
use crate::number::{InUnit, TimeUnit};
use crate::snapshot::{
    DeserializeOutput, MetricSnapshot, Output, SerializeOutput, Times, Timestamp, ValueDeserializer, named,
};

/// The fields of a typed snapshot, for serialising it and for building it from deserialised fields.
pub trait SnapshotFields: Clone + fmt::Debug + PartialEq + Send + Sized + 'static {
    /// The name of the field with the count of invalid values.
    const INVALID: &'static str;

    /// Serialises all fields but the count of invalid values.
    ///
    /// # Errors
    ///
    /// The serialiser's errors.
    fn write<M: SerializeMap>(&self, prefix: &str, map: &mut M) -> Result<(), M::Error>;

    /// Deserialises the value of the field with this name; `false` when there is no such field.
    ///
    /// # Errors
    ///
    /// The deserialiser's errors.
    fn read<'de, A: MapAccess<'de>>(
        partial: &mut PartialSnapshot,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error>;

    /// Builds the snapshot once all fields were deserialised.
    ///
    /// # Errors
    ///
    /// When a field is missing.
    fn finish<E: DeserializeError>(partial: &mut PartialSnapshot, invalid: u64) -> Result<Self, E>;

    /// The count of invalid values, and the times of the snapshot.
    fn head(&self) -> (u64, Times);

    /// The same, to be changed.
    fn head_mut(&mut self) -> (&mut u64, &mut Times);

    /// Merges all dimensions of another snapshot into this one.
    fn merge_fields(&mut self, other: &Self);

    /// Leaves in each dimension only the records after an earlier snapshot.
    fn subtract_fields(&mut self, earlier: &Self);

    /// Whether a count is lower than in an earlier snapshot.
    fn has_fallen(&self, earlier: &Self) -> bool;
}

/// Merges a snapshot into another one.
pub fn merge<T: SnapshotFields>(snapshot: &mut T, other: &T) {
    snapshot.merge_fields(other);
    let (others_invalid, others_times) = other.head();
    let (invalid, times) = snapshot.head_mut();
    *invalid = invalid.saturating_add(others_invalid);
    *times = times.merged(others_times);
}

/// What was recorded between two snapshots.
#[must_use]
pub fn since<T: SnapshotFields>(later: &T, earlier: &T) -> T {
    let mut interval = later.clone();
    if !restarted_since(later, earlier) {
        interval.subtract_fields(earlier);
        let (invalid, _) = interval.head_mut();
        *invalid = invalid.saturating_sub(earlier.head().0);
    }
    interval
}

/// Whether counting began anew after an earlier snapshot.
#[must_use]
pub fn restarted_since<T: SnapshotFields>(later: &T, earlier: &T) -> bool {
    let ((later_invalid, later_times), (earlier_invalid, earlier_times)) = (later.head(), earlier.head());
    later_times.restarted_since(earlier_times) || later_invalid < earlier_invalid || later.has_fallen(earlier)
}

/// The deserialised fields of a snapshot, by their position.
///
/// The values are erased: a public snapshot's implementation of [`SnapshotFields`] must not name private types.
#[derive(Debug, Default)]
pub struct PartialSnapshot {
    /// The prefix of the fields' names.
    prefix: String,
    outputs: BTreeMap<usize, Box<dyn Any>>,
    flattened: BTreeMap<usize, PartialSnapshot>,
}

impl PartialSnapshot {
    /// The deserialised fields of the flattened metric in this field.
    pub fn nested(&mut self, field: usize, prefix: &str) -> &mut Self {
        self.flattened
            .entry(field)
            .or_insert_with(|| Self { prefix: format!("{}{prefix}", self.prefix), ..Self::default() })
    }
}

/// The typed snapshot of a flattened metric. The metric around it counts its invalid values.
pub fn flattened<M: Fields>(metric: &M) -> M::Snapshot {
    let mut snapshot = metric.typed_snapshot();
    *snapshot.head_mut().0 = 0;
    snapshot
}

/// Serialises one field.
///
/// # Errors
///
/// The serialiser's errors.
pub fn write<R: Output, M: SerializeMap>(
    map: &mut M,
    prefix: &str,
    name: &'static str,
    output: &R,
) -> Result<(), M::Error> {
    map.serialize_entry(&prefixed(prefix, name), &SerializeOutput(output))
}

/// Serialises one field with its durations in a unit.
///
/// # Errors
///
/// The serialiser's errors.
pub fn write_in<R: Output, M: SerializeMap>(
    unit: TimeUnit,
    map: &mut M,
    prefix: &str,
    name: &'static str,
    output: &R,
) -> Result<(), M::Error> {
    map.serialize_entry(&prefixed(prefix, name), &InUnit(unit, SerializeOutput(output)))
}

/// Deserialises one field whose durations are in a unit.
///
/// # Errors
///
/// The deserialiser's errors.
pub fn read_in<'de, R: Output, A: MapAccess<'de>>(
    unit: TimeUnit,
    partial: &mut PartialSnapshot,
    field: usize,
    map: &mut A,
) -> Result<bool, A::Error> {
    unit.within(|| read::<R, A>(partial, field, map))
}

/// Deserialises one field.
///
/// # Errors
///
/// The deserialiser's errors.
pub fn read<'de, R: Output, A: MapAccess<'de>>(
    partial: &mut PartialSnapshot,
    field: usize,
    map: &mut A,
) -> Result<bool, A::Error> {
    let DeserializeOutput(output) = map.next_value::<DeserializeOutput<R>>()?;
    partial.outputs.insert(field, Box::new(output));
    Ok(true)
}

/// Takes out one field once all were deserialised.
///
/// # Errors
///
/// When the field is missing.
pub fn finish<R: Output, E: DeserializeError>(
    partial: &mut PartialSnapshot,
    field: usize,
    name: &'static str,
) -> Result<R, E> {
    let output = partial.outputs.remove(&field).and_then(|output| output.downcast().ok());
    output.map(|output| *output).ok_or_else(|| match partial.prefix.as_str() {
        "" => E::missing_field(name),
        prefix => E::custom(format_args!("missing field `{prefix}{name}`")),
    })
}

/// Serialises a typed snapshot.
///
/// # Errors
///
/// The serialiser's errors.
pub fn serialize<T: SnapshotFields, S: Serializer>(
    snapshot: &T,
    fields: usize,
    invalid: u64,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map((fields != 0).then(|| fields + usize::from(invalid != 0)))?;
    snapshot.write("", &mut map)?;
    if invalid != 0 {
        map.serialize_entry(T::INVALID, &invalid)?;
    }
    map.end()
}

/// Deserialises a typed snapshot.
///
/// # Errors
///
/// The deserialiser's errors, and an error when a field is missing, unknown, or there twice.
pub fn deserialize<'de, T: SnapshotFields, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Visitor<T>(PhantomData<T>);

    impl<'de, T: SnapshotFields> serde::de::Visitor<'de> for Visitor<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the snapshot of a metric")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
            let mut partial = PartialSnapshot::default();
            let mut invalid = 0;
            let mut seen = HashSet::new();
            while let Some(name) = map.next_key::<String>()? {
                if !seen.insert(name.clone()) {
                    return Err(DeserializeError::custom(format_args!("the field `{name}` stands twice")));
                }
                if T::read(&mut partial, &name, &mut map).map_err(named(&name))? {
                } else if name == T::INVALID {
                    invalid = map.next_value().map_err(named(&name))?;
                } else {
                    let message = format_args!("the metric has no dimension `{name}`");
                    return Err(DeserializeError::custom(message));
                }
            }
            T::finish(&mut partial, invalid)
        }
    }

    deserializer.deserialize_map(Visitor(PhantomData))
}

/// Reads a typed snapshot back from one without types. `None` when the metric is declared in another way, or when a dimension is
/// missing or does not fit.
#[must_use]
pub fn restore<M: Fields>(snapshot: &MetricSnapshot, taken_at: Timestamp) -> Option<M::Snapshot> {
    use serde::de::value::{Error, MapDeserializer};

    let mut dimensions = Vec::new();
    M::describe("", &mut dimensions);
    if !snapshot.is_declared_as(&dimensions) {
        return None;
    }
    let mut partial = PartialSnapshot::default();
    let values =
        snapshot.dimensions.iter().map(|(name, value)| (name, ValueDeserializer::<Error>::of(value)));
    let mut map = MapDeserializer::<_, Error>::new(values);
    while let Some(name) = map.next_key::<String>().ok()? {
        if !M::Snapshot::read(&mut partial, &name, &mut map).ok()? {
            return None;
        }
    }
    let mut restored = M::Snapshot::finish::<Error>(&mut partial, snapshot.invalid).ok()?;
    *restored.head_mut().1 = Times { taken_at, ..snapshot.times };
    Some(restored)
}
