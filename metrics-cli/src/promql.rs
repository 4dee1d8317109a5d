//! Expressions for Prometheus, with names and texts that a catalogue may have.

use std::fmt::Write as _;

/// Which series a generated file asks for, and over how long a time.
pub(crate) struct Selection {
    /// The label with the namespace.
    pub(crate) namespace: String,
    /// A matcher for all series; empty for none.
    pub(crate) filter: String,
    /// The range of rates.
    pub(crate) window: String,
}

impl Selection {
    /// The series of a name, with a further matcher unless it is empty.
    pub(crate) fn series(&self, name: &str, matcher: &str) -> String {
        let matchers = [&*self.filter, matcher].into_iter().filter(|matcher| !matcher.is_empty());
        let mut matchers: Vec<String> = matchers.map(str::to_owned).collect();
        if is_keyword(name) {
            matchers.insert(0, format!("__name__={}", quoted(name)));
            return format!("{{{}}}", matchers.join(","));
        }
        if matchers.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", matchers.join(",")) }
    }

    /// The rate of each series of a name.
    pub(crate) fn rate(&self, name: &str, matcher: &str) -> String {
        format!("rate({}[{}])", self.series(name, matcher), self.window)
    }

    /// The sum of rates, by labels.
    pub(crate) fn sum_of_rates(&self, labels: &[&str], name: &str, matcher: &str) -> String {
        aggregate("sum", labels, &self.rate(name, matcher))
    }

    /// The mean of what a summary or a histogram has recorded within the window. Without new values it has no result.
    pub(crate) fn mean(&self, labels: &[&str], family: &str) -> String {
        let sum = self.sum_of_rates(labels, &format!("{family}_sum"), "");
        let count = self.sum_of_rates(labels, &format!("{family}_count"), "");
        format!("{sum} / ({count} > 0)")
    }

    /// How many values a histogram has recorded, as a rate. Other than `_count`, the last bucket is there whatever the values are: in
    /// OpenMetrics a histogram with values below zero has no `_count` and no `_sum`.
    pub(crate) fn count_of_histogram(&self, labels: &[&str], family: &str) -> String {
        self.sum_of_rates(labels, &format!("{family}_bucket"), ALL_VALUES)
    }

    /// A quantile of what a histogram has recorded within the window.
    pub(crate) fn quantile(&self, quantile: &str, labels: &[&str], family: &str) -> String {
        let mut by = vec!["le"];
        by.extend(labels);
        let buckets = self.sum_of_rates(&by, &format!("{family}_bucket"), "");
        format!("histogram_quantile({quantile}, {buckets})")
    }
}

/// The quantiles of distributions: as queries have them, and as names have them.
pub(crate) const QUANTILES: [(&str, &str); 3] = [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")];

/// The bucket with all values of a histogram.
pub(crate) const ALL_VALUES: &str = "le=\"+Inf\"";

/// Aggregates an expression by labels.
pub(crate) fn aggregate(operation: &str, labels: &[&str], expression: &str) -> String {
    // No query can group by these: Prometheus reads them as numbers.
    let is_number = |label: &str| ["inf", "nan"].iter().any(|word| label.eq_ignore_ascii_case(word));
    let labels: Vec<&str> = labels.iter().copied().filter(|label| !is_number(label)).collect();
    if labels.is_empty() {
        return format!("{operation}({expression})");
    }
    format!("{operation} by ({}) ({expression})", labels.join(", "))
}

/// A matcher for a label with one of some values.
pub(crate) fn matcher(label: &str, values: &[&str]) -> String {
    match values {
        [value] => format!("{label}={}", quoted(value)),
        values => {
            let values: Vec<String> = values.iter().map(|value| regex_of(value)).collect();
            format!("{label}=~{}", quoted(&values.join("|")))
        }
    }
}

/// Whether a text can stand in a query as the name of a series or a label.
pub(crate) fn is_identifier(name: &str) -> bool {
    let is_allowed = |character: char| character == '_' || character.is_ascii_alphanumeric();
    name.chars().all(is_allowed)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
}

/// A valid name of a label.
pub(crate) fn label_name(text: &str) -> Result<String, &'static str> {
    is_identifier(text).then(|| text.to_owned()).ok_or("a label has ASCII letters, digits and `_`")
}

/// Whether Prometheus would read the name of a series as something else.
fn is_keyword(name: &str) -> bool {
    let words = ["atan2", "bool", "group_left", "group_right", "ignoring", "inf", "nan", "on"];
    words.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// A text in quotes. Grafana finds no variable in it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // The beginnings of Grafana's variables.
            '$' => quoted.push_str("\\x24"),
            '[' => quoted.push_str("\\x5b"),
            '\0'..' ' | '\x7f' => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\x{:02x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// A regular expression for a text alone.
fn regex_of(text: &str) -> String {
    let mut expression = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            expression.push('\\');
        }
        expression.push(character);
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(filter: &str) -> Selection {
        Selection { namespace: "namespace".into(), filter: filter.into(), window: "5m".into() }
    }

    #[test]
    fn matchers_are_joined() {
        let filtered = selection("namespace=~\"$namespace\"");
        assert_eq!(filtered.series("a", "b=\"c\""), "a{namespace=~\"$namespace\",b=\"c\"}");
        assert_eq!(filtered.series("a", ""), "a{namespace=~\"$namespace\"}");
        assert_eq!(selection("").series("a", ""), "a");
    }

    #[test]
    fn a_name_that_is_a_keyword_stands_in_a_matcher() {
        assert_eq!(selection("").series("on", ""), "{__name__=\"on\"}");
        assert_eq!(selection("").series("Inf", "a=\"b\""), "{__name__=\"Inf\",a=\"b\"}");
        assert_eq!(aggregate("sum", &["nan"], "x"), "sum(x)");
    }

    #[test]
    fn values_are_texts_and_no_patterns() {
        assert_eq!(matcher("a", &["x\"\\\n$y[["]), r#"a="x\"\\\x0a\x24y\x5b\x5b""#);
        assert_eq!(matcher("a", &["x|y", "."]), r#"a=~"x\\|y|\\.""#);
    }

    #[test]
    fn an_identifier_has_allowed_characters_alone() {
        for name in ["a", "_9", "Ab_c"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "9", "a b", "é", "a:b", "a\n"] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
