//! Names of metrics, events and dimensions: their cases, their check, and the closest one to a misspelt word.

use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use crate::attr::{Name, unusable};
use crate::ctxt::Ctxt;

/// A case of `rename_all`, which turns identifiers into names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Snake,
    Camel,
    Pascal,
    Screaming,
    Lower,
    Upper,
    Kebab,
    ScreamingKebab,
}

impl Case {
    /// The cases for names of dimensions, which cannot contain a hyphen.
    pub const OF_NAMES: &[Self] =
        &[Self::Snake, Self::Camel, Self::Pascal, Self::Screaming, Self::Lower, Self::Upper];
    pub const ALL: &[Self] = &[
        Self::Snake,
        Self::Camel,
        Self::Pascal,
        Self::Screaming,
        Self::Lower,
        Self::Upper,
        Self::Kebab,
        Self::ScreamingKebab,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Snake => "snake_case",
            Self::Camel => "camelCase",
            Self::Pascal => "PascalCase",
            Self::Screaming => "SCREAMING_SNAKE_CASE",
            Self::Lower => "lowercase",
            Self::Upper => "UPPERCASE",
            Self::Kebab => "kebab-case",
            Self::ScreamingKebab => "SCREAMING-KEBAB-CASE",
        }
    }

    pub fn apply(self, ident: &Ident) -> String {
        let words = words(&ident.unraw().to_string());
        match self {
            Self::Snake => words.join("_"),
            Self::Kebab => words.join("-"),
            Self::Lower => words.concat(),
            Self::Upper => words.concat().to_uppercase(),
            Self::Screaming => words.join("_").to_uppercase(),
            Self::ScreamingKebab => words.join("-").to_uppercase(),
            Self::Pascal => words.iter().map(|word| capitalized(word)).collect(),
            Self::Camel => {
                let rest = words.iter().skip(1).map(|word| capitalized(word));
                words.first().cloned().into_iter().chain(rest).collect()
            }
        }
    }
}

/// Splits an identifier of any case into words in lower case: `HTTPServerError2` is `http`, `server`, `error2`.
fn words(ident: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in ident.split('_').filter(|part| !part.is_empty()) {
        let characters: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (index, character) in characters.iter().enumerate() {
            let after_lower = index > 0 && !characters[index - 1].is_uppercase();
            let before_lower = characters.get(index + 1).is_some_and(|next| next.is_lowercase());
            if character.is_uppercase() && !word.is_empty() && (after_lower || before_lower) {
                words.push(std::mem::take(&mut word));
            }
            word.extend(character.to_lowercase());
        }
        words.push(word);
    }
    words
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
}

/// Checks a name if it is a text. rustc checks constants when it evaluates them.
pub fn check_text(cx: &Ctxt, name: &Name) {
    if let Name::Text(text) = name {
        check(cx, text);
    }
}

/// Reports a name that no constant can have, and puts another one in its place.
pub fn replace_unusable(cx: &Ctxt, name: &mut Name, item: &Ident, parameters: &[String]) {
    if let (Some(message), Name::Constant { expr, constant }) = (unusable(name, item, parameters), &name) {
        cx.error(expr, message);
        *name = Name::Text(LitStr::new(&constant.to_string(), constant.span()));
    }
}

/// Checks the name of a metric, an event or a dimension; false after a mistake.
pub fn check(cx: &Ctxt, name: &LitStr) -> bool {
    check_characters(cx, name) && check_segments(cx, name, "")
}

/// Checks the text in front of names. It may end in a dot, which the names continue.
pub fn check_prefix(cx: &Ctxt, prefix: &Name) {
    if let Name::Text(prefix) = prefix {
        let end = if prefix.value().ends_with('.') { "." } else { "" };
        let _ = check_characters(cx, prefix) && check_segments(cx, prefix, end);
    }
}

/// Checks that something stands before and after each dot, but for one that is the `end`.
fn check_segments(cx: &Ctxt, name: &LitStr, end: &str) -> bool {
    let text = name.value();
    let mut segments: Vec<_> = text.strip_suffix(end).unwrap_or(&text).split('.').collect();
    let count = segments.len();
    segments.retain(|segment| !segment.is_empty());
    if segments.len() < count {
        let write = segments.join(".");
        cx.error(name, format!("a name cannot have an empty part between dots: write `\"{write}{end}\"`"));
    }
    segments.len() == count
}

fn check_characters(cx: &Ctxt, name: &LitStr) -> bool {
    let text = name.value();
    let mut characters = text.chars().enumerate();
    let problem = match characters.next() {
        None => Some("a name must not be empty".to_owned()),
        Some((_, first)) if !first.is_ascii_alphabetic() && first != '_' => {
            Some(format!("a name begins with a letter or `_`, not with {first:?}"))
        }
        Some(_) => characters
            .find(|(_, character)| !character.is_ascii_alphanumeric() && !"_.".contains(*character))
            .map(|(index, character)| {
                let position = index + 1;
                format!("a name cannot contain {character:?} (character {position}): use letters, digits, `_` and `.`")
            }),
    };
    if let Some(problem) = &problem {
        cx.error(name, problem);
    }
    problem.is_none()
}

/// Names for a message: each in backticks.
pub fn backticked(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The candidate that the user probably meant.
pub fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let near = candidates.iter().map(|candidate| (distance(word, candidate), *candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance < word.len()).then_some(candidate)
}

/// The number of characters to add, remove, replace or swap to turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                let swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                let swap = if swapped { rows[i - 2][j - 2] + 1 } else { usize::MAX };
                replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(swap)
            };
        }
    }
    rows[from.len()][to.len()]
}
