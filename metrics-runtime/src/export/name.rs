//! How metrics, dimensions, units and labels are called in an exposition.

use std::borrow::Cow;

use super::family::FamilyType;

/// What every series is labelled with, whatever labels its breakdown has.
pub(super) const NAMESPACE: &str = "namespace";
pub(super) const ENTITY_ID: &str = "entity_id";

/// The name of the family of a dimension, without the `_total` that the samples of counters have in addition.
///
/// Unit and `_total` are taken off first, however often and in whichever order they were declared.
pub(super) fn family_name(metric: &str, dimension: &str, unit: Option<&str>, family: FamilyType) -> String {
    let mut name = String::with_capacity(metric.len() + dimension.len() + 16);
    push_identifier(&mut name, metric);
    if !dimension.is_empty() {
        name.push('_');
        name.extend(dimension.chars().map(allowed));
    }
    let unit = unit.map(|unit| format!("_{unit}"));
    loop {
        let shorter = without(&name, "_total").or_else(|| without(&name, unit.as_deref()?));
        let Some(shorter) = shorter.map(str::len) else { break };
        name.truncate(shorter);
        if family != FamilyType::Counter {
            // Only a counter has `_total` at the end; before the unit of a gauge the word means something else.
            while let Some(shorter) = unit.as_deref().and_then(|unit| without(&name, unit)).map(str::len) {
                name.truncate(shorter);
            }
            break;
        }
    }
    name.push_str(unit.as_deref().unwrap_or_default());
    name
}

fn without<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    name.strip_suffix(suffix).filter(|rest| !rest.is_empty())
}

/// A unit as it stands in a name; `None` when nothing is left of it.
pub(super) fn unit(unit: &str) -> Option<String> {
    let spelled = unit.trim().replace('%', "percent").replace('/', "_per_");
    let spelled: String = spelled.chars().map(allowed).collect();
    let mut spelled = spelled.trim_matches('_');
    // The word is for counters, which get it anyway.
    while let Some(rest) = spelled.strip_suffix("_total") {
        spelled = rest.trim_end_matches('_');
    }
    (!spelled.is_empty() && spelled != "total").then(|| spelled.to_owned())
}

/// The names of the labels of a breakdown, each different and none of those that have a meaning of their own.
pub(super) fn label_names(declared: &[Cow<'static, str>], parts: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(parts);
    for part in 0..parts {
        let mut name = String::new();
        match declared.get(part) {
            Some(declared) if !declared.is_empty() => push_identifier(&mut name, declared),
            _ => name.push_str("label"),
        }
        if name.starts_with("__") || [NAMESPACE, ENTITY_ID, "le", "quantile"].contains(&name.as_str()) {
            name.insert_str(0, "exported_");
        }
        let mut unique = name.clone();
        let mut number = 1;
        while names.contains(&unique) {
            number += 1;
            unique = format!("{name}_{number}");
        }
        names.push(unique);
    }
    names
}

fn push_identifier(name: &mut String, text: &str) {
    if text.is_empty() || text.starts_with(|first: char| first.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(text.chars().map(allowed));
}

fn allowed(character: char) -> char {
    if character.is_ascii_alphanumeric() { character } else { '_' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(metric: &str, dimension: &str, unit: Option<&str>) -> String {
        family_name(metric, dimension, unit, FamilyType::Counter)
    }

    fn gauge(metric: &str, dimension: &str, unit: Option<&str>) -> String {
        family_name(metric, dimension, unit, FamilyType::Gauge)
    }

    #[test]
    fn total_and_unit_stand_once_whatever_was_declared() {
        for dimension in
            ["read", "read_total", "read_bytes", "read_bytes_total", "read_total_bytes", "read.bytes"]
        {
            assert_eq!(counter("disk.io", dimension, Some("bytes")), "disk_io_read_bytes", "{dimension}");
        }
        assert_eq!(counter("disk.io", "total", None), "disk_io");
        assert_eq!(counter("disk.io.total", "total", None), "disk_io");
        assert_eq!(counter("total", "total", None), "total");
    }

    #[test]
    fn a_gauge_never_ends_in_total() {
        assert_eq!(gauge("memory", "total", None), "memory");
        assert_eq!(gauge("memory", "total", Some("bytes")), "memory_bytes");
        assert_eq!(gauge("memory", "used_bytes_total", Some("bytes")), "memory_used_bytes");
        assert_eq!(gauge("memory", "total_bytes", Some("bytes")), "memory_total_bytes");
        assert_eq!(gauge("memory", "used_bytes_bytes", Some("bytes")), "memory_used_bytes");
    }

    #[test]
    fn names_are_made_of_what_is_allowed() {
        assert_eq!(gauge("9 lives", "größe:x", None), "_9_lives_gr__e_x");
        assert_eq!(gauge("", "a", None), "__a");
        assert_eq!(unit("bytes/s").as_deref(), Some("bytes_per_s"));
        assert_eq!(unit("%").as_deref(), Some("percent"));
        assert_eq!(unit(" € "), None);
        assert_eq!(unit("total"), None);
        assert_eq!(unit("bytes_total").as_deref(), Some("bytes"));
        assert_eq!(unit("total_total"), None);
    }

    #[test]
    fn label_names_are_different_and_keep_off_what_is_taken() {
        let declared = ["namespace", "kind", "kind", "", "le", "__name__", "9"].map(Cow::Borrowed);
        let expected = [
            "exported_namespace",
            "kind",
            "kind_2",
            "label",
            "exported_le",
            "exported___name__",
            "_9",
            "label_2",
        ];
        assert_eq!(label_names(&declared, 8), expected);
    }
}
