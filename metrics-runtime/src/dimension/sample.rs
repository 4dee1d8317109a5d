//! Samples: the form of the values of users' own dimensions, for breakdowns without labels, which have no value yet.

use std::any::Any;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

use super::Dimension;
use crate::snapshot::DeserializeOutput;

/// The value of an output of this type in which all numbers are 0, all texts and lists empty, and all options `None`. It has the names
/// of the output's fields. `None` for a type that reads itself from no such input.
///
/// No dimension is made for it: there may be no `Default`, and the descriptor of a breakdown knows none.
pub(super) fn sample_of<D: Dimension>() -> Option<Box<dyn Any>> {
    let output = DeserializeOutput::<D::Output>::deserialize(Zero { levels: MAX_LEVELS }).ok()?;
    Some(Box::new(D::value(output.0)))
}

/// An enum may contain itself in its first variant.
const MAX_LEVELS: usize = 64;

/// Whatever is asked for, it is zero or empty.
#[derive(Clone, Copy)]
struct Zero {
    levels: usize,
}

impl Zero {
    fn inner(self) -> Result<Self, de::value::Error> {
        let levels = self.levels.checked_sub(1);
        levels.map(|levels| Self { levels }).ok_or_else(|| de::Error::custom("too many levels"))
    }
}

macro_rules! visit {
    ($($method:ident => $visit:ident($($zero:expr)?);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            visitor.$visit($($zero)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Zero {
    type Error = de::value::Error;

    visit! {
        deserialize_any => visit_unit();
        deserialize_ignored_any => visit_unit();
        deserialize_unit => visit_unit();
        deserialize_option => visit_none();
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i8(0);
        deserialize_i16 => visit_i16(0);
        deserialize_i32 => visit_i32(0);
        deserialize_i64 => visit_i64(0);
        deserialize_i128 => visit_i128(0);
        deserialize_u8 => visit_u8(0);
        deserialize_u16 => visit_u16(0);
        deserialize_u32 => visit_u32(0);
        deserialize_u64 => visit_u64(0);
        deserialize_u128 => visit_u128(0);
        deserialize_f32 => visit_f32(0.0);
        deserialize_f64 => visit_f64(0.0);
        deserialize_char => visit_char('0');
        deserialize_str => visit_str("");
        deserialize_string => visit_str("");
        deserialize_identifier => visit_str("");
        deserialize_bytes => visit_bytes(&[]);
        deserialize_byte_buf => visit_bytes(&[]);
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self.inner()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_seq(Zeros { left: 0, zero: self })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_seq(Zeros { left: len, zero: self.inner()? })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(ZeroFields { names: [].iter(), zero: self })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_map(ZeroFields { names: fields.iter(), zero: self.inner()? })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let variant = variants.first().ok_or_else(|| de::Error::custom("it has no variants"))?;
        visitor.visit_enum(ZeroVariant { variant, zero: self.inner()? })
    }
}

/// Some zeros in a row.
struct Zeros {
    left: usize,
    zero: Zero,
}

impl<'de> de::SeqAccess<'de> for Zeros {
    type Error = de::value::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Self::Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.zero).map(Some)
    }
}

/// The fields of a struct.
struct ZeroFields {
    names: std::slice::Iter<'static, &'static str>,
    zero: Zero,
}

impl<'de> de::MapAccess<'de> for ZeroFields {
    type Error = de::value::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        self.names.next().map(|name| seed.deserialize((*name).into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        seed.deserialize(self.zero)
    }
}

/// The first variant of an enum.
struct ZeroVariant {
    variant: &'static str,
    zero: Zero,
}

impl<'de> de::EnumAccess<'de> for ZeroVariant {
    type Error = de::value::Error;
    type Variant = Zero;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Zero), Self::Error> {
        Ok((seed.deserialize(self.variant.into_deserializer())?, self.zero))
    }
}

impl<'de> de::VariantAccess<'de> for Zero {
    type Error = de::value::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_struct("", fields, visitor)
    }
}
