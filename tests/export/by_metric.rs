//! Breakdowns of metrics at the edge: texts, messages and totals show each dimension as a breakdown. Covers DL1.

use std::time::Duration;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    Breakdown, Counter, Gauge, Histogram, Metric, MetricsRecorder, MetricsRuntime, metric_event,
};

use crate::fixtures::{FORMATS, SCOPES, assert_grouped, running, value};
use crate::protobuf::assert_same_of;

#[metric_event]
struct Answered {
    host: &'static str,
    took: Duration,
    open: i64,
}

#[derive(Metric, Default)]
#[metric(on(Answered))]
struct HostStats {
    /// All answers.
    answers: Counter,
    /// How long an answer took.
    #[dimension(value = took, buckets = [0.1, 1.0])]
    took: Histogram<Duration>,
    /// Open connections.
    #[dimension(set = open)]
    open: Gauge<i64>,
}

/// Answers.
#[derive(Metric, Default)]
#[metric(name = "answers", on(Answered), by = host, limit = 4)]
struct Answers {
    per_host: Breakdown<&'static str, HostStats>,
}

/// The same with a breakdown for each dimension.
#[expect(clippy::struct_field_names, reason = "the names of a breakdown of a metric")]
#[derive(Metric, Default)]
#[metric(name = "answers", on(Answered), by = host, limit = 4)]
struct Apart {
    /// All answers.
    per_host_answers: Breakdown<&'static str, Counter>,
    /// How long an answer took.
    #[dimension(value = took, buckets = [0.1, 1.0])]
    per_host_took: Breakdown<&'static str, Histogram<Duration>>,
    /// Open connections.
    #[dimension(set = open)]
    per_host_open: Breakdown<&'static str, Gauge<i64>>,
}

fn recorder<M: Metric + Default>(
    runtime: &MetricsRuntime,
    id: &str,
    hosts: &[&'static str],
) -> MetricsRecorder {
    let recorder = runtime.create_recorder(id).expect("the id is free");
    recorder.register_metric(M::default()).expect("it runs");
    for (host, open) in hosts.iter().zip(1..) {
        recorder.emit(Answered { host, took: Duration::from_millis(250), open });
    }
    recorder.flush().wait().expect("it runs");
    recorder
}

/// Two recorders that run, and one that was removed.
fn service<M: Metric + Default>() -> MetricsRuntime {
    let runtime = running("shop");
    recorder::<M>(&runtime, "one", &["a", "b", "a", "c"]);
    recorder::<M>(&runtime, "two", &["b", "d"]);
    recorder::<M>(&runtime, "gone", &["e", "a"]);
    runtime.stop_and_remove_recorder("gone").expect("it stops");
    runtime
}

fn text_of(runtime: &MetricsRuntime, scope: Scope, format: Format) -> String {
    let exposition = runtime.exposition(scope, format).expect("it can be read");
    assert_eq!(exposition.skipped, []);
    assert_grouped(&exposition.text);
    exposition.text
}

/// The lines of the metric, without the times since when series count.
fn of_metric(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains("answers_per_host") && !line.contains("_created{")).collect()
}

#[test]
fn dl1_the_texts_are_those_of_a_breakdown_for_each_dimension() {
    let (grouped, apart) = (service::<Answers>(), service::<Apart>());
    for (scope, format) in SCOPES.into_iter().flat_map(|scope| FORMATS.map(|format| (scope, format))) {
        let (grouped, apart) = (text_of(&grouped, scope, format), text_of(&apart, scope, format));
        assert_eq!(of_metric(&grouped), of_metric(&apart), "{scope:?} {format:?}");
        assert!(of_metric(&grouped).len() > 20, "{grouped}");
    }
}

#[test]
fn dl1_the_text_adds_up_recorders_within_their_limits() {
    let runtime = service::<Answers>();
    let text = text_of(&runtime, Scope::Rollup, Format::Prometheus);
    let answers = |host: &str| {
        value(&text, &format!("answers_per_host_answers_total{{namespace=\"shop\",host=\"{host}\"}}"))
    };
    assert_eq!((answers("a"), answers("b"), answers("other")), (3.0, 2.0, 1.0), "{text}");
    assert!(text.contains("# HELP answers_per_host_took_seconds How long an answer took.\n"), "{text}");
    let bucket = "answers_per_host_took_seconds_bucket{namespace=\"shop\",host=\"a\",le=\"0.1\"}";
    assert!(value(&text, bucket).abs() < 0.5);
    // The gauge of the removed recorder is gone, and its counts stay.
    assert!(!text.contains("answers_per_host_open{namespace=\"shop\",host=\"e\"}"), "{text}");
    assert!((answers("e") - 1.0).abs() < 0.5);
}

#[test]
fn dl1_the_messages_say_what_the_texts_say() {
    assert_same_of(&service::<Answers>());
}

#[test]
fn dl1_typed_totals_have_the_labels_of_all_recorders() {
    let runtime = service::<Answers>();
    let totals = runtime.totals(Scope::Rollup).expect("it can be read");
    let answers = totals.get::<Answers>("shop").expect("they are declared alike");
    let of = |host: &'static str| answers.per_host.get(host).map(|stats| (stats.answers, stats.open));
    assert_eq!(of("a"), Some((3, Some(3))));
    assert_eq!(of("e"), Some((1, None)), "its gauge went with its recorder");
    let json = serde_json::to_string(&totals).expect("it is written");
    let back: mvx_metrics::Totals = serde_json::from_str(&json).expect("it is read");
    assert_eq!(back.get::<Answers>("shop"), Some(answers));
}
