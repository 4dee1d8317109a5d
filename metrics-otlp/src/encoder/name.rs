//! The names of metrics and of attributes.
//!
//! The syntax of names is that of instruments:
//! <https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-name-syntax>.

use std::borrow::Cow;

/// How many characters a name may have.
const MAX_NAME_LENGTH: usize = 255;

/// The attribute of the recorders' namespace.
pub(super) const NAMESPACE: &str = "namespace";
/// The attribute of the measured entity.
pub(super) const ENTITY_ID: &str = "entity_id";
/// The attribute of the quantiles of a window.
pub(super) const QUANTILE: &str = "quantile";

/// The keys that no label of a breakdown has.
const RESERVED: [&str; 3] = [NAMESPACE, ENTITY_ID, QUANTILE];

/// The name of a dimension: that of its metric and its own, with a dot between them.
///
/// Other characters than those of the syntax become `_`. A name that does not begin with a letter gets `metric_` in front. A name
/// that is too long loses its end.
pub(super) fn of_dimension(metric: &str, dimension: &str) -> String {
    let mut name = String::with_capacity(metric.len() + dimension.len() + 1);
    if !metric.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name.push_str("metric_");
    }
    name.extend(metric.chars().map(to_allowed));
    if !dimension.is_empty() {
        name.push('.');
        name.extend(dimension.chars().map(to_allowed));
    }
    // All characters have one byte.
    name.truncate(MAX_NAME_LENGTH);
    name
}

fn to_allowed(character: char) -> char {
    let is_allowed = character.is_ascii_alphanumeric() || ['_', '.', '-', '/'].contains(&character);
    if is_allowed { character } else { '_' }
}

/// The keys of a breakdown's labels, which all differ: names as they are declared. A name that the encoder uses itself gets the
/// prefix `exported_`, a repeated one a number, and a missing one is `label`.
pub(super) fn label_keys(declared: &[Cow<'static, str>], parts: usize) -> Vec<String> {
    let mut keys: Vec<String> = Vec::with_capacity(parts);
    for part in 0..parts {
        let name = declared.get(part).map(|name| &**name).filter(|name| !name.is_empty());
        let name = name.unwrap_or("label");
        let name = if RESERVED.contains(&name) { format!("exported_{name}") } else { name.to_owned() };
        let (mut key, mut number) = (name.clone(), 1);
        while keys.contains(&key) {
            number += 1;
            key = format!("{name}_{number}");
        }
        keys.push(key);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_characters_and_the_length_of_the_syntax() {
        assert_eq!(of_dimension("http", "requests"), "http.requests");
        assert_eq!(of_dimension("http.server", "in-flight/now"), "http.server.in-flight/now");
        assert_eq!(of_dimension("http", ""), "http");
        assert_eq!(of_dimension("größe x", "\0a"), "gr__e_x._a");
        assert_eq!(of_dimension("9 lives", "left"), "metric_9_lives.left");
        assert_eq!(
            (of_dimension("", ""), of_dimension("", "a")),
            ("metric_".to_owned(), "metric_.a".to_owned())
        );
        assert_eq!(of_dimension(&"ü".repeat(10_000), "a").len(), 255);
    }

    #[test]
    fn keys_of_labels_differ_and_are_not_those_of_the_encoder() {
        let declared = ["namespace", "kind", "kind", "", "entity_id", "exported_entity_id", "quantile"];
        let expected = [
            "exported_namespace",
            "kind",
            "kind_2",
            "label",
            "exported_entity_id",
            "exported_entity_id_2",
            "exported_quantile",
            "label_2",
        ];
        assert_eq!(label_keys(&declared.map(Cow::Borrowed), 8), expected);
    }
}
