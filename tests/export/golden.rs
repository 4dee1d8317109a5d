//! Covers the text of both scopes in both formats, byte by byte, and that a snapshot renders to the same text.

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{MetricsRuntime, RecorderOptions};

use crate::fixtures::{Outcome, RequestStarted, Requests, finished, recorder, running};

/// Two registered recorders, a removed one, and one in another namespace.
fn service() -> MetricsRuntime {
    let runtime = running("shop");
    let (one, removed) = (recorder(&runtime, "connection-1"), recorder(&runtime, "connection-2"));
    let other = RecorderOptions::new().namespace("back \"office\"\\\n").entity_id("ü");
    let other = runtime.create_recorder_with("other", other).expect("the id is free");
    other.register_metric(Requests::default()).expect("the recorder runs");
    for (recorder, path) in [(&one, "/"), (&removed, "/a\"b\\c\nd"), (&removed, "/x"), (&removed, "/y")] {
        recorder.emit(RequestStarted);
        let outcome = if path == "/" { Outcome::Success } else { Outcome::Failure };
        let mut finished = finished(outcome, 250 * path.len() as u64);
        finished.path = path;
        recorder.emit(finished);
    }
    one.emit(RequestStarted);
    recorder(&runtime, "idle");
    runtime.stop_and_remove_recorder("connection-2").expect("it stops");
    runtime
}

/// The text without the times since when series count: they differ from run to run.
fn without_times(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("_created{") {
        Some(_) => line.rsplit_once(' ').map_or(line.to_owned(), |(series, _)| format!("{series} TIME")),
        None => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

pub fn check(name: &str, text: &str) {
    let text = without_times(text);
    let path = format!("{}/export/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("MVX_BLESS").is_some() {
        std::fs::write(&path, &text).expect("the golden file can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} differs; read the text, then accept it with MVX_BLESS=1\n{text}");
}

#[test]
fn the_expositions_are_as_in_the_golden_files() {
    let runtime = service();
    for (scope, name) in [(Scope::Rollup, "rollup"), (Scope::PerEntity, "per_entity")] {
        for (format, extension) in
            [(Format::OpenMetrics, "openmetrics.txt"), (Format::Prometheus, "prometheus.txt")]
        {
            let exposition = runtime.exposition(scope, format).expect("the runtime runs");
            assert_eq!(exposition.skipped, []);
            check(&format!("{name}.{extension}"), &exposition.text);
            let snapshot = runtime.snapshot().expect("the runtime runs");
            assert_eq!(
                snapshot.exposition(scope, format).text,
                exposition.text,
                "a snapshot renders to the same text"
            );
        }
    }
}
