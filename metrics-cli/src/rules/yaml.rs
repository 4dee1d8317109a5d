//! Files of rules, as Prometheus reads them. A text in JSON's quotes is YAML, too.

use std::fmt::Write as _;

/// Rules that Prometheus evaluates one after the other.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) interval: Option<String>,
    pub(super) rules: Vec<Rule>,
}

pub(super) enum Rule {
    Recording { name: String, expression: String },
    Alert(Alert),
}

pub(super) struct Alert {
    pub(super) name: String,
    pub(super) expression: String,
    /// How long the expression has a result before the alert fires.
    pub(super) hold: Option<String>,
    pub(super) labels: Vec<(&'static str, String)>,
    /// Templates.
    pub(super) summary: String,
    pub(super) description: String,
}

/// The text of a file with these groups.
pub(super) fn file(groups: &[Group]) -> String {
    let mut lines =
        Lines("# Written by `mvx-metrics rules`, which replaces what is changed here.\ngroups:\n".to_owned());
    for group in groups {
        lines.add("  - name", &group.name);
        if let Some(interval) = &group.interval {
            lines.add("    interval", interval);
        }
        lines.0.push_str("    rules:\n");
        for rule in &group.rules {
            lines.add_rule(rule);
        }
    }
    lines.0
}

struct Lines(String);

impl Lines {
    fn add(&mut self, key: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{key}: {}", scalar(value));
    }

    fn add_rule(&mut self, rule: &Rule) {
        match rule {
            Rule::Recording { name, expression } => {
                self.add("      - record", name);
                self.add("        expr", expression);
            }
            Rule::Alert(alert) => {
                self.add("      - alert", &alert.name);
                self.add("        expr", &alert.expression);
                if let Some(hold) = &alert.hold {
                    self.add("        for", hold);
                }
                self.0.push_str("        labels:\n");
                for (name, value) in &alert.labels {
                    self.add(&format!("          {name}"), value);
                }
                self.0.push_str("        annotations:\n");
                self.add("          summary", &alert.summary);
                self.add("          description", &alert.description);
            }
        }
    }
}

/// A text in quotes. Plain words have none, as people write them.
fn scalar(text: &str) -> String {
    let is_word = |text: &str| {
        let mut bytes = text.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    // Of these letters YAML makes booleans and the like.
    let is_plain = |text: &str| text.split(':').all(is_word) && text.len() > 5;
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            ' '..='~'
            | '\u{a0}'..='\u{2027}'
            | '\u{202a}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fefe}'
            | '\u{ff00}'..='\u{fffd}' => {
                quoted.push(character);
            }
            '\u{10000}'.. => quoted.push(character),
            // YAML has no other characters as they are.
            _ => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain_and_all_else_is_quoted() {
        assert_eq!(scalar("MvxMetricsEventsDropped"), "MvxMetricsEventsDropped");
        assert_eq!(scalar("namespace:orders_placed:rate5m"), "namespace:orders_placed:rate5m");
        for text in ["true", "null", "5m", "a: b", "", "a:", "mvx_metrics: x", "sum(x)", "_", "# x", "{x}"] {
            assert!(scalar(text).starts_with('"'), "{text}");
        }
    }

    #[test]
    fn characters_that_yaml_does_not_have_are_escaped() {
        assert_eq!(scalar("a\"b\\c\nd\te"), r#""a\"b\\c\nd\u0009e""#);
        assert_eq!(
            scalar("\0\u{7f}\u{85}\u{2028}\u{feff}\u{ffff}ü😀"),
            r#""\u0000\u007f\u0085\u2028\ufeff\uffffü😀""#
        );
    }
}
