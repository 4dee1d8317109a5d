//! The committed catalogue: a file that a test compares, and writes when it is told to.

use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use mvx_metrics::catalogue::CatalogueFileError;

use crate::program::program;

/// A folder of one test, which is removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("mvx-metrics-catalogue-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    fn with(&self, json: &str) -> PathBuf {
        let path = self.0.join("metrics.json");
        fs::write(&path, json).expect("a file can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn message(path: &Path) -> String {
    program().catalogue().check_file(path).expect_err("it does not fit").to_string()
}

#[test]
fn a_file_that_fits_is_no_error_whatever_its_line_ends_are() {
    let folder = Folder::new("line-ends");
    let json = program().catalogue().to_json();
    for json in [json.clone(), json.replace('\n', "\r\n"), format!("\u{feff}{json}"), json.replace('\n', " ")]
    {
        program().catalogue().assert_file(folder.with(&json));
    }
}

#[test]
fn a_file_that_does_not_fit_fails_with_the_changes_and_how_to_write_it() {
    let folder = Folder::new("changes");
    let mut older = program();
    older.dimension("sent").unit = Some("kilobytes".into());
    let path = folder.with(&older.catalogue().to_json());
    let expected = format!(
        "the metrics are not those of `{}`:\nbreaking: `sent` of `uploads`: the unit was `kilobytes` and is `bytes` \
         (uploads_sent_kilobytes_total)\nbreaking changes: 1, compatible changes: 0\nif that is meant, write the file: run \
         the test with MVX_METRICS_UPDATE=1, and commit the file",
        path.display()
    );
    assert_eq!(message(&path), expected);
    let panicked = panic::catch_unwind(|| program().catalogue().assert_file(&path)).expect_err("it panics");
    assert_eq!(panicked.downcast_ref::<String>(), Some(&expected));
}

#[test]
fn a_missing_file_and_one_that_is_no_catalogue_say_how_to_write_them() {
    let folder = Folder::new("missing");
    let missing = folder.0.join("metrics.json");
    assert!(matches!(program().catalogue().check_file(&missing), Err(CatalogueFileError::Missing { .. })));
    assert!(message(&missing).contains("MVX_METRICS_UPDATE=1"), "{}", message(&missing));
    let broken = folder.with("<<<<<<< HEAD");
    assert!(matches!(program().catalogue().check_file(&broken), Err(CatalogueFileError::NoCatalogue { .. })));
    assert!(message(&broken).contains("MVX_METRICS_UPDATE=1"), "{}", message(&broken));
    assert!(matches!(program().catalogue().check_file(&folder.0), Err(CatalogueFileError::Io { .. })));
}

#[test]
fn a_file_of_other_help_texts_behind_help_is_out_of_date() {
    let folder = Folder::new("help");
    let json = program().catalogue().to_json();
    let other =
        json.replace("\"help\": \"How much each value of busiest may", "\"help\": \"How far each value may");
    assert_ne!(json, other);
    assert!(message(&folder.with(&other)).contains("it says the same in another way"));
}

/// The variable is that of a whole process, so another one writes.
#[test]
fn the_variable_writes_the_file_and_its_folder() {
    const FOLDER: &str = "MVX_METRICS_TEST_FOLDER";
    if let Some(folder) = env::var_os(FOLDER) {
        return program().catalogue().assert_file(Path::new(&folder).join("inner/metrics.json"));
    }
    let folder = Folder::new("update");
    let run = |update: &str| {
        let mut command = Command::new(env::current_exe().expect("this program has a path"));
        command.args(["--exact", "files::the_variable_writes_the_file_and_its_folder"]);
        let output = command.env(FOLDER, &folder.0).env("MVX_METRICS_UPDATE", update).output();
        output.expect("it runs").status.success()
    };
    let path = folder.0.join("inner/metrics.json");
    assert!(!run("") && !run("0") && !path.exists(), "these write nothing");
    assert!(run("1") && run(""), "it is written, and fits");
    assert_eq!(fs::read_to_string(&path).expect("it was written"), program().catalogue().to_json());
    let windows = program().catalogue().to_json().replace('\n', "\r\n");
    fs::write(&path, &windows).expect("it can be written");
    assert!(run("1"));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), windows, "a file that fits stays as it is");
}
