//! Texts of other programs in a terminal: what may reach it, and how many cells it takes.

use std::ops::RangeInclusive;

use ratatui::buffer::CellWidth;
use ratatui::style::Style;
use ratatui::text::Span;

/// How many characters of one text are kept.
const MAX_LENGTH: usize = 1_000;
/// How many combining characters one character may have. More of them would cover the lines above and below.
const MAX_MARKS: usize = 4;

/// They change the width of the character before them, but not in all terminals.
const VARIATION_SELECTORS: [RangeInclusive<char>; 2] = ['\u{fe00}'..='\u{fe0f}', '\u{e0100}'..='\u{e01ef}'];
/// Blank, though they count as letters or symbols.
const BLANKS: [char; 5] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{2800}'];

/// The text with everything escaped that a terminal could take for a command, or that is not visible: `\u{1b}`, `\n`.
///
/// Every text of the endpoint passes through this function once, when its answer arrives. A backslash stays as it is, and a text
/// ends after 1,000 characters.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut marks = None;
    for (index, character) in text.chars().enumerate() {
        if index == MAX_LENGTH {
            escaped.push('…');
            break;
        }
        match (kind(character), marks) {
            (Kind::Plain, _) => {
                escaped.push(character);
                marks = Some(0);
            }
            (Kind::Mark, Some(MAX_MARKS..)) => {}
            (Kind::Mark, Some(before)) => {
                escaped.push(character);
                marks = Some(before + 1);
            }
            // A mark at the begin would belong to what stands before the text.
            (Kind::Mark, None) | (Kind::Invisible, _) => {
                match character {
                    '\n' | '\r' | '\t' => escaped.extend(character.escape_default()),
                    _ => escaped.extend(character.escape_unicode()),
                }
                marks = Some(0);
            }
        }
    }
    escaped
}

enum Kind {
    Plain,
    /// It changes the character before it.
    Mark,
    Invisible,
}

fn kind(character: char) -> Kind {
    match character {
        ' '..='~' => Kind::Plain,
        _ if VARIATION_SELECTORS.iter().any(|range| range.contains(&character)) => Kind::Invisible,
        _ if BLANKS.contains(&character) => Kind::Invisible,
        // `str::escape_debug` escapes unprintable characters anywhere, and marks at the begin of a text alone.
        _ if String::from_iter(['a', character]).escape_debug().count() > 2 => Kind::Invisible,
        _ if character.escape_debug().count() > 1 => Kind::Mark,
        _ => Kind::Plain,
    }
}

/// How many cells of a terminal the text takes.
pub(super) fn width(text: &str) -> usize {
    graphemes(text).into_iter().map(|(_, width)| width).sum()
}

/// The text, cut to so many cells. A text that was cut has `…` at its end.
pub(super) fn cut(text: &str, cells: usize) -> String {
    let mut kept = String::new();
    let mut used = 0;
    // Where the text ends if it does not fit.
    let mut end = 0;
    for (grapheme, width) in graphemes(text) {
        used += width;
        if used > cells {
            kept.truncate(end);
            if cells > 0 {
                kept.push('…');
            }
            return kept;
        }
        kept.push_str(grapheme);
        if used < cells {
            end = kept.len();
        }
    }
    kept
}

/// The text in a column of so many cells, at its left.
pub(super) fn left(text: &str, cells: usize) -> String {
    let text = cut(text, cells);
    let blank = cells - width(&text);
    text + &" ".repeat(blank)
}

/// The text in a column of so many cells, at its right.
pub(super) fn right(text: &str, cells: usize) -> String {
    let text = cut(text, cells);
    " ".repeat(cells - width(&text)) + &text
}

/// What a terminal shows as one character, with its cells. Control characters are left out.
fn graphemes(text: &str) -> Vec<(&str, usize)> {
    let span = Span::raw(text);
    let graphemes = span.styled_graphemes(Style::new()).map(|grapheme| {
        // The grapheme lives as long as `span`, but it is a part of `text`.
        let begin = grapheme.symbol.as_ptr().addr() - text.as_ptr().addr();
        let part = &text[begin..begin + grapheme.symbol.len()];
        (part, usize::from(part.cell_width()))
    });
    graphemes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_for_the_terminal_are_escaped() {
        let cases = [
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\nb\r\tc\0", "a\\nb\\r\\tc\\u{0}"),
            ("\u{8}\u{7f}", "\\u{8}\\u{7f}"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
            ("\u{2066}\u{2069}\u{200b}\u{feff}", "\\u{2066}\\u{2069}\\u{200b}\\u{feff}"),
            ("\u{2028}\u{2029}\u{a0}", "\\u{2028}\\u{2029}\\u{a0}"),
            ("\u{e000}\u{fff9}\u{e0041}", "\\u{e000}\\u{fff9}\\u{e0041}"),
            ("👩\u{200d}🚀", "👩\\u{200d}🚀"),
            ("❤\u{fe0f}", "❤\\u{fe0f}"),
            ("\u{3164}", "\\u{3164}"),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn visible_texts_stay_as_they_are() {
        for text in ["", "GET /a?b=c", "größe", "e\u{301}a", "日本語", "🦀", "שלום", "\\n \"'", "<script>"]
        {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn marks_need_a_character_and_are_few() {
        assert_eq!(escaped("\u{301}a"), "\\u{301}a");
        assert_eq!(escaped(&format!("z{}y", "\u{301}".repeat(900))), "z\u{301}\u{301}\u{301}\u{301}y");
    }

    #[test]
    fn long_texts_end_early() {
        assert_eq!(escaped(&"x".repeat(10_000)), "x".repeat(1_000) + "…");
        assert_eq!(escaped(&"x".repeat(1_000)), "x".repeat(1_000));
    }

    #[test]
    fn nothing_that_was_escaped_is_a_control_character() {
        // All planes with characters that are in use; beyond them only every hundredth one.
        let assigned = '\0'..='\u{2ffff}';
        for character in assigned.chain(('\u{30000}'..=char::MAX).step_by(101)) {
            let text = escaped(&format!("a{character}"));
            assert!(!text.chars().any(char::is_control), "{character:?}");
            // Drawing leaves out graphemes without cells, so each text has at least one cell.
            assert!(width(&text) >= 1 && text.len() < 12, "{character:?}");
        }
    }

    #[test]
    fn columns_have_their_width_whatever_stands_in_them() {
        let texts =
            ["", "a", "größe", "日本語日本語", "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", "🦀🦀🦀🦀"];
        for text in texts.map(str::to_owned).into_iter().chain(["x".repeat(10_000)]) {
            for cells in 0..12 {
                assert_eq!(
                    (width(&left(&text, cells)), width(&right(&text, cells))),
                    (cells, cells),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn cut_texts_say_so() {
        assert_eq!(
            [cut("abcdef", 6), cut("abcdef", 5), cut("abc", 1), cut("abc", 0)],
            ["abcdef", "abcd…", "…", ""]
        );
        // A wide character that does not fit leaves its place empty.
        assert_eq!([left("日本語", 5), left("日本語", 4), right("日本", 3)], ["日本…", "日… ", "日…"]);
    }
}
