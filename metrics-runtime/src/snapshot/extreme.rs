//! The smallest or the largest value, which may be unknown.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::output::{Output, SerializeOutput};
use crate::descriptor::MergeRule;
use crate::number::{Number, NumberType, finite};

/// The smallest or the largest of the recorded values.
///
/// An interval between two snapshots knows its counts and sums, and not its extremes: the largest value of an hour does not
/// tell the largest value of the last minute. Such an extreme is [`Unknown`](Self::Unknown). It serialises as `"unknown"`,
/// and stays unknown when it is merged. [`None`](Self::None) serialises as null.
///
/// An extreme compares with an `Option` of its value:
///
/// ```
/// use mvx_metrics::Extreme;
///
/// assert_eq!(Extreme::Known(7_u64), Some(7));
/// assert_eq!(Extreme::<u64>::None, None);
/// assert_ne!(Extreme::<u64>::Unknown, None);
/// assert_eq!(Extreme::Known(7_u64).known(), Some(7));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Extreme<T> {
    /// Nothing was recorded.
    #[default]
    None,
    /// The extreme.
    Known(T),
    /// Values were recorded, and the extreme is not known.
    Unknown,
}

impl<T> Extreme<T> {
    /// The extreme if it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::None | Self::Unknown => None,
        }
    }

    /// Whether values were recorded of which the extreme is not known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Converts the value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Extreme<U> {
        match self {
            Self::None => Extreme::None,
            Self::Known(value) => Extreme::Known(convert(value)),
            Self::Unknown => Extreme::Unknown,
        }
    }

    /// The extreme of the values of both: `replaces` tells whether its first argument is the more extreme one.
    pub(crate) fn merge(&mut self, other: Self, replaces: impl FnOnce(&T, &T) -> bool) {
        match (&*self, &other) {
            (Self::Unknown, _) | (_, Self::None) => {}
            (Self::None, _) | (_, Self::Unknown) => *self = other,
            (Self::Known(own), Self::Known(value)) => {
                if replaces(value, own) {
                    *self = other;
                }
            }
        }
    }

    /// The extreme of the values that came after `earlier`.
    pub(crate) fn since(self, earlier: &Self) -> Self {
        match (self, earlier) {
            (Self::None, _) => Self::None,
            (later, Self::None) => later,
            _ => Self::Unknown,
        }
    }
}

impl<T> From<Option<T>> for Extreme<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Self::Known)
    }
}

impl<T: PartialEq> PartialEq<Option<T>> for Extreme<T> {
    fn eq(&self, other: &Option<T>) -> bool {
        match (self, other) {
            (Self::None, None) => true,
            (Self::Known(value), Some(other)) => value == other,
            _ => false,
        }
    }
}

impl<T: Output> Output for Extreme<T> {
    const NUMBER: Option<NumberType> = T::NUMBER;

    fn merge_by_rule(&mut self, other: &Self, rule: MergeRule) -> bool {
        match (&mut *self, other) {
            (Self::Unknown, _) | (_, Self::None) => true,
            (Self::None, _) | (_, Self::Unknown) => {
                self.clone_from(other);
                true
            }
            (Self::Known(own), Self::Known(other)) => own.merge_by_rule(other, rule),
        }
    }
}

/// What an unknown extreme serialises as.
pub(super) const UNKNOWN: &str = "unknown";

impl<T: Output> Serialize for Extreme<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            Self::Known(value) => SerializeOutput(value).serialize(serializer),
            Self::Unknown => serializer.serialize_str(UNKNOWN),
        }
    }
}

impl<'de, T: Output> Deserialize<'de> for Extreme<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ExtremeVisitor;

        impl Visitor<'_> for ExtremeVisitor {
            type Value = Extreme<Number>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, null or \"unknown\"")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Extreme::None)
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(Extreme::None)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Extreme::Known(Number::Unsigned(number)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Extreme::Known(Number::Signed(number)))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                finite(number).map(|number| Extreme::Known(Number::Float(number)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                if text == UNKNOWN {
                    return Ok(Extreme::Unknown);
                }
                let duration = crate::number::TimeUnit::current().parse(text);
                let known = duration.map(|duration| Extreme::Known(Number::Duration(duration)));
                known.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        let extreme = deserializer.deserialize_any(ExtremeVisitor)?;
        // The number's own type reads it: it knows which numbers fit.
        let typed = |number: Number| T::deserialize_output(super::value::NumberDeserializer::new(number));
        Ok(match extreme {
            Extreme::None => Self::None,
            Extreme::Known(number) => Self::Known(typed(number)?),
            Extreme::Unknown => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Extreme::{self, Known, None, Unknown};

    const ALL: [Extreme<u64>; 4] = [None, Known(3), Known(7), Unknown];

    fn merged(mut one: Extreme<u64>, other: Extreme<u64>) -> Extreme<u64> {
        one.merge(other, |new, old| new > old);
        one
    }

    #[test]
    fn st3_merging_is_a_full_table() {
        let table = ALL.map(|one| ALL.map(|other| merged(one, other)));
        let expected = [
            [None, Known(3), Known(7), Unknown],
            [Known(3), Known(3), Known(7), Unknown],
            [Known(7), Known(7), Known(7), Unknown],
            [Unknown, Unknown, Unknown, Unknown],
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn st4_the_extreme_of_an_interval_is_a_full_table() {
        let table = ALL.map(|later| ALL.map(|earlier| later.since(&earlier)));
        let expected = [
            [None, None, None, None],
            [Known(3), Unknown, Unknown, Unknown],
            [Known(7), Unknown, Unknown, Unknown],
            [Unknown, Unknown, Unknown, Unknown],
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn st1_each_extreme_comes_back_from_json() {
        for extreme in ALL {
            let json = serde_json::to_string(&extreme).expect("it is written");
            assert_eq!(serde_json::from_str::<Extreme<u64>>(&json).expect("it is read"), extreme, "{json}");
        }
        for wrong in ["\"none\"", "-1", "0.5", "true", "[3]", "{}"] {
            assert!(serde_json::from_str::<Extreme<u64>>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_extreme_compares_with_an_option() {
        let options = [Option::None, Some(3), Some(7)];
        let table = ALL.map(|extreme| options.map(|option| extreme == option));
        assert_eq!(table, [[true, false, false], [false, true, false], [false, false, true], [false; 3]]);
        assert_eq!(ALL.map(Extreme::known), [Option::None, Some(3), Some(7), Option::None]);
        assert_eq!(options.map(Extreme::from), [None, Known(3), Known(7)]);
    }
}
