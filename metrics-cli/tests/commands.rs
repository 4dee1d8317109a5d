//! The commands of `mvx-metrics`, run as a shell runs them: what they print, and their exit codes.

use std::fs;
use std::io::pipe;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mvx_metrics::catalogue::Catalogue;
use mvx_metrics::{
    Breakdown, Counter, Gauge, Histogram, Label, Mean, Metric, Recent, Sum, Top, catalogue, metric_event,
};

#[derive(Label)]
#[expect(dead_code, reason = "no event is emitted")]
enum Outcome {
    Stored,
    Failed,
}

#[metric_event]
struct UploadEnded {
    outcome: Outcome,
    user: String,
    took: Duration,
    bytes: u64,
}

#[metric_event]
struct QueueChecked {
    length: i64,
}

/// Uploads to the store.
#[derive(Metric, Default)]
#[metric(name = "uploads", on(UploadEnded))]
struct Uploads {
    /// Uploads by outcome. Failed ones are tried again.
    #[dimension(by = outcome)]
    ended: Breakdown<Outcome, Counter>,
    /// How long an upload took.
    #[dimension(value = took, buckets = [0.1, 1])]
    took: Histogram<Duration>,
    /// Bytes by user, in $ and {{braces}}.
    #[dimension(by = user, value = bytes, unit = bytes, limit = 100)]
    sent: Breakdown<String, Sum<u64>>,
    /// The users with the most bytes.
    #[dimension(by = user, value = bytes, unit = bytes, keep = 5)]
    largest: Top<String, Sum<u64>>,
    #[dimension(value = bytes, unit = bytes)]
    size: Mean<u64>,
    #[dimension(value = bytes, unit = bytes)]
    lately: Recent<Sum<u64>, 60>,
}

/// Work that waits.
#[derive(Metric, Default)]
#[metric(name = "backlog", on(QueueChecked))]
struct Backlog {
    #[dimension(set = length, merge = max)]
    length: Gauge<i64>,
}

mod renamed {
    //! The next version of the program: `ended` is called `finished`.

    use super::{
        Breakdown, Counter, Duration, Histogram, Mean, Metric, Outcome, Recent, Sum, Top, UploadEnded,
    };

    /// Uploads to the store.
    #[derive(Metric, Default)]
    #[metric(name = "uploads", on(UploadEnded))]
    pub(super) struct Uploads {
        /// Uploads by outcome. Failed ones are tried again.
        #[dimension(by = outcome)]
        finished: Breakdown<Outcome, Counter>,
        /// How long an upload took.
        #[dimension(value = took, buckets = [0.1, 1])]
        took: Histogram<Duration>,
        /// Bytes by user, in $ and {{braces}}.
        #[dimension(by = user, value = bytes, unit = bytes, limit = 100)]
        sent: Breakdown<String, Sum<u64>>,
        /// The users with the most bytes.
        #[dimension(by = user, value = bytes, unit = bytes, keep = 5)]
        largest: Top<String, Sum<u64>>,
        #[dimension(value = bytes, unit = bytes)]
        size: Mean<u64>,
        #[dimension(value = bytes, unit = bytes)]
        lately: Recent<Sum<u64>, 60>,
    }
}

fn uploads() -> Catalogue {
    catalogue![Uploads, Backlog].expect("no name stands for two things")
}

/// A folder that is removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).expect("the folder can be made");
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("the file can be written");
        path.to_str().expect("it is a text").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: i32,
    output: String,
    errors: String,
}

fn run(arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_mvx-metrics")).args(arguments).output();
    let output = output.expect("the command can be run");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Ended {
        code: output.status.code().expect("no signal ends it"),
        output: text(output.stdout),
        errors: text(output.stderr),
    }
}

/// What a command prints when it succeeds.
fn printed(arguments: &[&str]) -> String {
    let Ended { code, output, errors } = run(arguments);
    assert_eq!((code, &*errors), (0, ""), "{output}");
    output
}

fn check_golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("MVX_BLESS").is_some() {
        fs::write(&path, text).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} differs; read the text, then accept it with MVX_BLESS=1\n{text}");
}

#[test]
fn ca3_the_dashboard_is_as_in_the_golden_file() {
    let folder = Folder::new("dashboard");
    let catalogue = folder.file("catalogue.json", &uploads().to_json());
    let dashboard = printed(&["dashboard", &catalogue, "--title", "Uploads"]);
    check_golden("dashboard.json", &dashboard);
    let path = folder.file("dashboard.json", "");
    let options = ["--title", "Uploads", "--output", &path];
    assert_eq!(printed(&[&["dashboard", &catalogue][..], &options].concat()), "");
    assert_eq!(fs::read_to_string(path).expect("it was written"), dashboard);
}

#[test]
fn ca3_the_rules_are_as_in_the_golden_file() {
    let folder = Folder::new("rules");
    let catalogue = folder.file("catalogue.json", &uploads().to_json());
    check_golden("rules.yml", &printed(&["rules", &catalogue]));
    let options = ["--window", "10m", "--for", "1h", "--interval", "30s", "--error-ratio", "0.2"];
    let more = ["--severity", "page", "--namespace-label", "program"];
    check_golden("rules_with_options.yml", &printed(&[&["rules", &catalogue][..], &options, &more].concat()));
}

#[test]
fn a_new_metric_moves_panels_and_changes_no_other_one() {
    let folder = Folder::new("stable");
    let panels = |name: &str, catalogue: &Catalogue| -> Vec<serde_json::Value> {
        let path = folder.file(name, &catalogue.to_json());
        let json: serde_json::Value =
            serde_json::from_str(&printed(&["dashboard", &path])).expect("it is JSON");
        let mut panels = json["panels"].as_array().expect("a list").clone();
        for panel in &mut panels {
            panel["gridPos"] = serde_json::Value::Null;
        }
        panels
    };
    let before = panels("before.json", &catalogue![Uploads].expect("no name stands for two things"));
    let after = panels("after.json", &uploads());
    assert_eq!(after.len(), before.len() + 2);
    for panel in before {
        assert!(after.contains(&panel), "{panel:#}");
    }
}

#[test]
fn the_uid_follows_from_the_title_unless_it_is_given() {
    let folder = Folder::new("uid");
    let catalogue = folder.file("catalogue.json", &uploads().to_json());
    let uid = |options: &[&str]| {
        let json = printed(&[&["dashboard", &catalogue], options].concat());
        let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        json["uid"].as_str().expect("a text").to_owned()
    };
    let of_title = uid(&["--title", "A"]);
    assert!(of_title.len() <= 40 && of_title == uid(&["--title", "A"]) && of_title != uid(&["--title", "B"]));
    assert_eq!(uid(&["--title", "A", "--uid", "shop-1"]), "shop-1");
}

#[test]
fn ca3_without_metrics_all_is_about_health_and_the_command_says_so() {
    let folder = Folder::new("empty");
    let empty = catalogue![].expect("there is nothing in it");
    let path = folder.file("empty.json", &empty.to_json());
    let Ended { code, output, errors } = run(&["rules", &path]);
    assert_eq!((code, output.matches("- alert: ").count(), output.matches("- record: ").count()), (0, 8, 0));
    let said = "has no metrics: the result is about the health of the measurement alone";
    assert_eq!(errors, format!("mvx-metrics: {path} {said}\n"));
    let dashboard = run(&["dashboard", &path]);
    assert_eq!((dashboard.code, dashboard.output.matches("\"type\": \"row\"").count()), (0, 1));
    assert_eq!(dashboard.errors, format!("mvx-metrics: {path} {said}\n"));
}

/// `git show` of a branch that has no catalogue yet leaves an empty file.
#[test]
fn an_empty_file_is_told_how_to_compare_with_nothing() {
    let folder = Folder::new("no_catalogue_yet");
    let catalogue = folder.file("new.json", &uploads().to_json());
    let empty = folder.file("old.json", "\n");
    let Ended { code, errors, .. } = run(&["catalogue", "diff", &empty, &catalogue]);
    let nothing = r#"{"schema": 1, "metrics": []}"#;
    let expected = format!("mvx-metrics: {empty} is empty: a catalogue without metrics is {nothing}\n");
    assert_eq!((code, errors), (2, expected));
    let without = folder.file("old.json", nothing);
    assert!(
        printed(&["catalogue", "diff", &without, &catalogue])
            .contains("compatible: `uploads`: the metric is new")
    );
}

#[test]
fn a_catalogue_is_shown_as_a_page_for_people() {
    let folder = Folder::new("show");
    let catalogue = folder.file("catalogue.json", &uploads().to_json());
    let page = printed(&["catalogue", "show", &catalogue]);
    assert!(page.contains("uploads_ended_total (counter by outcome)"), "{page}");
    assert_eq!(page, uploads().to_markdown());
}

/// The same catalogue, a compatible one, and a breaking one.
fn three_versions(folder: &Folder) -> [String; 3] {
    let uploads = catalogue![Uploads].expect("no name stands for two things");
    let renamed = catalogue![renamed::Uploads].expect("no name stands for two things");
    let more = self::uploads();
    [("old.json", uploads), ("more.json", more), ("renamed.json", renamed)]
        .map(|(name, catalogue)| folder.file(name, &catalogue.to_json()))
}

#[test]
fn ca2_a_difference_ends_with_1_when_it_breaks_something() {
    let folder = Folder::new("diff");
    let [old, more, renamed] = three_versions(&folder);
    assert_eq!(printed(&["catalogue", "diff", &old, &old]), "breaking changes: 0, compatible changes: 0\n");
    assert_eq!(
        printed(&["catalogue", "diff", &old, &more]),
        "compatible: `backlog`: the metric is new\nbreaking changes: 0, compatible changes: 1\n"
    );
    let Ended { code, output, errors } = run(&["catalogue", "diff", &old, &renamed]);
    assert_eq!((code, &*errors), (1, ""));
    assert!(
        output.contains("breaking: `ended` of `uploads`: the dimension was renamed to `finished`"),
        "{output}"
    );
    assert!(!output.contains("place"), "nothing was looked for: {output}");
}

#[test]
fn ca2_a_difference_names_the_alerts_that_it_breaks() {
    let folder = Folder::new("used");
    let [old, _, renamed] = three_versions(&folder);
    // Those that the command itself writes for the older catalogue, and those of people.
    let rules = folder.file("generated.yml", &printed(&["rules", &old]));
    let dashboard = folder.file("dashboard.json", &printed(&["dashboard", &old]));
    let own = folder.file(
        "own.yml",
        "groups:\n  - name: uploads\n    rules:\n      # uploads_ended_total\n      - expr: rate(uploads_ended_total[5m]) == 0\n        \
         alert: NoUploads\n      - alert: Slow\n        expr: namespace:uploads_took_seconds:p95_5m > 1\n",
    );
    let arguments = ["catalogue", "diff", &old, &renamed, "--used-in", &rules, &dashboard, &own];
    let Ended { code, output, errors } = run(&arguments);
    assert_eq!((code, &*errors), (1, ""));
    let folder = format!("{}{MAIN_SEPARATOR}", folder.0.display());
    check_golden("used_in.txt", &output.replace(&folder, ""));
    let lines: Vec<&str> = output.lines().map(str::trim).collect();
    for expected in [
        "own.yml:5: alert NoUploads: uploads_ended_total",
        "alert UploadsEndedErrorRatio: namespace:uploads_ended:error_ratio5m",
        "panel Uploads by outcome: uploads_ended_total",
    ] {
        assert!(lines.iter().any(|line| line.ends_with(expected)), "{expected} is not in\n{output}");
    }
    assert!(!output.contains("alert Slow"), "its series goes on:\n{output}");
}

/// A look at each line for each name would take minutes.
#[test]
fn a_thousand_renamed_metrics_are_looked_for_within_seconds() {
    let folder = Folder::new("many");
    let of = |prefix: &str| {
        let mut catalogue = catalogue![Uploads].expect("no name stands for two things");
        let model = catalogue.metrics.remove(0);
        catalogue.metrics.extend((0..1_000).map(|number| {
            let mut metric = model.clone();
            metric.name = format!("{prefix}.{number:03}");
            metric.help = format!("Uploads to store {number}.");
            let families = metric.dimensions.iter_mut().flat_map(|dimension| &mut dimension.families);
            families.for_each(|family| family.name = format!("{prefix}_{number:03}_{}", family.name));
            metric
        }));
        folder.file(&format!("{prefix}.json"), &catalogue.to_json())
    };
    let (old, new) = (of("a"), of("b"));
    let rules = folder.file("rules.yml", &printed(&["rules", &old]));
    let dashboard = folder.file("dashboard.json", &printed(&["dashboard", &old]));
    let start = Instant::now();
    let Ended { code, output, .. } = run(&["catalogue", "diff", &old, &new, "--used-in", &rules, &dashboard]);
    assert!(start.elapsed() < Duration::from_mins(1), "it took {:?}", start.elapsed());
    assert_eq!(code, 1);
    let found = "these changes break 17000 places: 1000 alerts, 8000 recording rules, 8000 panels\n";
    assert!(output.ends_with(found), "{}", output.lines().last().unwrap_or_default());
}

#[test]
fn a_file_with_a_mark_of_the_byte_order_is_read() {
    let folder = Folder::new("mark");
    let plain = folder.file("plain.json", &uploads().to_json());
    let marked = folder.file("marked.json", &format!("\u{feff}{}", uploads().to_json()));
    assert_eq!(
        printed(&["catalogue", "diff", &marked, &plain]),
        "breaking changes: 0, compatible changes: 0\n"
    );
}

#[test]
fn a_reader_that_has_gone_away_is_no_panic() {
    let folder = Folder::new("pipe");
    let empty = catalogue![].expect("there is nothing in it");
    let empty = folder.file("empty.json", &empty.to_json());
    let missing = folder.0.join("missing.json").to_str().expect("it is a text").to_owned();
    let closed = || {
        let (reader, writer) = pipe().expect("there are pipes");
        drop(reader);
        writer
    };
    for (arguments, code) in
        [(["rules", &empty], 0), (["rules", &missing], 2), (["dashboard", &empty], 0), (["--help", ""], 0)]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mvx-metrics"));
        command.args(arguments.iter().filter(|argument| !argument.is_empty()));
        let status = command.stdout(closed()).stderr(closed()).status().expect("the command can be run");
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn no_message_steers_the_terminal() {
    let folder = Folder::new("terminal");
    let json = uploads().to_json();
    let name = folder.file("name.json", &json.replace("uploads_ended_total", "a\\n\\u001b[31m"));
    let kind = folder.file("kind.json", &json.replace("\"counter\"", "\"a\\n\\u001b[31m\""));
    for path in [name, kind] {
        let Ended { code, errors, .. } = run(&["rules", &path]);
        assert_eq!((code, errors.lines().count()), (2, 1), "{errors}");
        assert!(errors.contains("`a\\n\\u{1b}[31m`"), "{errors}");
    }
}

#[test]
fn bad_files_end_with_2_and_are_named() {
    let folder = Folder::new("bad");
    let good = folder.file("good.json", &uploads().to_json());
    let missing = folder.0.join("missing.json").to_str().expect("it is a text").to_owned();
    let broken = folder.file("broken.json", "{\"schema\": 1, \"metrics\": [");
    let other = folder.file("other.json", "[1, 2]");
    let later = folder.file("later.json", "{\"schema\": 2, \"metrics\": []}");
    let edited =
        folder.file("edited.json", &uploads().to_json().replace("uploads_ended_total", "uploads ended{}"));
    let nowhere = folder.0.join("no/such/folder").to_str().expect("it is a text").to_owned();
    let cases: [(&[&str], &str, &str); 9] = [
        (&["catalogue", "diff", &missing, &good], &missing, "cannot be read: "),
        (&["catalogue", "diff", &good, &broken], &broken, ": the text is no catalogue: "),
        (&["catalogue", "show", &other], &other, ": the text is no catalogue: "),
        (&["rules", &later], &later, ": the catalogue has the schema 2, and this version knows the schema 1"),
        (&["dashboard", &later], &later, ": the catalogue has the schema 2"),
        (&["catalogue", "diff", &good, &good, "--used-in", &missing], &missing, "cannot be read: "),
        (&["rules", &edited], &edited, "has the invalid name `uploads ended{}`"),
        (&["dashboard", &edited], &edited, "has the invalid name `uploads ended{}`"),
        (&["rules", &good, "-o", &nowhere], &nowhere, "cannot be written: "),
    ];
    for (arguments, file, message) in cases {
        let Ended { code, output, errors } = run(arguments);
        assert_eq!((code, &*output), (2, ""), "{arguments:?}");
        assert!(
            errors.starts_with("mvx-metrics: ") && errors.contains(file) && errors.contains(message),
            "{errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

#[test]
fn bad_options_end_with_2_and_say_what_is_valid() {
    for (arguments, message) in [
        (["rules", "--window", "5"], "a duration is a number above 0 with a unit"),
        (["rules", "--error-ratio", "5%"], "a ratio is a number from 0 to 1"),
        (["rules", "--namespace-label", "a b"], "a label has ASCII letters, digits and `_`"),
        (["dashboard", "--title", " "], "Grafana takes no dashboard without a title"),
        (["dashboard", "--uid", "a/b"], "an id has 1 to 40 letters, digits, `-` and `_`"),
    ] {
        let Ended { code, errors, .. } = run(&[&arguments[..], &["catalogue.json"]].concat());
        assert_eq!(code, 2, "{arguments:?}");
        assert!(errors.contains(message), "{errors}");
    }
}

/// Each block of the README that is marked as `text` or `yaml` is a part of what the commands print.
#[test]
fn the_readme_shows_what_the_commands_print() {
    let golden = ["rules.yml", "used_in.txt"].map(|name| {
        let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(path).expect("the golden file is there")
    });
    let known = golden.join("\n");
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).expect("the package has one");
    let mut blocks = 0;
    for (position, fence) in readme.match_indices("```") {
        let block = &readme[position + fence.len()..];
        let Some(block) = ["text\n", "yaml\n"].into_iter().find_map(|language| block.strip_prefix(language))
        else {
            continue;
        };
        let (block, _) = block.split_once("```").expect("the block ends");
        assert!(known.contains(block), "no command prints\n{block}");
        blocks += 1;
    }
    assert_eq!(blocks, 2);
    for command in ["catalogue diff", "catalogue show", "dashboard", "rules", "top"] {
        assert!(readme.contains(&format!("mvx-metrics {command}")), "{command} is not in the README");
    }
}
