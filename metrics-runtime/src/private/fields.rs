//! How serde takes a typed snapshot apart and puts it together.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as DeserializeError, MapAccess};
use serde::ser::{SerializeMap, Serializer};

use super::{Fields, prefixed};
use crate::snapshot::{DeserializeOutput, Output, SerializeOutput};

/// A typed snapshot, as the generated code takes it apart and puts it together.
pub trait SnapshotFields: Clone + fmt::Debug + PartialEq + Send + Sized + 'static {
    /// The name of the field with the count of values that were not finite.
    const INVALID: &'static str;

    /// Writes all fields but the count of invalid values.
    ///
    /// # Errors
    ///
    /// Those of the serialiser.
    fn write<M: SerializeMap>(&self, prefix: &str, map: &mut M) -> Result<(), M::Error>;

    /// Reads the value of one field; `false` when there is no field of that name.
    ///
    /// # Errors
    ///
    /// Those of the deserialiser.
    fn read<'de, A: MapAccess<'de>>(slots: &mut Slots, name: &str, map: &mut A) -> Result<bool, A::Error>;

    /// The snapshot, once everything was read.
    ///
    /// # Errors
    ///
    /// When a field is missing.
    fn finish<E: DeserializeError>(slots: &mut Slots, invalid: u64) -> Result<Self, E>;

    /// The count of values that were not finite.
    fn invalid(&mut self) -> &mut u64;
}

/// What was read so far, by the position of the field.
///
/// Its type does not say what the fields are: that of a public snapshot must not name private types.
#[derive(Debug, Default)]
pub struct Slots {
    readings: BTreeMap<usize, Box<dyn Any>>,
    flattened: BTreeMap<usize, Slots>,
}

impl Slots {
    /// What was read of the flattened metric in a field.
    pub fn nested(&mut self, field: usize) -> &mut Self {
        self.flattened.entry(field).or_default()
    }
}

/// The typed snapshot of a flattened metric; its invalid values are counted by the metric it is flattened into.
pub fn flattened<M: Fields>(metric: &M) -> M::Snapshot {
    let mut snapshot = metric.typed_snapshot();
    *snapshot.invalid() = 0;
    snapshot
}

/// Writes one field.
///
/// # Errors
///
/// Those of the serialiser.
pub fn write<R: Output, M: SerializeMap>(
    map: &mut M,
    prefix: &str,
    name: &'static str,
    reading: &R,
) -> Result<(), M::Error> {
    map.serialize_entry(&prefixed(prefix, name), &SerializeOutput(reading))
}

/// Reads one field.
///
/// # Errors
///
/// Those of the deserialiser.
pub fn read<'de, R: Output, A: MapAccess<'de>>(
    slots: &mut Slots,
    field: usize,
    map: &mut A,
) -> Result<bool, A::Error> {
    let DeserializeOutput(reading) = map.next_value::<DeserializeOutput<R>>()?;
    slots.readings.insert(field, Box::new(reading));
    Ok(true)
}

/// One field, once everything was read.
///
/// # Errors
///
/// When the field is missing.
pub fn finish<R: Output, E: DeserializeError>(
    slots: &mut Slots,
    field: usize,
    name: &'static str,
) -> Result<R, E> {
    let reading = slots.readings.remove(&field).and_then(|reading| reading.downcast().ok());
    reading.map(|reading| *reading).ok_or_else(|| E::missing_field(name))
}

/// Serialises a typed snapshot.
///
/// # Errors
///
/// Those of the serialiser.
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

/// Deserialises a typed snapshot; fields it does not know are skipped.
///
/// # Errors
///
/// Those of the deserialiser, and a missing field.
pub fn deserialize<'de, T: SnapshotFields, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Visitor<T>(PhantomData<T>);

    impl<'de, T: SnapshotFields> serde::de::Visitor<'de> for Visitor<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the snapshot of a metric")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
            let mut slots = Slots::default();
            let mut invalid = 0;
            while let Some(name) = map.next_key::<String>()? {
                if T::read(&mut slots, &name, &mut map)? {
                } else if name == T::INVALID {
                    invalid = map.next_value()?;
                } else {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
            T::finish(&mut slots, invalid)
        }
    }

    deserializer.deserialize_map(Visitor(PhantomData))
}
