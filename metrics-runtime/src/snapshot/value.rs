//! The values of dimensions without their types, for exporters and for JSON.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::aggregate::{Aggregate, for_aggregate, for_aggregates};
use super::breakdown::{HasLabels, NestedMap, SerializeEntry};
use super::distinct::DistinctSnapshot;
use super::extreme::{Extreme, UNKNOWN};
use super::histogram::HistogramSnapshot;
use super::mean::{InFlightSnapshot, MeanSnapshot};
use super::output::named;
use super::top::TopSnapshot;
use crate::number::{DurationText, Number, TimeUnit, serialize_duration};

/// The value of one dimension of any type.
///
/// It keeps all that is needed to combine the values of several recorders. A mean keeps its sum and count, work in
/// flight both counts, a histogram its buckets, a count of different values its registers.
///
/// Two numbers are equal when they serialise as the same number, and two breakdowns when they have the same labels with the
/// same values, in any order.
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
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DimensionValue {
    /// Nothing recorded yet; serialises as null.
    Empty,
    /// An extreme that is not known; serialises as `"unknown"`.
    Unknown,
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    /// A floating-point number, a finite one but for metrics and dimensions of your own.
    Float(f64),
    /// A duration; serialises as seconds, and within the snapshot of its metric in the declared unit.
    Duration(Duration),
    /// A mean as its sum and count.
    Mean(MeanSnapshot<Number>),
    /// Work in flight as its two counts.
    InFlight(InFlightSnapshot),
    /// A distribution over buckets.
    Histogram(HistogramSnapshot<Number>),
    /// How many different values there were, as an estimate that merges.
    Distinct(DistinctSnapshot),
    /// The largest labels, each with its value and its error.
    Top(TopSnapshot<(), Number>),
    /// One value for each label; serialises as a map, nested when a label has several parts.
    Breakdown(Vec<BreakdownEntry>),
    /// A truth value, for metrics and dimensions of your own.
    Bool(bool),
    /// A text, for metrics and dimensions of your own.
    Text(String),
    /// Several values, for metrics and dimensions of your own.
    List(Vec<DimensionValue>),
    /// Several named values, for metrics and dimensions of your own; serialises as a map.
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
            Self::InFlight(in_flight) => u64::try_from(in_flight.current()).ok(),
            Self::Distinct(ref distinct) => Some(distinct.estimate()),
            _ => None,
        }
    }

    /// The value as a floating-point number, if it is a number; seconds for durations.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the caller asks for a floating-point number")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::InFlight(in_flight) => Some(in_flight.current() as f64),
            Self::Mean(mean) => mean.mean(),
            Self::Distinct(distinct) => Some(distinct.estimate() as f64),
            value => value.number().map(|number| number.as_f64()),
        }
    }

    /// The value as a number, if it is a plain number.
    pub(crate) fn number(&self) -> Option<Number> {
        match *self {
            Self::Unsigned(value) => Some(Number::Unsigned(value)),
            Self::Signed(value) => Some(Number::Signed(value)),
            Self::Float(value) => Some(Number::Float(value)),
            Self::Duration(value) => Some(Number::Duration(value)),
            _ => None,
        }
    }

    /// The form that a text is read as: means, histograms and the like become maps.
    fn plain(&self) -> Cow<'_, Self> {
        Cow::Owned(match self {
            Self::Unknown => Self::Text(UNKNOWN.to_owned()),
            Self::Duration(duration) => Self::Text(DurationText(TimeUnit::current(), *duration).to_string()),
            Self::Breakdown(entries) => nested(entries, 0),
            value => for_aggregate!(value, |aggregate| aggregate.plain(), else return Cow::Borrowed(self)),
        })
    }
}

/// The entries, which agree in the first `depth` parts of their labels, as a map by the next part.
fn nested(entries: &[BreakdownEntry], depth: usize) -> DimensionValue {
    let groups = entries.chunk_by(|left, right| left.labels.get(depth) == right.labels.get(depth));
    let groups = groups.filter_map(|group| {
        let first = group.first()?;
        let text = first.labels.get(depth).cloned().unwrap_or_default();
        let value =
            if depth + 1 < first.labels.len() { nested(group, depth + 1) } else { first.value.clone() };
        Some((text, value))
    });
    DimensionValue::Map(groups.collect())
}

impl PartialEq for DimensionValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) | (Self::Unknown, Self::Unknown) => true,
            (Self::Breakdown(one), Self::Breakdown(other)) => has_same_entries(one, other),
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::List(one), Self::List(other)) => one == other,
            (Self::Map(one), Self::Map(other)) => one == other,
            (Self::Duration(duration), Self::Text(text)) | (Self::Text(text), Self::Duration(duration)) => {
                *text == DurationText(TimeUnit::Seconds, *duration).to_string()
            }
            (one, other) => match (one.number(), other.number()) {
                (Some(one), Some(other)) => is_same_number(one, other),
                _ => for_aggregates!(one, other, |one, other| one == other, else false),
            },
        }
    }
}

fn is_same_number(one: Number, other: Number) -> bool {
    match (one, other) {
        (Number::Unsigned(one), Number::Signed(other)) | (Number::Signed(other), Number::Unsigned(one)) => {
            u64::try_from(other) == Ok(one)
        }
        (Number::Duration(duration), Number::Float(seconds))
        | (Number::Float(seconds), Number::Duration(duration)) => {
            Duration::try_from_secs_f64(seconds) == Ok(duration)
        }
        // Both serialise alike.
        (Number::Float(one), Number::Float(other)) if one.is_nan() && other.is_nan() => true,
        (one, other) => one == other,
    }
}

fn has_same_entries(one: &[BreakdownEntry], other: &[BreakdownEntry]) -> bool {
    let sorted = |entries: &[BreakdownEntry]| {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by(|left, right| entries[*left].labels.cmp(&entries[*right].labels));
        order
    };
    one.len() == other.len()
        && sorted(one).into_iter().zip(sorted(other)).all(|(left, right)| one[left] == other[right])
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

impl<T: Into<Number>> From<Extreme<T>> for DimensionValue {
    fn from(extreme: Extreme<T>) -> Self {
        match extreme {
            Extreme::None => Self::Empty,
            Extreme::Known(value) => Self::from(value.into()),
            Extreme::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for DimensionValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<String> for DimensionValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<DimensionValue>> From<Vec<T>> for DimensionValue {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl Serialize for DimensionValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Unknown => serializer.serialize_str(UNKNOWN),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Duration(value) => serialize_duration(*value, serializer),
            Self::Breakdown(entries) => NestedMap::of(entries).serialize(serializer),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => values.serialize(serializer),
            Self::Map(values) => values.serialize(serializer),
            value => {
                for_aggregate!(value, |aggregate| aggregate.serialize(serializer), else serializer.serialize_none())
            }
        }
    }
}

/// Without its declaration a value is read as a number, a text, a list or a map. It serialises as the same JSON again.
impl<'de> Deserialize<'de> for DimensionValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueWithin(MAX_DEPTH).deserialize(deserializer)
    }
}

/// Values that were read have at most this many levels of lists and maps, so no input exhausts the stack.
const MAX_DEPTH: usize = 64;

/// Reads a value with at most this many levels of lists and maps.
#[derive(Clone, Copy)]
struct ValueWithin(usize);

impl ValueWithin {
    fn next_level<E: de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| {
            E::custom(format_args!("a value has more than {MAX_DEPTH} levels of lists and maps"))
        })
    }
}

impl<'de> DeserializeSeed<'de> for ValueWithin {
    type Value = DimensionValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<DimensionValue, D::Error> {
        struct ValueVisitor(ValueWithin);

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = DimensionValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the value of a dimension")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(DimensionValue::Bool(value))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(DimensionValue::Unsigned(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(u64::try_from(number).map_or(DimensionValue::Signed(number), DimensionValue::Unsigned))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                Ok(DimensionValue::Float(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(DimensionValue::Text(text.to_owned()))
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(DimensionValue::Empty)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(DimensionValue::Empty)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                self.0.deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let within = self.0.next_level()?;
                let mut values = Vec::new();
                while let Some(value) = list.next_element_seed(within)? {
                    values.push(value);
                }
                Ok(DimensionValue::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                read_map(map, self.0.next_level()?).map(DimensionValue::Map)
            }
        }

        deserializer.deserialize_any(ValueVisitor(self))
    }
}

/// Reads a value back as a type, in the form that the type serialises as.
pub(crate) struct ValueDeserializer<'a, E> {
    value: Cow<'a, DimensionValue>,
    error: std::marker::PhantomData<E>,
}

/// Reads one number as a type.
pub(super) type NumberDeserializer<E> = ValueDeserializer<'static, E>;

impl<E> ValueDeserializer<'static, E> {
    pub(super) fn new(number: Number) -> Self {
        Self { value: Cow::Owned(DimensionValue::from(number)), error: std::marker::PhantomData }
    }
}

impl<'a, E> ValueDeserializer<'a, E> {
    pub(crate) fn of(value: &'a DimensionValue) -> Self {
        Self { value: Cow::Borrowed(value), error: std::marker::PhantomData }
    }
}

impl<'de, E: de::Error> Deserializer<'de> for ValueDeserializer<'_, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match &*self.value.plain() {
            DimensionValue::Bool(value) => visitor.visit_bool(*value),
            DimensionValue::Unsigned(number) => visitor.visit_u64(*number),
            DimensionValue::Signed(number) => visitor.visit_i64(*number),
            DimensionValue::Float(number) => visitor.visit_f64(*number),
            DimensionValue::Text(text) => visitor.visit_str(text),
            DimensionValue::List(values) => {
                let values = values.iter().map(ValueDeserializer::<E>::of);
                visitor.visit_seq(de::value::SeqDeserializer::new(values))
            }
            DimensionValue::Map(values) => {
                let values = values.iter().map(|(name, value)| (name, ValueDeserializer::<E>::of(value)));
                visitor.visit_map(de::value::MapDeserializer::new(values))
            }
            _ => visitor.visit_none(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        if let DimensionValue::Empty = &*self.value { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        match &*self.value.plain() {
            DimensionValue::Text(variant) => visitor.visit_enum(variant.as_str().into_deserializer()),
            DimensionValue::Map(values) => {
                let values = values.iter().map(|(name, value)| (name, ValueDeserializer::<E>::of(value)));
                let map = de::value::MapDeserializer::new(values);
                visitor.visit_enum(de::value::MapAccessDeserializer::new(map))
            }
            _ => Err(E::invalid_type(de::Unexpected::Other("a value that is no variant"), &visitor)),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<E: de::Error> IntoDeserializer<'_, E> for ValueDeserializer<'_, E> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
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

impl HasLabels for BreakdownEntry {
    fn labels(&self) -> &[Cow<'static, str>] {
        &self.labels
    }
}

impl SerializeEntry for BreakdownEntry {
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

    pub(crate) fn value_mut(&mut self, position: usize) -> Option<&mut DimensionValue> {
        self.0.get_mut(position).map(|(_, value)| value)
    }

    /// For each value of `others` the position of the value here that has its name, most often the same one.
    pub(crate) fn positions_of(&self, others: &Self) -> Vec<Option<usize>> {
        let table = LazyCell::new(|| -> HashMap<&str, usize> {
            // The first one counts when a name stands twice.
            let names = self.0.iter().enumerate().rev();
            names.map(|(index, (name, _))| (&**name, index)).collect()
        });
        let positions = others.iter().enumerate().map(|(hint, (name, _))| {
            let is_there = self.0.get(hint).is_some_and(|(own, _)| own == name);
            if is_there { Some(hint) } else { table.get(name).copied() }
        });
        positions.collect()
    }

    /// Finds values by name. Its first argument is the position at which the value most often stands.
    pub(super) fn finder<'a>(&'a self) -> impl for<'b> Fn(usize, &'b str) -> Option<&'a DimensionValue> {
        let table = LazyCell::new(|| -> HashMap<&str, &DimensionValue> { self.iter().collect() });
        move |index, name| match self.0.get(index) {
            Some((candidate, value)) if candidate == name => Some(value),
            _ => table.get(name).copied(),
        }
    }

    pub(crate) fn sort_by_key(&mut self, key: impl Fn(&str) -> usize) {
        self.0.sort_by_key(|(name, _)| key(name));
    }

    /// All values in order.
    pub(crate) fn into_values(self) -> impl Iterator<Item = DimensionValue> {
        self.0.into_iter().map(|(_, value)| value)
    }

    pub(crate) fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut DimensionValue)> {
        self.0.iter_mut().map(|(name, value)| (&**name, value))
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

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor;

        impl<'de> Visitor<'de> for MapVisitor {
            type Value = Dimensions;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map from names to values")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Dimensions, A::Error> {
                read_map(map, ValueWithin(MAX_DEPTH))
            }
        }

        deserializer.deserialize_map(MapVisitor)
    }
}

fn read_map<'de, A: MapAccess<'de>>(mut map: A, within: ValueWithin) -> Result<Dimensions, A::Error> {
    let mut names = HashSet::new();
    let mut values = Dimensions::default();
    while let Some(name) = map.next_key::<String>()? {
        if !names.insert(name.clone()) {
            return Err(de::Error::custom(format_args!("`{name}` stands twice")));
        }
        let value = map.next_value_seed(within).map_err(named(&name))?;
        values.push(name, value);
    }
    Ok(values)
}
