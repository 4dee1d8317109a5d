//! The errors in a committed message, with their place in the case and the code that they tell the user to write.

use std::collections::HashMap;
use std::ops::Range;

/// One error.
pub struct Report {
    pub headline: String,
    /// What is underlined.
    pub range: Range<usize>,
    pub advice: Option<Advice>,
}

/// What an error tells the user to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Advice {
    /// Each of the alternatives has code to put in place of other code.
    Write(Vec<Vec<String>>),
    /// Each of the alternatives is an option or an attribute to put beside those that are there.
    Add(Vec<Vec<String>>),
    Remove,
}

impl Report {
    /// The code that the message names before it says what to write.
    pub fn named(&self) -> Vec<&str> {
        self.headline.split('`').skip(1).step_by(2).collect()
    }
}

impl Advice {
    /// The first code to write or to add.
    pub fn code(&self) -> &str {
        match self {
            Self::Write(codes) | Self::Add(codes) => &codes[0][0],
            Self::Remove => "remove",
        }
    }

    pub fn alternatives(&self) -> usize {
        match self {
            Self::Write(codes) | Self::Add(codes) => codes.len(),
            Self::Remove => 1,
        }
    }
}

/// The errors of a message about `source`.
pub fn reports(source: &str, message: &str) -> Vec<Report> {
    let mut seen = HashMap::new();
    let mut reports = Vec::new();
    let lines: Vec<_> = message.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((_, headline)) = line.split_once(": ").filter(|_| line.starts_with("error")) else {
            continue;
        };
        let rest = &lines[index + 1..];
        let end = rest.iter().position(|line| line.starts_with("error")).unwrap_or(rest.len());
        let Some((mut text, mut columns)) = underlined(&rest[..end]) else { continue };
        // rustc cuts the end of a long line.
        if let Some(begin) = text.strip_suffix("...") {
            text = source.lines().find(|line| line.starts_with(begin)).unwrap_or(text);
        }
        // Beside the marks of a span of several lines, the source is indented.
        if !source.lines().any(|line| line == text) && text.starts_with("  ") {
            (text, columns) = (&text[2..], columns.start - 2..columns.end - 2);
        }
        // The errors of an item come in the order of its fields, which tells equal lines apart.
        let previous: usize = reports.last().map_or(0, |report: &Report| report.range.start);
        let used: &mut Vec<usize> = seen.entry((text, columns.clone())).or_default();
        let equal = source.match_indices(text).map(|(at, _)| at).filter(|at| is_line(source, *at, text));
        let equal: Vec<_> = equal.collect();
        let mut unused = equal.iter().filter(|at| !used.contains(at));
        let next = unused.clone().find(|at| **at + columns.start > previous);
        let start =
            *next.or_else(|| unused.next()).or(equal.last()).unwrap_or_else(|| panic!("no line `{text}`"));
        used.push(start);
        let range = start + columns.start..start + columns.end;
        reports.push(Report { headline: headline.to_owned(), range, advice: advice(headline) });
    }
    reports
}

fn is_line(source: &str, at: usize, text: &str) -> bool {
    let begins = at == 0 || source[..at].ends_with('\n');
    begins && source[at + text.len()..].starts_with('\n')
}

/// The first underlined line, and the columns that `^` underlines, in bytes.
fn underlined<'m>(lines: &[&'m str]) -> Option<(&'m str, Range<usize>)> {
    let (text, marks) = lines.windows(2).find_map(|pair| {
        let (text, marks) = (code(pair[0])?, code(pair[1])?);
        marks.trim_start_matches(['-', ' ']).starts_with('^').then_some((text, marks))
    })?;
    let start = marks.find('^')?;
    let end = start + marks[start..].find(|mark| mark != '^').unwrap_or(marks.len() - start);
    let byte = |column| text.char_indices().nth(column).map_or(text.len(), |(byte, _)| byte);
    Some((text, byte(start)..byte(end)))
}

/// What stands behind the bar of a line of a message.
fn code(line: &str) -> Option<&str> {
    let (number, code) = line.split_once('|')?;
    let is_gutter = number.chars().all(|character| character == ' ' || character.is_ascii_digit());
    is_gutter.then(|| code.strip_prefix(' ').unwrap_or(code))
}

/// The words in front of suggested code.
const WRITE: [&str; 5] = [
    "write `",
    "use `",
    "did you mean `",
    "write a closure that takes the event, `",
    "give this one another name, `",
];
const ADD: [&str; 2] = ["add `", "add a prefix, `"];
const REMOVE: [&str; 3] = ["remove ", "leave it out", "leave `"];

fn advice(headline: &str) -> Option<Advice> {
    let first = |words: &[&'static str]| {
        words.iter().filter_map(|word| Some((outside_of_code(headline, word)?, *word))).min()
    };
    let (write, add, remove) = (first(&WRITE), first(&ADD), first(&REMOVE));
    let place = |found: Option<(usize, &str)>| found.map_or(usize::MAX, |(at, _)| at);
    let codes = |(at, word): (usize, &str)| alternatives(&headline[at + word.len() - 1..]);
    let first = place(write).min(place(add)).min(place(remove));
    match first {
        usize::MAX => None,
        // The user knows the field or the variant.
        _ if headline.contains("belongs on a ") && headline.ends_with(" there") => None,
        _ if first == place(write) => write.map(|found| Advice::Write(codes(found))),
        _ if first == place(add) => add.map(|found| Advice::Add(codes(found))),
        _ => Some(Advice::Remove),
    }
}

/// Where a word stands in a text, but for texts between backticks.
fn outside_of_code(text: &str, word: &str) -> Option<usize> {
    let is_code = |at: usize| text[..at].matches('`').count() % 2 == 1;
    text.match_indices(word).map(|(at, _)| at).find(|at| !is_code(*at))
}

/// The codes in a text such as "`a`, `b` or `c`". Codes that "and" joins belong together.
fn alternatives(mut text: &str) -> Vec<Vec<String>> {
    let mut alternatives: Vec<Vec<String>> = Vec::new();
    let mut joined = false;
    while let Some((code, rest)) = text.strip_prefix('`').and_then(|text| text.split_once('`')) {
        match alternatives.last_mut().filter(|_| joined) {
            Some(last) => last.push(code.to_owned()),
            None => alternatives.push(vec![code.to_owned()]),
        }
        let next = [", or ", " or ", ", ", " and "].into_iter().find(|word| rest.starts_with(word));
        joined = next == Some(" and ");
        text = next.map_or("", |word| &rest[word.len()..]);
    }
    alternatives
}

#[test]
fn the_code_to_write_is_found() {
    let write = |codes: &[&str]| Advice::Write(codes.iter().map(|code| vec![(*code).to_owned()]).collect());
    let found = advice("`Sum` needs the type of its values: write `Sum<u64>`").unwrap();
    assert_eq!(found, write(&["Sum<u64>"]));
    let found = advice("`write` is not a measure: use `u64`, `f64` or `Duration`").unwrap();
    assert_eq!(found, write(&["u64", "f64", "Duration"]));
    let found = advice("`a` needs: write `b` and `c`").unwrap();
    assert_eq!(found, Advice::Write(vec![vec!["b".to_owned(), "c".to_owned()]]));
    let found =
        advice("labels are unbounded: add `limit = <N>`, or use an enum with `#[derive(Label)]`").unwrap();
    assert_eq!(found, Advice::Add(vec![vec!["limit = <N>".to_owned()]]));
    assert_eq!(advice("`name` cannot be empty"), None);
}

#[test]
fn equal_errors_are_found_at_their_own_lines() {
    let source = "a: ö(Sum),\nb: 1,\na: ö(Sum),\n";
    let message = "error: one: write `x`\n --> a.rs\n  |\n  | a: ö(Sum),\n  |      ^^^\n\n";
    let reports = reports(source, &message.repeat(2));
    let second = source.rfind("Sum").unwrap();
    assert_eq!(
        reports.iter().map(|report| report.range.clone()).collect::<Vec<_>>(),
        [6..9, second..second + 3]
    );
}
