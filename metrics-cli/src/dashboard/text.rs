//! Texts of the user in a dashboard: as they are, without meaning for Grafana.

/// How long a title may be, in characters.
const MAX_TITLE: usize = 100;

/// Stands in a text without being seen, and ends what would be a variable or a tag.
const WORD_JOINER: char = '\u{2060}';

/// A text in which Grafana finds no variable (`$name`, `${name}`, `[[name]]`), no label (`{{name}}`), no tag (`<b>`), and in the Markdown
/// of descriptions neither a link nor an image of another host (`![a](b)`, `[a]: b`).
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut previous = None;
    for character in text.chars() {
        let is_doubled = previous == Some(character) && matches!(character, '[' | '{');
        let is_link = previous == Some(']') && matches!(character, '(' | ':');
        if is_doubled || is_link {
            plain.push(WORD_JOINER);
        }
        plain.push(character);
        if matches!(character, '$' | '<') {
            plain.push(WORD_JOINER);
        }
        previous = Some(character);
    }
    plain
}

/// The first sentence of a help text as a title; `None` for an empty one.
pub(super) fn title_of(help: &str) -> Option<String> {
    let first = help.trim().split("\n\n").next().unwrap_or_default();
    let end = first.find(". ").or_else(|| first.find(".\n")).unwrap_or(first.len());
    let words: Vec<&str> = first[..end].split_whitespace().collect();
    let sentence = words.join(" ");
    let sentence = sentence.strip_suffix('.').unwrap_or(&sentence);
    (!sentence.is_empty()).then(|| shortened(sentence))
}

/// A text as a title.
pub(super) fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let mut start: String = characters.by_ref().take(MAX_TITLE).collect();
    if characters.next().is_some() {
        start.pop();
        start.push('…');
    }
    plain(&start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_sentence() {
        assert_eq!(title_of("All requests. Failed ones too.").as_deref(), Some("All requests"));
        assert_eq!(title_of("All\nrequests.\n\nMore").as_deref(), Some("All requests"));
        assert_eq!(title_of("Version 1.2 alone").as_deref(), Some("Version 1.2 alone"));
        assert_eq!(title_of(" . "), None);
    }

    #[test]
    fn a_long_title_is_cut_between_characters() {
        let title = title_of(&"ü".repeat(10_000)).expect("it is not empty");
        assert_eq!(title, "ü".repeat(99) + "…");
    }

    #[test]
    fn nothing_is_a_variable_or_a_tag() {
        let text = "$a ${b} [[c]] [[[d {{e}} </script> ![f](//g/h.png) [i]: //g/h.png";
        let hostile = plain(text);
        for part in ["$a", "${", "[[", "{{", "</", "](", "]:"] {
            assert!(!hostile.contains(part), "{part} is in {hostile}");
        }
        assert_eq!(hostile.replace('\u{2060}', ""), text);
    }
}
