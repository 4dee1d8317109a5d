//! The macros' messages about mistakes, and unusual code that must compile. Covers LB2.

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
