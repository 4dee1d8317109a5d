//! Follows each suggestion in the messages of the UI cases, and compiles the result.
//!
//! A message says `` write `X` ``, `` use `X` ``, `` add `X` ``, ``did you mean `X`?`` or "remove it". The test edits the case
//! at the place that the message underlines. A message with alternatives gives several results. What has an error without a
//! suggestion is removed: the field, or the item. A comment of the case fills the nearest placeholders below it:
//!
//! ```text
//! // <event field> = bytes
//! ```
//!
//! `// alternatives = 1` says that only the first alternative fits the types of the case.

mod place;
mod report;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::place::{Edit, Place, begin_of_type};
use self::report::{Advice, Report, reports};
use crate::messages::{Mistake, mistakes};

/// Suggestions that give no code that compiles: the case, the suggested code (or "remove"), and the reason. A suggestion that
/// does must leave the list.
const CANNOT_BE_FOLLOWED: &[Listed] = &[
    listed("between/at_alone", "begin = <event field>", BEGIN_AND_END),
    listed(
        "between/in_one_on",
        "on(Event, begin = ..), on(Other, end = ..)",
        "the options of the case move into the new `on(..)`",
    ),
    listed("between/outside_of_on", "on(Started, begin = ..)", EACH_EVENT),
    listed("between/with_other_options", "remove", "the type changes as well"),
    listed(
        "between/without_at",
        "at = <event field>",
        "the option goes into the `on(..)` that is underlined",
    ),
    listed("by_metric/neither_dimension_nor_metric", "#[dimension(value = <event field>)]", ONE_OF_TWO),
    listed("by_metric/with_a_value", "#[dimension(value = <event field>)]", ONE_OF_TWO),
    listed("by_metric/with_a_value", "Counter", OTHER_OPTIONS),
    listed("dimension/flatten_is_missing", "#[dimension(value = <event field>)]", ONE_OF_TWO),
    listed("dimension/gauge_of_a_text", "i64", "the value is a text"),
    listed("dimension/gauge_of_bool", "i64", "the value is a `bool`"),
    listed("dimension/gauge_with_add", "InFlight", BEGIN_AND_END),
    listed("dimension/histogram_of_a_text", "u64", "the value is a text"),
    listed("dimension/state_without_skip", "#[dimension(value = <event field>)]", ONE_OF_TWO),
    listed("dimension/sum_of_a_newtype", "u64", "one of two errors underlines the whole type"),
    listed("dimension/user_type_without_dimension", "#[dimension(value = <event field>)]", ONE_OF_TWO),
    listed("dimension/window_of_a_number", "Counter", OTHER_OPTIONS),
    listed("event/bare_option_with_two_events_of_the_field", "on(Saved, value = ..)", EACH_EVENT),
    listed("event/bare_when_with_two_events", "on(Saved, when = ..)", EACH_EVENT),
    listed("event/flattened_struct_without_derive", "#[derive(Metric)]", MORE_THAN_A_DERIVE),
    listed("event/lifetime", "Arc<str>", "the fields of the event change, not the lifetime"),
    listed("event/when_without_event", "on(Event)", "the metric has no dimension yet"),
    listed("event/with_without_event", "on(Event, with = Self::saved)", NO_HANDLER),
    listed("event/wrong_types", "on(Saved, when = |e| matches!(e, Saved(_)))", "`Saved` is no tuple struct"),
    listed("generics/measure_without_bound", "u64", "the type is a parameter"),
    listed("keep/alias_of_what_may_fall", "Counter", OTHER_OPTIONS),
    listed("keep/of_what_may_fall", "Counter", OTHER_OPTIONS),
    listed("label/alias_of_an_open_breakdown", "#[derive(Label)]", ONE_OF_TWO),
    listed("label/alias_of_an_open_label", "#[derive(Label)]", ONE_OF_TWO),
    listed("label/by_without_breakdown", "Breakdown<L, Counter>", LIMIT),
    listed("label/generic", "remove", "the type parameter has no other use"),
    listed("label/map_for_a_breakdown", "Counter", OTHER_OPTIONS),
    listed("label/three_arguments", "Counter", "there is an argument too many"),
    listed(
        "label/two_fields_without_parentheses",
        "by(outcome, code)",
        "the second field stands as an option of its own",
    ),
    listed("labels_of_the_struct/limit_is_wrong", "limit = <N>", "`keep` beside it is wrong as well"),
    listed(
        "labels_of_the_struct/limit_without_any_by",
        "by = <event field>",
        "the type has no labels either",
    ),
    listed("labels_of_the_struct/no_dimension_takes_them", "remove", "the `limit` beside it goes as well"),
    listed(
        "labels_of_the_struct/other_number_of_parts",
        "by(<event field>, <event field>)",
        "the `by` of the struct changes",
    ),
    listed("macros/event_of_the_wrong_form", "on(Saved)", PATTERN),
    listed("macros/name_from_an_identifier", "name = \"saves\"", PATTERN),
    listed("macros/type_that_is_no_dimension", "Counter", OTHER_OPTIONS),
    listed("macros/type_that_takes_no_value", "Sum<T>", "the type stands in the call of the macro"),
    listed("name/neither_text_nor_constant", "Saves::NAME", "the test takes the path for a type"),
    listed("name/unit_of_a_duration", "Duration::from_millis(..)", "each bound needs it"),
    listed("option/flag_with_a_value", "manual", NO_HANDLER),
    listed("option/inc_on_a_gauge", "add", ONE_OF_TWO),
    listed("option/manual_without_with", "on(JobFinished, with = Self::on_event)", NO_HANDLER),
    listed("option/of_the_struct_on_a_field", "#[metric(on(Event, with = Self::on_saved))]", EACH_EVENT),
    listed("option/unknown_for_dimension", "Recent<D, 60>", OTHER_OPTIONS),
    listed("option/unknown_for_dimension", "keep = <N>", ONE_OF_TWO),
    listed("option/with_of_a_field", "#[metric(on(Event, with = Self::saved))]", EACH_EVENT),
    listed("option/without_its_value_of_the_metric", "with = Self::on_event", NO_HANDLER),
    listed("option/words_for_buckets_and_types", "keep = <N>", ONE_OF_TWO),
    listed("option/words_for_names_and_fields", "flatten(prefix = \"cache_\")", "the field is no metric"),
    listed("recent/of_a_top", "Top<String, Counter>", OTHER_OPTIONS),
    listed("recent/of_no_dimension", "Counter", OTHER_OPTIONS),
    listed("recent/options_of_the_inner_type", "Breakdown<L, Recent<Counter, 60>>", LIMIT),
    listed("recent/user_type_that_does_not_merge", "MERGE", "`MERGE` is a constant of the `impl`"),
    listed("several/option_and_type", "value", "the type of the field lacks its argument"),
    listed("source/when_is_a_call", "when = |e| e.is_big()", "the case has neither function"),
    listed("syntax/equal_sign_of_an_event", "name = \"saved\"", "the attribute has another form"),
    listed("value/from_of_what_is_no_number", "remove", "one of the values is a text"),
    listed("value/in_flight_adds_and_subtracts_one_field", "on(Started, add), on(Ended, sub)", BEGIN_AND_END),
    listed("value/in_flight_of_one_event", "on(Started, add), on(Ended, sub)", BEGIN_AND_END),
    listed("value/negative_added_to_a_counter", "InFlight", BEGIN_AND_END),
    listed("value/non_zero", "|e| e.field.get()", "the closure of the case makes the number"),
    listed("value/option_does_not_fit_the_type", "InFlight", BEGIN_AND_END),
    listed("value/sub_of_a_counter", "InFlight", BEGIN_AND_END),
    listed("variant/types_behind_the_variant", "Job<u64>::Ended", "the whole path changes"),
];

struct Listed {
    case: &'static str,
    code: &'static str,
}

/// The reason is for readers.
const fn listed(case: &'static str, code: &'static str, _reason: &str) -> Listed {
    Listed { case, code }
}

impl Listed {
    fn is_of(&self, case: &Mistake, report: &Report) -> bool {
        self.case == case.name && report.advice.as_ref().is_some_and(|advice| advice.code() == self.code)
    }
}

const BEGIN_AND_END: &str = "what begins also ends: there is a second event to write";
const EACH_EVENT: &str = "the option moves into an `on(..)` that is there, and each event needs one";
const LIMIT: &str = "an open label also needs a limit";
const PATTERN: &str = "the pattern of the user's macro must change as well";
const MORE_THAN_A_DERIVE: &str = "the type becomes a metric, which has fields and events";
const NO_HANDLER: &str = "the user writes the handler";
const ONE_OF_TWO: &str = "the case needs the other advice of the message, or of its other error";
const OTHER_OPTIONS: &str = "the options of the field must change with its type";

/// What a message writes in place of code that it does not know, with a value for cases that give none.
const PLACEHOLDERS: [(&str, Option<&str>); 9] = [
    ("<event field>", None),
    ("<N>", Some("10")),
    ("path::to::mvx_metrics", Some("mvx_metrics")),
    ("Event", None),
    ("..", Some("..")),
    ("field", Some("field")),
    ("L", Some("String")),
    ("D", Some("Counter")),
    ("T", Some("u64")),
];

/// How many of its alternatives fit the types of a case, if not all of them.
const ALTERNATIVES: &str = "// alternatives = ";

#[test]
fn code_that_a_message_suggests_compiles() {
    let (mut results, mut failures, mut followed) = (BTreeMap::new(), Vec::new(), 0);
    for case in mistakes() {
        let reports = reports(&case.source, &case.message);
        let follows = |report: &Report| !CANNOT_BE_FOLLOWED.iter().any(|listed| listed.is_of(&case, report));
        match follow_all(&case, &reports, &follows) {
            Ok(sources) => results.extend(numbered(&case.name, sources)),
            Err(reason) => failures.push(format!("{}: {reason}", case.name)),
        }
        followed += reports.iter().filter(|report| report.advice.is_some() && follows(report)).count();
    }
    let (errors, folder) = check("suggestions", "lib", &results);
    failures.extend(errors);
    assert!(failures.is_empty(), "{}\nin {}", failures.join("\n"), folder.display());
    assert!(followed >= 250, "only {followed} suggestions");
}

#[test]
fn what_cannot_be_followed_does_not_compile() {
    let (mut results, mut failures) = (BTreeMap::new(), Vec::new());
    let cases = mistakes();
    for (index, listed) in CANNOT_BE_FOLLOWED.iter().enumerate() {
        let Some(case) = cases.iter().find(|case| case.name == listed.case) else {
            failures.push(format!("there is no case {}", listed.case));
            continue;
        };
        let reports = reports(&case.source, &case.message);
        if !reports.iter().any(|report| listed.is_of(case, report)) {
            failures.push(format!("{} does not suggest `{}`", case.name, listed.code));
        }
        let follows = |report: &Report| {
            let mut others = CANNOT_BE_FOLLOWED.iter().filter(|other| !std::ptr::eq(*other, listed));
            !others.any(|other| other.is_of(case, report))
        };
        if let Ok(sources) = follow_all(case, &reports, &follows) {
            results.extend(numbered(&format!("listed_{index}"), sources));
        }
    }
    let (errors, _) = check("listed-suggestions", "bin", &results);
    for (index, Listed { case, code }) in CANNOT_BE_FOLLOWED.iter().enumerate() {
        let name = format!("listed_{index}_");
        let is_followed = results.keys().any(|file| file.starts_with(&name));
        let fails = errors.iter().any(|error| error.starts_with(&format!("src/bin/{name}")));
        if is_followed && !fails {
            failures.push(format!("`{code}` of {case} compiles: it must leave the list"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn numbered(case: &str, sources: Vec<String>) -> impl Iterator<Item = (String, String)> {
    let names = (1..).map({
        let case = case.replace('/', "_");
        move |number| format!("{case}_{number}")
    });
    names.zip(sources)
}

/// The case after those of its suggestions that the test follows: once for each alternative.
fn follow_all(
    case: &Mistake,
    reports: &[Report],
    follows: &dyn Fn(&Report) -> bool,
) -> Result<Vec<String>, String> {
    let followed =
        reports.iter().filter(|report| follows(report)).filter_map(|report| report.advice.as_ref());
    let alternatives = followed.map(Advice::alternatives).max().unwrap_or_default();
    let fitting = case.source.lines().find_map(|line| line.trim().strip_prefix(ALTERNATIVES)?.parse().ok());
    let alternatives = alternatives.min(fitting.unwrap_or(alternatives));
    (0..alternatives).map(|alternative| follow(case, reports, follows, alternative)).collect()
}

fn follow(
    case: &Mistake,
    reports: &[Report],
    follows: &dyn Fn(&Report) -> bool,
    alternative: usize,
) -> Result<String, String> {
    let source = &case.source;
    let (mut edits, mut removed, mut without_listed) = (Vec::new(), Vec::new(), Vec::new());
    for report in reports {
        let place = Place::of(source, report.range.clone());
        let chosen = |codes: &[Vec<String>]| codes[alternative.min(codes.len() - 1)].clone();
        match report.advice.as_ref().filter(|_| follows(report)) {
            None if report.advice.is_some() => without_listed.push(place.smallest_part()),
            None => removed.push(place.smallest_part()),
            Some(Advice::Remove) => {
                let named = report.headline.split_once("remove `").and_then(|(_, rest)| rest.split_once('`'));
                edits.push(named.map_or_else(|| place.remove(), |(key, _)| place.remove_named(key)));
            }
            Some(Advice::Write(codes)) => {
                for code in chosen(codes) {
                    let code = fill(source, &report.range, &code)?;
                    let there = code.strip_prefix("#[").filter(|_| report.headline.ends_with(" there"));
                    let there = there.and_then(|code| code.strip_suffix(")]")?.split_once('('));
                    let is_text = source[report.range.clone()].starts_with('"');
                    if is_text && report.headline.contains("did you mean") {
                        edits.push(Edit { range: report.range.clone(), code: format!("\"{code}\"") });
                    } else if let Some((attribute, option)) = there {
                        edits.extend([place.remove(), place.item().add_to(attribute, option)]);
                    } else if report.headline.contains("` behind it") {
                        edits.push(place.write_behind(&code));
                    } else if code.starts_with("///") {
                        edits.extend([place.remove(), place.document(&code)]);
                    } else {
                        edits.push(place.write(&code, &report.named()));
                    }
                }
            }
            Some(Advice::Add(codes)) => {
                for code in chosen(codes) {
                    edits.push(add(source, report, &place, &fill(source, &report.range, &code)?)?);
                }
            }
        }
    }
    let inside =
        |part: &Range<usize>, other: &Range<usize>| part.start <= other.start && other.end <= part.end;
    edits.retain(|edit| !without_listed.iter().any(|part| inside(part, &edit.range)));
    // A mistake with a suggestion may have further errors, which the suggestion must mend as well.
    removed.retain(|part| !edits.iter().any(|edit| inside(part, &edit.range)));
    removed.extend(without_listed);
    if !removed.is_empty() {
        // `main` may use what is removed.
        let main = source.find("fn main()").map(|main| Place::of(source, main..main + 1).smallest_part());
        removed.extend(main);
    }
    let largest = |part: &&Range<usize>| !removed.iter().any(|other| other != *part && inside(other, part));
    edits.extend(removed.iter().filter(largest).map(|part| Edit::remove_part(source, part.clone())));
    apply(source, edits)
}

/// Adds an attribute to the type that the message names, or an option.
fn add(source: &str, report: &Report, place: &Place, code: &str) -> Result<Edit, String> {
    let option = code.strip_prefix("#[dimension(").and_then(|code| code.strip_suffix(")]"));
    if option.is_some() || !code.starts_with("#[") {
        return Ok(place.add(option.unwrap_or(code)));
    }
    let ty = report.headline.split('`').nth(1).unwrap_or_default();
    let ty = ty.split(['<', '\'']).next().unwrap_or_default();
    let name = ty.rsplit("::").next().unwrap_or_default();
    let start = begin_of_type(source, name).ok_or_else(|| format!("no type `{name}`"))?;
    Ok(Edit { range: start..start, code: format!("{code} ") })
}

/// The code with the values of its placeholders, which the nearest comments above the error give. A value that stands for
/// the next one of several equal placeholders has a comment of its own.
fn fill(source: &str, at: &Range<usize>, code: &str) -> Result<String, String> {
    let above: Vec<_> = source[..at.start].lines().collect();
    let mut filled = code.to_owned();
    for (placeholder, default) in PLACEHOLDERS {
        let assignment = format!("// {placeholder} = ");
        let is_other = |line: &&str| !line.contains(&assignment);
        let end = above.iter().rposition(|line| !is_other(line)).map_or(0, |last| last + 1);
        let start = above[..end].iter().rposition(is_other).map_or(0, |line| line + 1);
        let mut values = above[start..end].iter().filter_map(|line| Some(line.split_once(&assignment)?.1));
        let mut value = default;
        let (mut result, mut rest) = (String::new(), filled.as_str());
        while let Some(start) = find(rest, placeholder) {
            value = values.next().or(value);
            let Some(value) = value else {
                return Err(format!("`{code}`: write a comment `{assignment}something` above the error"));
            };
            result = result + &rest[..start] + value;
            rest = &rest[start + placeholder.len()..];
        }
        filled = result + rest;
    }
    Ok(filled)
}

/// The place of a placeholder, which is no part of a longer word.
fn find(code: &str, placeholder: &str) -> Option<usize> {
    let is_of_a_word = |character: char| character.is_alphanumeric() || character == '_';
    let is_word = placeholder.starts_with(is_of_a_word);
    let mut starts = code.match_indices(placeholder).map(|(start, _)| start);
    starts.find(|start| {
        let (before, after) = (&code[..*start], &code[start + placeholder.len()..]);
        !is_word || !(before.ends_with(is_of_a_word) || after.starts_with(is_of_a_word))
    })
}

/// Applies edits from the end to the beginning.
fn apply(source: &str, mut edits: Vec<Edit>) -> Result<String, String> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup();
    let mut result = source.to_owned();
    let mut begin = source.len();
    for edit in edits.into_iter().rev() {
        if edit.range.end > begin {
            return Err(format!("`{}` stands in the place of another suggestion", edit.code));
        }
        begin = edit.range.start;
        result.replace_range(edit.range, &edit.code);
    }
    // Suggested attributes are not imported yet.
    Ok(result + "\nuse mvx_metrics::*;\n")
}

/// Checks a crate of the sources, and returns its folder and its errors, one a line. The sources are modules of one library,
/// or programs, whose errors cannot hide each other.
fn check(name: &str, kind: &str, sources: &BTreeMap<String, String>) -> (Vec<String>, PathBuf) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let library = workspace.join("metrics-runtime");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let source = folder.join("src");
    let _ = fs::remove_dir_all(&source);
    fs::create_dir_all(source.join("bin")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\nmvx-metrics.path = '{}'\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\n[workspace]\n",
        library.display()
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let modules: Vec<_> = sources.keys().map(|name| format!("mod {name};")).collect();
    let modules = if kind == "lib" { modules.join("\n") } else { String::new() };
    fs::write(source.join("lib.rs"), format!("#![allow(warnings)]\n{modules}\n")).unwrap();
    let target = if kind == "lib" { source } else { source.join("bin") };
    for (name, result) in sources {
        fs::write(target.join(format!("{name}.rs")), result).unwrap();
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["check", "--offline", "--quiet", "--keep-going", "--message-format=short"]);
    cargo.current_dir(&folder).env_remove("RUSTFLAGS");
    cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("target"));
    let output = cargo.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines = errors.lines().filter(|line| line.contains("error"));
    let lines: Vec<_> = lines.map(|line| line.replace('\\', "/")).collect();
    assert!(output.status.success() || !lines.is_empty(), "{errors}");
    (lines, folder)
}

#[test]
fn a_suggestion_takes_the_place_of_the_option_or_of_what_is_underlined() {
    let source = "#[metric(on(\"Saved\", when = x), name = y)]\nstruct Saves {\n    sizes: Breakdown<(u8,), Sum>,\n}\n";
    let edited = |underlined: &str, code: &str| {
        let start = source.find(underlined).unwrap();
        let edit = Place::of(source, start..start + underlined.len()).write(code, &[]);
        apply(source, vec![edit]).unwrap()
    };
    assert!(edited("y", "name = \"y\"").contains("when = x), name = \"y\")]"));
    assert!(edited("Sum", "Sum<u64>").contains("(u8,), Sum<u64>>,"));
    assert!(edited("(u8,)", "Breakdown<u8, Sum>").contains("sizes: Breakdown<u8, Sum>,"));
    assert!(edited("sizes", "value = x").contains("#[dimension(value = x)] sizes: "));
}

#[test]
fn placeholders_are_filled_by_the_nearest_comments() {
    let source = "// <N> = 1\n// <N> = 2\n\n// Event = Saved\nx";
    let filled = |code| fill(source, &(source.len() - 1..source.len()), code);
    assert_eq!(filled("a(<N>, <N>, <N>)").unwrap(), "a(1, 2, 2)");
    assert_eq!(filled("on(Event, EventId)").unwrap(), "on(Saved, EventId)");
    assert!(filled("value = <event field>").unwrap_err().contains("// <event field> = something"));
}
