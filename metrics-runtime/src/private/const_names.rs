//! Checks at compile time of names that are constants of the user's own. Names that are literals are checked by the derive.
//!
//! The checks are `#[track_caller]`, as those of `names`.

use crate::dimension::append;

/// Fails the compilation when a constant is no name of a metric, an event or a dimension.
///
/// # Panics
///
/// At compile time, when the name is empty, has a character that names do not have, or an empty part between dots.
#[track_caller]
pub const fn assert_name(name: &str) {
    assert_characters(name);
    assert_segments(name, name.len());
}

/// Fails the compilation when a constant is no text in front of names. It may end in a dot, which the names continue.
///
/// # Panics
///
/// As [`assert_name`].
#[track_caller]
pub const fn assert_prefix(prefix: &str) {
    assert_characters(prefix);
    let ends_in_dot = prefix.as_bytes()[prefix.len() - 1] == b'.';
    assert_segments(prefix, if ends_in_dot { prefix.len() - 1 } else { prefix.len() });
}

/// Fails the compilation when a constant names a dimension like the field that counts invalid values.
///
/// # Panics
///
/// At compile time, when both names are equal.
#[track_caller]
pub const fn assert_not_invalid(name: &str, invalid: &str) {
    assert!(
        !is_equal(name, invalid),
        "a constant cannot name a dimension `invalid`: write the name as a string"
    );
}

/// Fails the compilation when the texts of a label are not all different, or when one is empty.
///
/// # Panics
///
/// At compile time, when a text is empty, or equal to another one.
#[track_caller]
pub const fn assert_label_texts(texts: &[&str]) {
    let mut index = 0;
    while index < texts.len() {
        assert!(!texts[index].is_empty(), "a label text must not be empty");
        let mut earlier = 0;
        while earlier < index {
            if is_equal(texts[earlier], texts[index]) {
                let advice = "`: give one of the variants another `name`";
                panic_with(&["duplicate label text `", texts[index], advice]);
            }
            earlier += 1;
        }
        index += 1;
    }
}

#[track_caller]
const fn assert_characters(name: &str) {
    assert!(!name.is_empty(), "a name must not be empty");
    let bytes = name.as_bytes();
    let mut position = 0;
    let mut index = 0;
    while index < bytes.len() {
        // A character begins where the top bits are not 10.
        if bytes[index] & 0xc0 != 0x80 {
            position += 1;
        }
        let is_letter = bytes[index].is_ascii_alphabetic() || bytes[index] == b'_';
        if index == 0 && !is_letter {
            panic_with(&["a name begins with a letter or `_`, not with '", character(name, index), "'"]);
        }
        if !is_letter && !bytes[index].is_ascii_digit() && bytes[index] != b'.' {
            let mut digits = [0; 20];
            let advice = "): use letters, digits, `_` and `.`";
            let position = decimal(position, &mut digits);
            panic_with(&[
                "a name cannot contain '",
                character(name, index),
                "' (character ",
                position,
                advice,
            ]);
        }
        index += 1;
    }
}

#[track_caller]
const fn assert_segments(name: &str, end: usize) {
    let bytes = name.as_bytes();
    let mut index = 0;
    while index < end {
        if bytes[index] == b'.' && (index + 1 == end || bytes[index + 1] == b'.') {
            panic_with(&["a name cannot have an empty part between dots, as `", name, "` has"]);
        }
        index += 1;
    }
}

/// The character that begins at this byte.
const fn character(text: &str, start: usize) -> &str {
    let mut end = start + 1;
    while end < text.len() && text.as_bytes()[end] & 0xc0 == 0x80 {
        end += 1;
    }
    text.split_at(end).0.split_at(start).1
}

const fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &str {
    let mut begin = digits.len();
    loop {
        begin -= 1;
        digits[begin] = b"0123456789"[number % 10];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    match std::str::from_utf8(digits.split_at(begin).1) {
        Ok(text) => text,
        Err(_) => "..",
    }
}

const fn is_equal(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    one.len() == other.len() && index == one.len()
}

/// Panics with these texts as the message. A text that is too long is left out.
#[track_caller]
pub(super) const fn panic_with(texts: &[&str]) -> ! {
    let mut message = [0; 512];
    let mut end = 0;
    let mut index = 0;
    while index < texts.len() {
        let text = if texts[index].len() <= 256 && end + texts[index].len() <= message.len() {
            texts[index]
        } else {
            ".."
        };
        if end + text.len() <= message.len() {
            end = append(&mut message, end, text);
        }
        index += 1;
    }
    match std::str::from_utf8(message.split_at(end).0) {
        Ok(message) => panic!("{}", message),
        Err(_) => panic!("a name is wrong"),
    }
}
