//! Checks `docs/behaviours.md` against the names of all tests: every id has a test, and every id of a test is listed. A few
//! behaviours depend on a thread that is preempted at one instruction; the library's own unit tests show them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Ids, each with the files that have tests of it.
type Coverage = BTreeMap<String, BTreeSet<String>>;

/// The id of a test function, such as `EV1` or `RT_B2`, if its name begins with one.
fn id_of(function: &str) -> Option<String> {
    let is_code = |text: &str, letters: usize| {
        let (start, number) = text.split_at_checked(letters).unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && start.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let parts: Vec<&str> = function.splitn(3, '_').collect();
    match parts[..] {
        [first, _, ..] if is_code(first, 2) => Some(first.to_uppercase()),
        [group, code, _] if group.len() == 2 && is_code(code, 1) => {
            Some(format!("{group}_{code}").to_uppercase())
        }
        _ => None,
    }
}

/// The names of the test functions in a file that the harness runs on each call.
fn test_functions(text: &str) -> Vec<&str> {
    let (mut functions, mut is_test, mut is_ignored) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]");
            is_ignored |= line.starts_with("#[ignore");
        } else if let Some(function) = line.strip_prefix("fn ").filter(|_| is_test && !is_ignored) {
            functions.push(function);
        }
        // Attributes and comments may stand between `#[test]` and the function.
        let is_between = line.starts_with("#[") || line.starts_with("//");
        (is_test, is_ignored) = (is_test && is_between, is_ignored && is_between);
    }
    functions
}

/// The names of the tests in a file that Node.js runs: `test("pg1_..", ..)`, at the begin of a line or in a loop. A template
/// ends at its first variable part.
fn browser_tests(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix("test("))
        .filter_map(|rest| rest.strip_prefix(['"', '`']))
        .filter_map(|rest| rest.split(['"', '`', '$']).next())
        .collect()
}

/// Adds the tests of all files in a folder. Cases of compile errors are no tests.
fn add_tests(root: &Path, folder: &Path, coverage: &mut Coverage) {
    for entry in fs::read_dir(folder).expect("the folder of the tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("ui") {
            add_tests(root, &path, coverage);
        } else if let Some(functions) = test_reader(&path) {
            let file = path.strip_prefix(root).expect("below the root").with_extension("");
            let file = file.to_str().expect("a name in ASCII").replace('\\', "/");
            let text = fs::read_to_string(&path).expect("a text");
            for id in functions(&text).into_iter().filter_map(id_of) {
                coverage.entry(id).or_default().insert(file.clone());
            }
        }
    }
}

/// How the tests of a file are found; `None` for files without tests.
fn test_reader(path: &Path) -> Option<fn(&str) -> Vec<&str>> {
    match path.extension()?.to_str()? {
        "rs" => Some(test_functions),
        "mjs" => Some(browser_tests),
        _ => None,
    }
}

/// The ids that the page lists, each with its files.
fn listed(page: &str) -> Coverage {
    let mut coverage = Coverage::new();
    for item in page.split("\n- **").skip(1) {
        let (id, text) = item.split_once("** ").expect("an id in bold");
        let text = text.split("\n\n").next().unwrap_or_default();
        let (_, files) = text.rsplit_once('(').expect("files in parentheses");
        let files = files.trim_end().strip_suffix(')').expect("files at the end of the line");
        let files = files.split(',').map(|file| file.trim().to_owned()).collect();
        assert!(coverage.insert(id.to_owned(), files).is_none(), "{id} is listed twice");
    }
    coverage
}

#[test]
fn every_listed_behaviour_has_tests_and_every_id_of_a_test_is_listed() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = tests.join("../docs/behaviours.md");
    let listed = listed(&fs::read_to_string(page).expect("docs/behaviours.md"));
    let mut tested = Coverage::new();
    add_tests(tests, tests, &mut tested);
    let library = tests.join("../metrics-runtime");
    add_tests(&library, &library.join("src"), &mut tested);
    // Packages that are built on the library have their tests beside them.
    let root = tests.join("..");
    add_tests(&root, &root.join("metrics-otlp"), &mut tested);
    add_tests(&root, &root.join("metrics-cli"), &mut tested);
    assert!(listed.len() > 100, "only {} ids: was the page read?", listed.len());
    for (id, files) in &listed {
        let found = tested.get(id);
        assert!(found.is_some(), "{id} is in docs/behaviours.md and has no test `{}_..`", id.to_lowercase());
        assert_eq!(Some(files), found, "the files that docs/behaviours.md names for {id}");
    }
    for (id, files) in &tested {
        assert!(listed.contains_key(id), "{id} has tests in {files:?} and is not in docs/behaviours.md");
    }
}

#[test]
fn only_functions_that_the_harness_runs_are_tests() {
    let text = "
        #[test]
        fn runs() {}
        fn helper() {}
        #[test]
        #[ignore = \"slow\"]
        fn ignored() {}
        #[test]
        // A comment.
        #[cfg_attr(miri, ignore = \"slow\")]
        fn runs_too(value in 0..1) {}
        #[cfg(unix)]
        fn other_helper() {}";
    assert_eq!(test_functions(text), ["runs() {}", "runs_too(value in 0..1) {}"]);
}

#[test]
fn tests_of_the_browser_have_names_too() {
    let text = "
        import { test } from \"node:test\";
test(\"pg1_a\", async () => {});
// test(\"pg1_b\", async () => {});
test.skip(\"pg1_c\", async () => {});
  test(`pg2_of_${width}_pixels`, scoped(async (scope) => {
    assert.match(test(name), /d/);";
    assert_eq!(browser_tests(text), ["pg1_a", "pg2_of_"]);
}

#[test]
fn the_id_of_a_test_is_the_prefix_of_its_name() {
    let names = [
        "ev1_a",
        "rt_b2_a",
        "rt_m2_100_000_recorders",
        "rc19_of_64",
        "fl_a",
        "ev_1",
        "lib_a",
        "a_b1_c",
        "ev1",
    ];
    let ids = ["EV1", "RT_B2", "RT_M2", "RC19"].map(|id| Some(id.to_owned()));
    assert_eq!(names.map(id_of)[..4], ids);
    assert_eq!(names.map(id_of)[4..], [const { None }; 5]);
}
