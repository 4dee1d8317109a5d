//! The constant labels of a process, and which names labels may have.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// The names of the labels that the text gives to every series, unless its options say otherwise.
pub(crate) const NAMESPACE: &str = "namespace";
pub(crate) const ENTITY_ID: &str = "entity_id";

/// Labels of everything that a process measures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct ConstantLabels(BTreeMap<String, String>);

impl ConstantLabels {
    /// Adds a label. The error names the mistake in its name.
    pub(crate) fn insert(&mut self, name: String, value: String) -> Result<(), &'static str> {
        check_label_name(&name)?;
        if is_reserved(&name) || [NAMESPACE, ENTITY_ID].contains(&&*name) {
            return Err(RESERVED);
        }
        if self.0.contains_key(&name) {
            return Err(REPEATED);
        }
        self.0.insert(name, value);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Keeps the labels that `other` has too, with the same values.
    pub(crate) fn retain_common(&mut self, other: &Self) {
        self.0.retain(|name, value| other.0.get(name) == Some(value));
    }
}

/// A name that the library uses itself is a problem.
pub(crate) const RESERVED: &str = "must have a name that the library does not use itself";
/// A name that stands twice is a problem.
pub(crate) const REPEATED: &str = "must have a name of its own";

/// Checks the characters of a label's name. The error names the mistake.
pub(crate) fn check_label_name(name: &str) -> Result<(), &'static str> {
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if begins && characters.all(|other| other.is_ascii_alphanumeric() || other == '_') {
        return Ok(());
    }
    Err("must have letters, digits and `_` only, and begin with no digit")
}

/// Whether Prometheus uses the name of a label itself.
pub(crate) fn is_reserved(label: &str) -> bool {
    label.starts_with("__") || ["le", "quantile"].contains(&label)
}

impl<'de> Deserialize<'de> for ConstantLabels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LabelsVisitor)
    }
}

struct LabelsVisitor;

impl<'de> de::Visitor<'de> for LabelsVisitor {
    type Value = ConstantLabels;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("labels by name")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<ConstantLabels, A::Error> {
        let mut labels = ConstantLabels::default();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            let text = name.clone();
            labels
                .insert(name, value)
                .map_err(|problem| de::Error::custom(format_args!("the label `{text}` {problem}")))?;
        }
        Ok(labels)
    }
}
