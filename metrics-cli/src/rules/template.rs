//! Annotations of alerts: Prometheus expands them as Go templates.

/// A text without meaning for the template.
pub(super) fn literal(text: &str) -> String {
    // Two braces begin an action. One of them may be the last character before an action.
    text.replace('{', "{{ \"{\" }}")
}

/// The value of a label of the alert.
pub(super) fn label(name: &str) -> String {
    format!("{{{{ $labels.{name} }}}}")
}

/// What the expression resulted in.
pub(super) const VALUE: &str = "{{ $value | humanize }}";
/// The same for a part of all.
pub(super) const PERCENTAGE: &str = "{{ $value | humanizePercentage }}";

/// A help text in one line, and not too long for a message.
pub(super) fn help(text: &str) -> String {
    const MAX_HELP: usize = 500;
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let mut characters = text.chars();
    let mut start: String = characters.by_ref().take(MAX_HELP).collect();
    if characters.next().is_some() {
        start.pop();
        start.push('…');
    }
    literal(&start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_an_action() {
        assert_eq!(literal("a {{ b }} {"), r#"a {{ "{" }}{{ "{" }} b }} {{ "{" }}"#);
        assert_eq!(help(" a\n b "), "a b");
        assert_eq!(help(&"ü".repeat(10_000)).chars().count(), 500);
    }
}
