//! Outputs: the types of the fields of typed snapshots.

use std::fmt;
use std::time::Duration;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// The type of a dimension's field in the typed snapshot.
///
/// An output serialises as its type does, but a [`Duration`] serialises as seconds (`f64`). A type of your own becomes an
/// output with an empty implementation:
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
}

impl Output for u64 {}
impl Output for i64 {}
impl Output for f64 {}
impl Output for bool {}
impl Output for String {}

impl Output for Duration {
    fn serialize_output<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_secs_f64())
    }

    fn deserialize_output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize_output(deserializer)?;
        if seconds >= 0.0 {
            Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
        } else {
            Err(de::Error::invalid_value(de::Unexpected::Float(seconds), &"seconds, zero or more"))
        }
    }
}

impl<R: Output> Output for Option<R> {
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
