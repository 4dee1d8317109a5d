//! The names of families and labels.

use std::borrow::Cow;

use super::family_type::FamilyType;
use crate::totals::is_reserved;

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

/// The names of the labels that series have beside those of a breakdown, and the names that Prometheus uses itself.
#[derive(Default)]
pub(super) struct UsedNames(Vec<String>);

impl UsedNames {
    pub(super) fn extend<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.0.extend(names.into_iter().map(str::to_owned));
    }

    fn contains(&self, name: &str) -> bool {
        is_reserved(name) || self.0.iter().any(|used| used == name)
    }

    /// An unused name instead of a used one.
    pub(super) fn prefixed(&self, name: &str) -> String {
        numbered(&format!("exported_{name}"), |name| self.contains(name))
    }
}

/// The names of the labels of a breakdown. All differ, and none is used.
pub(super) fn label_names(declared: &[Cow<'static, str>], parts: usize, used: &UsedNames) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(parts);
    for part in 0..parts {
        let mut name = String::new();
        match declared.get(part) {
            Some(declared) if !declared.is_empty() => push_identifier(&mut name, declared),
            _ => name.push_str("label"),
        }
        if used.contains(&name) {
            name.insert_str(0, "exported_");
        }
        let unique = numbered(&name, |name| used.contains(name) || names.iter().any(|other| other == name));
        names.push(unique);
    }
    names
}

/// The name, with a number at its end if it is taken.
fn numbered(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut unique = name.to_owned();
    let mut number = 1;
    while is_taken(&unique) {
        number += 1;
        unique = format!("{name}_{number}");
    }
    unique
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

    fn used(names: &[&str]) -> UsedNames {
        let mut used = UsedNames::default();
        used.extend(names.iter().copied());
        used
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
        assert_eq!(label_names(&declared, 8, &used(&["namespace", "entity_id"])), expected);
    }

    #[test]
    fn prefixed_and_numbered_label_names_differ_from_constant_labels() {
        let declared = ["namespace", "kind", "kind", "kind"].map(Cow::Borrowed);
        let used = used(&["namespace", "exported_namespace", "kind_2"]);
        let expected = ["exported_namespace_2", "kind", "kind_3", "kind_4"];
        assert_eq!(label_names(&declared, 4, &used), expected);
    }
}
