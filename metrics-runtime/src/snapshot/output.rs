//! Outputs: the types of the fields of typed snapshots.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::descriptor::MergeRule;
use crate::number::{Arithmetic, Number, NumberType, deserialize_duration, finite, serialize_duration};

/// The type of a dimension's field in the typed snapshot.
///
/// An output serialises as its type does, but a [`Duration`] serialises as seconds, or in the `unit` of
/// its field. A type of your own becomes an output with
/// an empty implementation:
///
/// ```
/// use mvx_metrics::Output;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// struct Spread {
///     low: f64,
///     high: f64,
/// }
///
/// impl Output for Spread {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of a dimension: write `impl Output for {Self} {{}}`",
    label = "not an output",
    note = "an output is `Debug + Clone + PartialEq + Serialize + DeserializeOwned`"
)]
pub trait Output: fmt::Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// The type of the numbers in the output, if it is one of the four.
    #[doc(hidden)]
    const NUMBER: Option<NumberType> = None;

    /// Serialises the output as part of a snapshot.
    ///
    /// # Errors
    ///
    /// The serialiser's errors.
    fn serialize_output<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    /// Deserialises the form that [`serialize_output`](Output::serialize_output) writes.
    ///
    /// # Errors
    ///
    /// The deserialiser's errors.
    fn deserialize_output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    /// Merges by the option `merge` of a field. Returns `false`, and changes nothing, when the type knows no such rule.
    #[doc(hidden)]
    fn merge_by_rule(&mut self, other: &Self, rule: MergeRule) -> bool {
        let _ = (other, rule);
        false
    }
}

impl Output for bool {}
impl Output for String {}
impl Output for Number {}

macro_rules! integers {
    ($($number:ty => $type:ident;)*) => {
        $(impl Output for $number {
            const NUMBER: Option<NumberType> = Some(NumberType::$type);

            fn merge_by_rule(&mut self, other: &Self, rule: MergeRule) -> bool {
                combine(rule, self, other)
            }
        })*
    };
}

integers! {
    u64 => Unsigned;
    i64 => Signed;
}

impl Output for f64 {
    const NUMBER: Option<NumberType> = Some(NumberType::Float);

    fn deserialize_output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).and_then(finite)
    }

    fn merge_by_rule(&mut self, other: &Self, rule: MergeRule) -> bool {
        combine(rule, self, other)
    }
}

impl Output for Duration {
    const NUMBER: Option<NumberType> = Some(NumberType::Duration);

    fn serialize_output<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_duration(*self, serializer)
    }

    fn deserialize_output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_duration(deserializer)
    }

    fn merge_by_rule(&mut self, other: &Self, rule: MergeRule) -> bool {
        combine(rule, self, other)
    }
}

/// Combines two numbers. Returns `false` when the rule is not about numbers.
pub(crate) fn combine<T: Arithmetic>(rule: MergeRule, into: &mut T, other: &T) -> bool {
    match rule {
        MergeRule::Sum => *into = into.plus(*other),
        MergeRule::Min if other < into => *into = *other,
        MergeRule::Max if other > into => *into = *other,
        MergeRule::Min | MergeRule::Max => {}
        MergeRule::Union | MergeRule::Own => return false,
    }
    true
}

impl<R: Output> Output for Option<R> {
    const NUMBER: Option<NumberType> = R::NUMBER;

    fn serialize_output<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(output) => serializer.serialize_some(&SerializeOutput(output)),
            None => serializer.serialize_none(),
        }
    }

    fn deserialize_output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Optional<R>(std::marker::PhantomData<R>);

        impl<'de, R: Output> Visitor<'de> for Optional<R> {
            type Value = Option<R>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value or null")
            }

            fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                R::deserialize_output(deserializer).map(Some)
            }
        }

        deserializer.deserialize_option(Optional(std::marker::PhantomData))
    }

    fn merge_by_rule(&mut self, other: &Self, rule: MergeRule) -> bool {
        match (&mut *self, other) {
            (_, None) => true,
            (None, _) => {
                self.clone_from(other);
                true
            }
            (Some(own), Some(other)) => own.merge_by_rule(other, rule),
        }
    }
}

/// An error about a named value, with the name in front.
pub(crate) fn named<E: de::Error>(name: &str) -> impl FnOnce(E) -> E {
    move |error| E::custom(format_args!("`{name}`: {error}"))
}

/// Serialises with [`Output::serialize_output`].
pub(crate) struct SerializeOutput<'a, R>(pub(crate) &'a R);

impl<R: Output> Serialize for SerializeOutput<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_output(serializer)
    }
}

/// Deserialises with [`Output::deserialize_output`].
pub(crate) struct DeserializeOutput<R>(pub(crate) R);

impl<'de, R: Output> serde::Deserialize<'de> for DeserializeOutput<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        R::deserialize_output(deserializer).map(DeserializeOutput)
    }
}
