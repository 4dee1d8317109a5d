//! Serialising and deserialising typed snapshots.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{Error, MapDeserializer};
use serde::de::{Deserializer, Error as DeserializeError, MapAccess};
use serde::ser::{SerializeMap, Serializer};

use super::per_label::PartialLabels;
use super::{Fields, prefixed};
use crate::descriptor::DimensionDescriptor;
use crate::dimension::Dimension;
use crate::number::{InUnit, TimeUnit};
use crate::snapshot::{
    DeserializeOutput, MetricSnapshot, Output, SerializeOutput, Times, Timestamp, ValueDeserializer, named,
};

/// What stands before the names of fields: two parts, which are put together in one place for all types.
pub type Prefix<'a> = (&'a str, &'static str);

/// The fields of a typed snapshot, for serialising it and for building it from deserialised fields.
pub trait SnapshotFields: Clone + fmt::Debug + PartialEq + Send + Sized + 'static {
    /// The name of the field with the count of invalid values.
    const INVALID: &'static str;

    /// Serialises all fields but the count of invalid values. Their names begin with both parts of the prefix.
    ///
    /// # Errors
    ///
    /// The serialiser's errors.
    fn write<M: SerializeMap>(&self, prefix: Prefix<'_>, map: &mut M) -> Result<(), M::Error>;

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

    /// Notes the first field that was not deserialised.
    fn require(partial: &mut PartialSnapshot);

    /// Builds the snapshot once all fields were deserialised.
    fn finish(partial: &mut PartialSnapshot, invalid: u64) -> Self;

    /// The count of invalid values, and the times of the snapshot.
    fn head(&self) -> (u64, Times);

    /// The same, to be changed.
    fn head_mut(&mut self) -> (&mut u64, &mut Times);

    /// Merges all dimensions of another snapshot into this one.
    fn merge_fields(&mut self, other: &Self);

    /// Leaves in each dimension only the records after an earlier snapshot.
    fn subtract_fields(&mut self, earlier: &Self);

    /// Whether a count is lower than in an earlier snapshot; with `is_gone` whether a label with the earlier one cannot vanish
    /// unless counting began anew.
    fn has_fallen(&self, earlier: &Self, is_gone: bool) -> bool;
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
    later_times.restarted_since(earlier_times)
        || later_invalid < earlier_invalid
        || later.has_fallen(earlier, false)
}

/// Whether the output of one dimension tells that counting began anew, as [`SnapshotFields::has_fallen`].
#[must_use]
pub fn has_fallen<D: Dimension>(later: &D::Output, earlier: &D::Output, is_gone: bool) -> bool {
    if is_gone { !D::may_vanish(earlier) } else { D::has_fallen(later, earlier) }
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
    labels: BTreeMap<usize, PartialLabels>,
    missing: Option<&'static str>,
}

impl PartialSnapshot {
    /// The deserialised fields of the flattened metric in this field.
    pub fn nested(&mut self, field: usize, prefix: &str) -> &mut Self {
        self.flattened
            .entry(field)
            .or_insert_with(|| Self { prefix: format!("{}{prefix}", self.prefix), ..Self::default() })
    }

    /// Notes the first of these fields that was not deserialised, if there is one.
    pub fn require(&mut self, fields: &[(usize, &'static str)]) {
        let missing = fields.iter().find(|(field, _)| !self.outputs.contains_key(field));
        self.missing = self.missing.or(missing.map(|(_, name)| *name));
    }

    /// The deserialised labels of the breakdown of a metric in this field.
    pub(super) fn labels(&mut self, field: usize) -> &mut PartialLabels {
        self.labels.entry(field).or_default()
    }

    pub(super) fn check<E: DeserializeError>(&self) -> Result<(), E> {
        match (self.missing, self.prefix.as_str()) {
            (Some(name), "") => return Err(E::missing_field(name)),
            (Some(name), prefix) => return Err(E::custom(format_args!("missing field `{prefix}{name}`"))),
            (None, _) => {}
        }
        self.labels.values().try_for_each(|labels| labels.check(&self.prefix))?;
        self.flattened.values().try_for_each(Self::check)
    }

    fn put(&mut self, field: usize, output: Box<dyn Any>) {
        self.outputs.insert(field, output);
    }

    fn take(&mut self, field: usize) -> Option<Box<dyn Any>> {
        self.outputs.remove(&field)
    }
}

/// The typed snapshot of a flattened metric. The metric around it counts its invalid values.
pub fn flattened<M: Fields>(metric: &M) -> M::Snapshot {
    let mut snapshot = metric.typed_snapshot();
    *snapshot.head_mut().0 = 0;
    snapshot
}

/// A field of a typed snapshot. The map's type is a parameter of the trait, so that one loop serialises fields of all types.
pub trait WriteField<M: SerializeMap> {
    /// Serialises the field.
    ///
    /// # Errors
    ///
    /// The serialiser's errors.
    fn write_field(&self, prefix: &str, name: &'static str, map: &mut M) -> Result<(), M::Error>;
}

impl<R: Output, M: SerializeMap> WriteField<M> for R {
    fn write_field(&self, prefix: &str, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(&prefixed(prefix, name), &SerializeOutput(self))
    }
}

/// All fields of a snapshot, as a field. Its name is their prefix.
#[derive(Debug)]
pub struct AllFields<'a, T>(pub &'a T);

impl<T: SnapshotFields, M: SerializeMap> WriteField<M> for AllFields<'_, T> {
    fn write_field(&self, prefix: &str, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        self.0.write((prefix, name), map)
    }
}

/// A field whose durations are shown in a unit.
#[derive(Debug)]
pub struct ShownIn<'a, R>(pub TimeUnit, pub &'a R);

impl<R: Output, M: SerializeMap> WriteField<M> for ShownIn<'_, R> {
    fn write_field(&self, prefix: &str, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(&prefixed(prefix, name), &InUnit(self.0, SerializeOutput(self.1)))
    }
}

/// Serialises fields, each with its name.
///
/// # Errors
///
/// The serialiser's errors.
pub fn write<M: SerializeMap>(
    map: &mut M,
    (prefix, name): Prefix<'_>,
    names: &[&'static str],
    fields: &[&dyn WriteField<M>],
) -> Result<(), M::Error> {
    let prefix = &prefixed(prefix, name);
    names.iter().zip(fields).try_for_each(|(name, field)| field.write_field(prefix, name, map))
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
    partial.put(field, Box::new(output));
    Ok(true)
}

/// Takes out one field once all were deserialised.
///
/// # Panics
///
/// When the field was not deserialised. [`SnapshotFields::require`] finds that first.
pub fn take<R: Output>(partial: &mut PartialSnapshot, field: usize) -> R {
    match partial.take(field).map(Box::<dyn Any>::downcast) {
        Some(Ok(output)) => *output,
        _ => panic!("`require` finds a missing field"),
    }
}

/// Serialises a typed snapshot.
///
/// # Errors
///
/// The serialiser's errors.
pub fn serialize<S: Serializer>(
    fields: &dyn WriteField<S::SerializeMap>,
    count: usize,
    invalid: (&'static str, u64),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let (name, invalid) = invalid;
    let mut map = serializer.serialize_map((count != 0).then(|| count + usize::from(invalid != 0)))?;
    // A value with another unit may hold the snapshot.
    TimeUnit::default().within(|| fields.write_field("", "", &mut map))?;
    if invalid != 0 {
        map.serialize_entry(name, &invalid)?;
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

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            let mut partial = PartialSnapshot::default();
            match read_all(map, &mut partial, T::INVALID, T::read::<A>, T::require) {
                Ok(invalid) => Ok(T::finish(&mut partial, invalid)),
                Err(error) => Err(error),
            }
        }
    }

    deserializer.deserialize_map(Visitor(PhantomData))
}

/// [`SnapshotFields::read`] of a snapshot. As a pointer, so that what is equal for all snapshots is compiled once.
type Read<'de, A> = fn(&mut PartialSnapshot, &str, &mut A) -> Result<bool, <A as MapAccess<'de>>::Error>;

/// Deserialises all fields; returns the count of invalid values.
fn read_all<'de, A: MapAccess<'de>>(
    mut map: A,
    partial: &mut PartialSnapshot,
    invalid_name: &str,
    read: Read<'de, A>,
    require: fn(&mut PartialSnapshot),
) -> Result<u64, A::Error> {
    let mut read_fields = || {
        let mut invalid = 0;
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(DeserializeError::custom(format_args!("the field `{name}` stands twice")));
            }
            if read(partial, &name, &mut map).map_err(named(&name))? {
            } else if name == invalid_name {
                invalid = map.next_value().map_err(named(&name))?;
            } else {
                return Err(DeserializeError::custom(format_args!("the metric has no dimension `{name}`")));
            }
        }
        require(partial);
        partial.check()?;
        Ok(invalid)
    };
    // A value with another unit may hold the snapshot.
    TimeUnit::default().within(&mut read_fields)
}

/// Reads a typed snapshot back from one without types. `None` when the metric is declared in another way, or when a dimension is
/// missing or does not fit.
#[must_use]
pub fn restore<M: Fields>(snapshot: &MetricSnapshot, taken_at: Timestamp) -> Option<M::Snapshot> {
    let mut dimensions = Vec::new();
    M::describe("", &mut dimensions);
    let mut partial = read_back(snapshot, &dimensions, M::Snapshot::read, M::Snapshot::require)?;
    let mut restored = M::Snapshot::finish(&mut partial, snapshot.invalid);
    *restored.head_mut().1 = Times { taken_at, ..snapshot.times };
    Some(restored)
}

type Values<'a> =
    MapDeserializer<'a, Box<dyn Iterator<Item = (&'a str, ValueDeserializer<'a, Error>)> + 'a>, Error>;

/// Reads the fields of a typed snapshot back from one without types, if it declares these dimensions.
fn read_back<'a>(
    snapshot: &'a MetricSnapshot,
    dimensions: &[DimensionDescriptor],
    read: Read<'a, Values<'a>>,
    require: fn(&mut PartialSnapshot),
) -> Option<PartialSnapshot> {
    if !snapshot.is_declared_as(dimensions) {
        return None;
    }
    let mut partial = PartialSnapshot::default();
    let values = snapshot.dimensions.iter().map(|(name, value)| (name, ValueDeserializer::of(value)));
    let mut map: Values<'_> = MapDeserializer::new(Box::new(values));
    while let Some(name) = map.next_key::<String>().ok()? {
        if !read(&mut partial, &name, &mut map).ok()? {
            return None;
        }
    }
    require(&mut partial);
    partial.check::<Error>().ok()?;
    Some(partial)
}
