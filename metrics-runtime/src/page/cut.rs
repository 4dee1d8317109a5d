//! Texts of an answer: cut, so that no name of a program makes an answer long.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

/// How many characters of a text an answer has.
pub(super) const MAX_CHARS: usize = 256;

/// The text, or its first characters and `…`.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_CHARS) {
        None => Cow::Borrowed(text),
        // What a client got once may come back in a query.
        Some((end, '…')) if end + '…'.len_utf8() == text.len() => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// A value as JSON, cut. Only the part that is shown is written.
pub(super) fn cut_json(value: &impl Serialize) -> String {
    /// Refuses bytes beyond those that an answer may have.
    struct Bounded(Vec<u8>);

    impl Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // A character has at most four bytes.
            let room = (4 * (MAX_CHARS + 1)).saturating_sub(self.0.len());
            if room == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let taken = room.min(bytes.len());
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut json = Bounded(Vec::new());
    // An error means that the value is longer.
    let _ = serde_json::to_writer(&mut json, value);
    cut(&String::from_utf8_lossy(&json.0)).into_owned()
}

/// How many bytes the text has as JSON, which writes control characters in up to six bytes.
pub(super) fn json_len(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
        0..0x20 => 5,
        _ => 0,
    });
    text.len() + 2 + escapes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pg2_texts_are_cut_between_characters() {
        assert_eq!(cut(""), "");
        assert_eq!(cut(&"x".repeat(256)), "x".repeat(256));
        assert_eq!(cut(&"ä".repeat(257)), format!("{}…", "ä".repeat(256)));
        let once = cut(&"ä".repeat(10_000)).into_owned();
        assert_eq!(cut(&once), once);
    }

    #[test]
    fn pg2_json_is_cut_without_writing_all_of_it() {
        assert_eq!(cut_json(&[1, 2]), "[1,2]");
        let text = cut_json(&vec!["ä"; 100_000]);
        assert_eq!(text.chars().count(), 257);
        assert!(text.starts_with("[\"ä\",") && text.ends_with('…'), "{text}");
    }

    #[test]
    fn pg2_the_length_of_a_text_as_json_is_known() {
        let texts = (0..0x100_u32).filter_map(char::from_u32).map(String::from);
        for text in texts.chain([String::new(), "\u{1F600}\n\u{2028}".to_owned()]) {
            let json = serde_json::to_string(&text).expect("a text");
            assert_eq!(json_len(&text), json.len(), "{text:?}");
        }
    }
}
