//! The names of families and labels.

use std::borrow::Cow;

use super::family_type::FamilyType;

/// The labels that the library gives to every series.
pub(super) const NAMESPACE: &str = "namespace";
pub(super) const ENTITY_ID: &str = "entity_id";

/// The name of the family of a dimension, without the suffix `_total` of the samples of a counter.
///
/// First removes the unit and `_total` from the end, however often and in whatever order they were declared; then appends the
/// unit once.
pub(super) fn family_name(metric: &str, dimension: &str, unit: Option<&str>, family: FamilyType) -> String {
    let mut name = String::with_capacity(metric.len() + dimension.len() + 16);
    push_identifier(&mut name, metric);
    if !dimension.is_empty() {
        name.push('_');
        name.extend(dimension.chars().map(to_allowed));
    }
    let unit = unit.map(|unit| format!("_{unit}"));
    loop {
        let shorter = strip(&name, "_total").or_else(|| strip(&name, unit.as_deref()?));
        let Some(shorter) = shorter.map(str::len) else { break };
        name.truncate(shorter);
        if family != FamilyType::Counter {
            // For other types than counters `_total` is removed from the end only: before the unit it is part of the name.
            while let Some(shorter) = unit.as_deref().and_then(|unit| strip(&name, unit)).map(str::len) {
                name.truncate(shorter);
            }
            break;
        }
    }
    name.push_str(unit.as_deref().unwrap_or_default());
    name
}

/// The name without its suffix; `None` when nothing else would be left.
fn strip<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    name.strip_suffix(suffix).filter(|rest| !rest.is_empty())
}

/// A unit as it is spelled in a name; `None` when no allowed character is left.
pub(super) fn unit(unit: &str) -> Option<String> {
    let spelled = unit.trim().replace('%', "percent").replace('/', "_per_");
    let spelled: String = spelled.chars().map(to_allowed).collect();
    let mut spelled = spelled.trim_matches('_');
    // Only counters end in `_total`, and they get it anyway.
    while let Some(rest) = spelled.strip_suffix("_total") {
        spelled = rest.trim_end_matches('_');
    }
    (!spelled.is_empty() && spelled != "total").then(|| spelled.to_owned())
}

/// The names of the labels of a breakdown. All differ, and none is reserved by the library, by Prometheus or by a constant label.
pub(super) fn label_names(declared: &[Cow<'static, str>], parts: usize, reserved: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(parts);
    for part in 0..parts {
        let mut name = String::new();
        match declared.get(part) {
            Some(declared) if !declared.is_empty() => push_identifier(&mut name, declared),
            _ => name.push_str("label"),
        }
        let is_used = |name: &String| is_reserved(name) || reserved.contains(name);
        if is_used(&name) {
            name.insert_str(0, "exported_");
        }
        let mut unique = name.clone();
        let mut number = 1;
        while is_used(&unique) || names.contains(&unique) {
            number += 1;
            unique = format!("{name}_{number}");
        }
        names.push(unique);
    }
    names
}

/// Whether the library or Prometheus uses the name of a label itself.
pub(super) fn is_reserved(label: &str) -> bool {
    label.starts_with("__") || [NAMESPACE, ENTITY_ID, "le", "quantile"].contains(&label)
}

/// The names of a metric and a dimension as one, without unit and suffix.
pub(super) fn joined(metric: &str, dimension: &str) -> String {
    family_name(metric, dimension, None, FamilyType::Unknown)
}

fn push_identifier(name: &mut String, text: &str) {
    if text.is_empty() || text.starts_with(|first: char| first.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(text.chars().map(to_allowed));
}

fn to_allowed(character: char) -> char {
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
    fn total_and_unit_appear_once_in_whatever_order_they_are_declared() {
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
    fn names_have_allowed_characters_only() {
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
    fn label_names_differ_and_are_not_reserved() {
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
        assert_eq!(label_names(&declared, 8, &[]), expected);
    }

    #[test]
    fn prefixed_and_numbered_label_names_differ_from_constant_labels() {
        let declared = ["namespace", "kind", "kind", "kind"].map(Cow::Borrowed);
        let constant = ["exported_namespace", "kind_2"].map(str::to_owned);
        let expected = ["exported_namespace_2", "kind", "kind_3", "kind_4"];
        assert_eq!(label_names(&declared, 4, &constant), expected);
    }
}
