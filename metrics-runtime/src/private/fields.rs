//! Serialising and deserialising typed snapshots.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as DeserializeError, MapAccess};
use serde::ser::{SerializeMap, Serializer};

use super::{Fields, prefixed};
use crate::snapshot::{DeserializeOutput, Output, SerializeOutput};

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

    /// The count of invalid values.
    fn invalid(&mut self) -> &mut u64;
}

/// The deserialised fields of a snapshot, by their position.
///
/// The values are erased: a public snapshot's implementation of [`SnapshotFields`] must not name private types.
#[derive(Debug, Default)]
pub struct PartialSnapshot {
    outputs: BTreeMap<usize, Box<dyn Any>>,
    flattened: BTreeMap<usize, PartialSnapshot>,
}

impl PartialSnapshot {
    /// The deserialised fields of the flattened metric in this field.
    pub fn nested(&mut self, field: usize) -> &mut Self {
        self.flattened.entry(field).or_default()
    }
}

/// The typed snapshot of a flattened metric. The metric around it counts its invalid values.
pub fn flattened<M: Fields>(metric: &M) -> M::Snapshot {
    let mut snapshot = metric.typed_snapshot();
    *snapshot.invalid() = 0;
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
    output.map(|output| *output).ok_or_else(|| E::missing_field(name))
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

/// Deserialises a typed snapshot. Unknown fields are skipped.
///
/// # Errors
///
/// The deserialiser's errors, and an error when a field is missing.
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
                if T::read(&mut partial, &name, &mut map)? {
                } else if name == T::INVALID {
                    invalid = map.next_value()?;
                } else {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
            T::finish(&mut partial, invalid)
        }
    }

    deserializer.deserialize_map(Visitor(PhantomData))
}
