//! The macros' messages about mistakes, and unusual code that must compile. Covers DL5, DL6, DL7, DL8, LB2.

mod messages;
mod suggestions;

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of cases that compile. Each other folder holds one class of mistakes.
const COMPILES: &str = "compiles";

#[test]
fn mistakes_are_reported_where_they_are() {
    let tests = trybuild::TestCases::new();
    let mut count = 0;
    for case in folders().iter().filter(|folder| !folder.ends_with(COMPILES)).flat_map(|folder| cases(folder))
    {
        tests.compile_fail(case);
        count += 1;
    }
    assert!(count >= 250, "only {count} cases");
}

#[test]
fn unusual_code_compiles() {
    let tests = trybuild::TestCases::new();
    for case in folders().iter().filter(|folder| folder.ends_with(COMPILES)).flat_map(|folder| cases(folder))
    {
        tests.pass(case);
    }
}

/// rustc shows sources of the standard library only where the component `rust-src` is installed.
#[test]
fn no_message_shows_the_standard_library() {
    let mut count = 0;
    for path in folders().iter().flat_map(|folder| entries(folder)) {
        if path.extension().is_some_and(|kind| kind == "stderr") {
            let message = fs::read_to_string(&path).unwrap();
            assert!(!message.contains("$RUST/"), "{} depends on `rust-src`", path.display());
            count += 1;
        }
    }
    assert!(count >= 250, "only {count} messages");
}

/// The test of all suggestions compiles what the messages show.
#[test]
fn lb2_a_closure_without_a_name_is_an_error_that_shows_what_to_write() {
    for (case, errors) in [("closure_without_name", 8), ("closure_without_name_in_a_list", 5)] {
        let cases = messages::mistakes();
        let case = cases.iter().find(|found| found.name == format!("label/{case}")).unwrap();
        let reports: Vec<_> = case.message.lines().filter(|line| line.starts_with("error")).collect();
        assert_eq!(reports.len(), errors, "{}: one error for each breakdown", case.name);
        for report in reports {
            assert!(report.starts_with("error: this label has no name: write `"), "{report}");
        }
    }
}

/// `folder/file` of a case, without its extension.
fn name_of(case: &Path) -> String {
    let parts: Vec<_> = case.iter().rev().take(2).map(|part| part.to_str().unwrap()).collect();
    format!("{}/{}", parts[1], parts[0].trim_end_matches(".rs"))
}

#[test]
fn dl7_duplicate_names_through_flatten_are_refused_in_generic_metrics_too() {
    let reports = reports("name/duplicate_through_flatten_of_a_generic_metric");
    let expected = ["total", "in_total"].map(|name| {
        format!("error[E0080]: evaluation panicked: two dimensions are named `{name}`: add a prefix, `flatten(prefix = \"..\")`")
    });
    assert_eq!(reports, expected);
}

#[test]
fn dl6_a_limit_of_zero_is_refused_in_a_constant_too() {
    let expected = "error[E0080]: evaluation panicked: `limit` must be at least 1";
    assert_eq!(reports("label/limit_is_a_constant_of_zero"), [expected; 2]);
    assert_eq!(reports("label/limit_is_a_constant_of_another_type"), ["error[E0308]: mismatched types"]);
}

#[test]
fn dl6_a_metric_without_any_dimension_is_refused() {
    let expected = ["Empty", "Skipped", "Handled"]
        .map(|metric| format!("error: `{metric}` has no dimension: add a field such as `total: Counter`"));
    assert_eq!(reports("item/metric_without_dimension"), expected);
}

#[test]
fn dl6_a_name_with_an_empty_segment_is_refused() {
    let expected = ["saved", "saves.done", "total", "a.b", "bytes", "loads."]
        .map(|write| format!("error: a name cannot have an empty part between dots: write `\"{write}\"`"));
    let reports = reports("name/empty_segment");
    assert!(expected.iter().all(|expected| reports.contains(expected)), "{reports:?}");
    assert_eq!(reports.len(), expected.len() + 1, "`.loaded` begins with a dot");
}

#[test]
fn dl5_a_wrong_conversion_is_one_error_each() {
    let units = reports("name/unit_of_a_duration");
    assert_eq!(units.len(), 5, "{units:?}");
    assert!(
        units.contains(&"error: `ms` is no unit of a `Duration`: write `unit = milliseconds`".to_owned())
    );
    let alias = "error[E0080]: evaluation panicked: `bytes` is no unit of a `Duration`: write `nanoseconds`, `microseconds`, `milliseconds` or `seconds`";
    assert_eq!(reports("name/unit_of_an_alias"), [alias]);
    let durations = reports("value/from_of_what_is_no_number");
    assert_eq!(durations.len(), 4, "one for each field: {durations:?}");
    assert!(durations.iter().all(|report| report.contains("is no number: remove `from`")), "{durations:?}");
    assert_eq!(reports("value/from_where_no_number_becomes_a_time").len(), 10);
}

#[test]
fn dl6_an_event_that_updates_a_field_twice_is_refused() {
    let expected = ["JobFinished", "Saved"].map(|event| {
        format!("error: this field listens to `{event}` twice: remove this `on(..)`, or write a `when` in each of them")
    });
    assert_eq!(reports("event/listed_twice_on_a_field"), expected[..1]);
    assert_eq!(reports("event/listed_twice_on_a_field_with_one_condition"), expected[1..]);
}

#[test]
fn dl6_a_field_that_no_handler_changes_is_refused() {
    let expected = "error: no handler changes this field: write `on(JobFinished, with = Self::on_event)` on the struct, or remove `manual`";
    assert_eq!(reports("option/manual_without_with"), [expected]);
}

#[test]
fn dl6_work_that_one_event_begins_and_ends_is_refused() {
    let expected = "error: `add` and `sub` of one event cancel out: write `on(Started, add), on(Ended, sub)`";
    assert_eq!(reports("value/in_flight_of_one_event"), [expected]);
    assert_eq!(reports("value/in_flight_adds_and_subtracts_one_field"), [expected]);
}

#[test]
fn dl8_a_misspelt_dimension_type_is_one_error() {
    for (case, ty) in [
        ("misspelt", "Conter"),
        ("in_lower_case", "counter"),
        ("not_imported", "Counter"),
        ("top_is_misspelt", "Tpo"),
        ("recent_is_misspelt", "Recnt"),
        ("duration_not_imported", "Duration"),
    ] {
        let expected = format!("error[E0425]: cannot find type `{ty}` in this scope");
        assert_eq!(reports(&format!("dimension/{case}")), [expected]);
    }
}

/// The first lines of all errors of a case.
fn reports(case: &str) -> Vec<String> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let message = fs::read_to_string(cases.join(format!("{case}.stderr"))).unwrap();
    message.lines().filter(|line| line.starts_with("error")).map(str::to_owned).collect()
}

fn folders() -> Vec<PathBuf> {
    entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("ui"))
}

/// The cases of a folder, which must not be empty.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut cases = entries(folder);
    cases.retain(|path| path.extension().is_some_and(|kind| kind == "rs"));
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    cases
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    entries
}
