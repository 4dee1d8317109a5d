//! Which log events each operation writes, with all their fields.
//! Covers LG1 and ST15; `logging_policies.rs` has what the policies change, `logging_subjects.rs` which recorder a line is about.

use std::error::Error;

use mvx_metrics::{
    EventHandler, LogPolicy, Metric, MetricSnapshot, MetricsRecorder, MetricsRecorderError, MetricsRuntime,
    MetricsRuntimeError, RecorderOptions, TypedMetric,
};
use mvx_metrics_tests::capture::{self, Logged, about, titles};
use mvx_metrics_tests::{
    Act, Direct, Gate, HooksAndListener, Script, SnapshotPanics, Steps, bounded, in_threads,
};

use LogPolicy::{Inspection, Normal};

/// A runtime that is not started.
fn runtime(namespace: &str, policy: LogPolicy) -> MetricsRuntime {
    capture::install();
    MetricsRuntime::builder(namespace).log_policy(policy).build().expect("a valid namespace")
}

pub fn running(namespace: &str, policy: LogPolicy) -> MetricsRuntime {
    let runtime = runtime(namespace, policy);
    runtime.start().expect("starts");
    runtime
}

/// A direct recorder.
pub fn direct(
    application: &Direct,
    entity_id: &str,
    policy: LogPolicy,
    options: RecorderOptions,
) -> MetricsRecorder {
    capture::install();
    application.recorder(options.entity_id(entity_id).log_policy(policy))
}

/// A log event as one line: level and target, then all fields without `event`, the elapsed time, and the fields that say which
/// recorder it is about. `logging_subjects.rs` has those.
pub fn line(logged: &Logged) -> String {
    let mut line = format!("{} {}", logged.level, logged.target);
    for (name, value) in &logged.fields {
        match *name {
            "event"
            | "entity_id"
            | "namespace"
            | "recorder_id"
            | "recorder_entity_id"
            | "recorder_namespace"
            | "queue_max_size"
            | "queue_overflow_policy" => {}
            "elapsed_seconds" => {
                let elapsed: f64 = value.parse().expect("a number of seconds");
                assert!((0.0..60.0).contains(&elapsed), "{elapsed}");
                line.push_str(" elapsed");
            }
            name => line.extend([" ", name, "=", value]),
        }
    }
    line
}

/// The lines that were logged with this entity id and event.
pub fn lines(entity_id: &str, event: &str) -> Vec<String> {
    about(entity_id).iter().filter(|logged| logged.field("event") == event).map(line).collect()
}

/// An error with its sources, as the log shows it.
fn shown(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", shown(source)),
        None => error.to_string(),
    }
}

/// An error of a recorder or of a runtime.
trait Failure: Error {
    fn reason(&self) -> &'static str;
}

impl Failure for MetricsRecorderError {
    fn reason(&self) -> &'static str {
        Self::reason(self)
    }
}

impl Failure for MetricsRuntimeError {
    fn reason(&self) -> &'static str {
        Self::reason(self)
    }
}

/// Checks that the operation was logged once, from its invocation to its success.
#[track_caller]
fn assert_success(target: &str, entity_id: &str, event: &str, metric: &str, states: [&str; 2]) {
    let [before, after] = states;
    let expected = [
        format!("DEBUG mvx_metrics::{target}{metric} phase=invoke state={before}"),
        format!("INFO mvx_metrics::{target} elapsed{metric} phase=success state={after}"),
    ];
    assert_eq!(lines(entity_id, event), expected, "{event}");
}

/// Checks that the operation was logged once, from its invocation to its failure.
#[track_caller]
fn assert_failure(
    target: &str,
    entity_id: &str,
    event: &str,
    metric: &str,
    states: [&str; 2],
    error: &dyn Failure,
) {
    let ([before, after], error, reason) = (states, shown(error), error.reason());
    let expected = [
        format!("DEBUG mvx_metrics::{target}{metric} phase=invoke state={before}"),
        format!(
            "WARN mvx_metrics::{target} elapsed error={error}{metric} phase=failed reason={reason} state={after}"
        ),
    ];
    assert_eq!(lines(entity_id, event), expected, "{event}");
}

const RUNTIME: &str = "runtime";
const RECORDER: &str = "recorder";

#[test]
fn lg1_the_start_of_a_runtime() {
    bounded(|| {
        let id = "lg.1.runtime.start";
        let _runtime = running(id, Normal);
        assert_success(RUNTIME, id, "metrics_runtime.start", "", ["VIRGIN", "RUNNING"]);
    });
}

#[test]
fn lg1_the_failed_start_of_a_runtime() {
    bounded(|| {
        let id = "lg.1.runtime.start.failed";
        let runtime = runtime(id, Normal);
        runtime.shutdown().expect("closes");
        let error = runtime.start().expect_err("it is closed");
        assert_failure(RUNTIME, id, "metrics_runtime.start", "", ["CLOSED", "CLOSED"], &error);
    });
}

#[test]
fn lg1_the_shutdown_of_a_runtime() {
    bounded(|| {
        let id = "lg.1.runtime.shutdown";
        running(id, Normal).shutdown().expect("shuts down");
        assert_success(RUNTIME, id, "metrics_runtime.shutdown", "", ["RUNNING", "CLOSED"]);
    });
}

#[test]
fn lg1_the_failed_shutdown_of_a_runtime() {
    bounded(|| {
        let id = "lg.1.runtime.shutdown.failed";
        let runtime = running(id, Normal);
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().stopped(Act::Fail("not closed")));
        runtime.create_recorder_with("a", options).expect("creates");
        let error = runtime.shutdown().expect_err("a recorder fails");
        assert_failure(RUNTIME, id, "metrics_runtime.shutdown", "", ["RUNNING", "FAILURE"], &error);
    });
}

/// The operations of a running runtime.
#[derive(Debug, Clone, Copy)]
enum Call {
    Create,
    Get,
    TryGet,
    List,
    Stop,
    StopAndRemove,
}

impl Call {
    const ALL: [Self; 6] =
        [Self::Create, Self::Get, Self::TryGet, Self::List, Self::Stop, Self::StopAndRemove];

    fn event(self) -> &'static str {
        match self {
            Self::Create => "metrics_runtime.create_recorder",
            Self::Get => "metrics_runtime.get_recorder",
            Self::TryGet => "metrics_runtime.try_get_recorder",
            Self::List => "metrics_runtime.list_recorder_ids",
            Self::Stop => "metrics_runtime.stop_recorder",
            Self::StopAndRemove => "metrics_runtime.stop_and_remove_recorder",
        }
    }

    fn on(self, runtime: &MetricsRuntime) -> Result<(), MetricsRuntimeError> {
        match self {
            Self::Create => runtime.create_recorder("a").map(drop),
            Self::Get => runtime.get_recorder("a").map(drop),
            Self::TryGet => runtime.try_get_recorder("a").map(drop),
            Self::List => runtime.list_recorder_ids().map(drop),
            Self::Stop => runtime.stop_recorder("a"),
            Self::StopAndRemove => runtime.stop_and_remove_recorder("a").map(drop),
        }
    }
}

#[test]
fn lg1_the_operations_of_a_runtime() {
    bounded(|| {
        let id = "lg.1.runtime.calls";
        let runtime = running(id, Inspection);
        for call in Call::ALL {
            call.on(&runtime).expect("succeeds");
            assert_success(RUNTIME, id, call.event(), "", ["RUNNING", "RUNNING"]);
        }
    });
}

#[test]
fn lg1_the_failed_operations_of_a_runtime() {
    bounded(|| {
        let id = "lg.1.runtime.calls.failed";
        let runtime = runtime(id, Inspection);
        for call in Call::ALL {
            let error = call.on(&runtime).expect_err("it was not started");
            assert_failure(RUNTIME, id, call.event(), "", ["VIRGIN", "VIRGIN"], &error);
        }
    });
}

#[test]
fn lg1_a_failed_operation_shows_the_causes_of_its_error() {
    bounded(|| {
        let id = "lg.1.runtime.causes";
        let runtime = running(id, Normal);
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().starting(Act::Fail("no publisher")));
        let error = runtime.create_recorder_with("a", options).expect_err("the hook fails");
        assert!(shown(&error).ends_with(": the on_starting hook failed: no publisher"), "{}", shown(&error));
        let event = "metrics_runtime.create_recorder";
        assert_failure(RUNTIME, id, event, "", ["RUNNING", "RUNNING"], &error);
    });
}

#[test]
fn lg1_the_start_of_a_recorder() {
    bounded(|| {
        let application = Direct::new();
        for (id, options) in [
            ("lg.1.recorder.start", RecorderOptions::new()),
            ("lg.1.recorder.start.hooks", RecorderOptions::new().hooks_and_listener(Script::new())),
        ] {
            let recorder = direct(&application, id, Normal, options);
            recorder.start().wait().expect("starts");
            assert_success(RECORDER, id, "metrics_recorder.start", "", ["VIRGIN", "RUNNING"]);
        }
    });
}

#[test]
fn lg1_the_failed_start_of_a_recorder() {
    bounded(|| {
        let id = "lg.1.recorder.start.failed";
        let application = Direct::new();
        let script = Script::new().starting(Act::Fail("no publisher"));
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks_and_listener(script));
        let error = recorder.start().wait().expect_err("the hook fails");
        assert_failure(RECORDER, id, "metrics_recorder.start", "", ["VIRGIN", "FAILURE"], &error);
    });
}

#[test]
fn lg1_the_stop_of_a_recorder() {
    bounded(|| {
        let application = Direct::new();
        for (id, options) in [
            ("lg.1.recorder.stop", RecorderOptions::new()),
            ("lg.1.recorder.stop.hooks", RecorderOptions::new().hooks_and_listener(Script::new())),
        ] {
            let recorder = direct(&application, id, Normal, options);
            recorder.start().wait().expect("starts");
            recorder.stop().wait().expect("stops");
            assert_success(RECORDER, id, "metrics_recorder.stop", "", ["RUNNING", "STOPPED"]);
        }
    });
}

#[test]
fn lg1_the_failed_stop_of_a_recorder() {
    bounded(|| {
        let id = "lg.1.recorder.stop.failed";
        let application = Direct::new();
        let script = Script::new().stopped(Act::Fail("not closed"));
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks_and_listener(script));
        recorder.start().wait().expect("starts");
        let error = recorder.stop().wait().expect_err("the hook fails");
        assert_failure(RECORDER, id, "metrics_recorder.stop", "", ["RUNNING", "FAILURE"], &error);
    });
}

#[test]
fn lg1_each_caller_of_one_stop() {
    bounded(|| {
        let id = "lg.1.recorder.stop.joined";
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().stopped(Act::Wait(gate.clone()));
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks_and_listener(script));
        recorder.start().wait().expect("starts");
        let stops = in_threads(4, |_| recorder.stop());
        gate.open();
        for stop in stops {
            stop.wait().expect("stops");
        }
        let stop = |logged: &String| logged.starts_with("metrics_recorder.stop ");
        let titles: Vec<_> = titles(id).into_iter().filter(stop).collect();
        assert_eq!(titles[..4], ["metrics_recorder.stop invoke"; 4]);
        assert_eq!(titles[4..], ["metrics_recorder.stop success"; 4]);
    });
}

#[test]
fn lg1_registering_a_metric_with_its_name() {
    bounded(|| {
        let id = "lg.1.recorder.register";
        let recorder = direct(&Direct::new(), id, Normal, RecorderOptions::new());
        recorder.register_metric(Steps::default()).expect("registers");
        let event = "metrics_recorder.register_metric";
        assert_success(RECORDER, id, event, " metric=steps", ["VIRGIN", "VIRGIN"]);
    });
}

#[test]
fn lg1_failing_to_register_a_metric_with_its_name() {
    bounded(|| {
        let id = "lg.1.recorder.register.failed";
        let application = Direct::new();
        let recorder = direct(&application, id, Normal, RecorderOptions::new());
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        let error = recorder.register_metric(Steps::default()).expect_err("it has stopped");
        let event = "metrics_recorder.register_metric";
        assert_failure(RECORDER, id, event, " metric=steps", ["STOPPED", "STOPPED"], &error);
    });
}

#[test]
fn lg1_asking_for_a_metric_that_is_new() {
    bounded(|| {
        let id = "lg.1.recorder.metric";
        let recorder = direct(&Direct::new(), id, Normal, RecorderOptions::new());
        recorder.metric::<Steps>().expect("registers");
        let event = "metrics_recorder.register_metric";
        assert_success(RECORDER, id, event, " metric=steps", ["VIRGIN", "VIRGIN"]);
        // These calls find it, and log nothing.
        recorder.metric::<Steps>().expect("finds");
        recorder.register_metric_if_absent(Steps::default()).expect("finds");
        assert_eq!(titles(id), [format!("{event} invoke"), format!("{event} success")]);
    });
}

#[test]
fn lg1_failing_to_ask_for_a_metric() {
    bounded(|| {
        let id = "lg.1.recorder.metric.failed";
        let application = Direct::new();
        let recorder = direct(&application, id, Normal, RecorderOptions::new());
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        let error = recorder.metric::<Steps>().expect_err("it has stopped");
        let event = "metrics_recorder.register_metric";
        assert_failure(RECORDER, id, event, " metric=steps", ["STOPPED", "STOPPED"], &error);
    });
}

#[test]
fn lg1_asking_for_a_metric_of_another_type() {
    bounded(|| {
        let id = "lg.1.recorder.metric.mismatch";
        let recorder = direct(&Direct::new(), id, Normal, RecorderOptions::new());
        recorder.register_metric(Steps::named("snapshot_panics")).expect("registers");
        let error = recorder.metric::<SnapshotPanics>().expect_err("another type");
        let event = "metrics_recorder.register_metric";
        let [.., invoked, failed] = &lines(id, event)[..] else { panic!("it is logged") };
        assert_eq!(invoked, "DEBUG mvx_metrics::recorder metric=snapshot_panics phase=invoke state=VIRGIN");
        let expected = format!(
            "WARN mvx_metrics::recorder elapsed error={error} metric=snapshot_panics phase=failed reason=INVALID_ARGUMENT state=VIRGIN"
        );
        assert_eq!(*failed, expected);
    });
}

#[test]
fn lg1_reading_through_the_handle_of_a_metric() {
    bounded(|| {
        let event = "metrics_recorder.get_metric_snapshots";
        let recorder_of = |id| direct(&Direct::new(), id, Inspection, RecorderOptions::new());
        let id = "lg.1.handle.snapshot";
        recorder_of(id).metric::<Steps>().expect("registers").snapshot().expect("reads");
        assert_success(RECORDER, id, event, "", ["VIRGIN", "VIRGIN"]);
        let id = "lg.1.handle.failed";
        recorder_of(id).metric::<Steps>().expect("registers").failed().expect("reads");
        assert_success(RECORDER, id, event, "", ["VIRGIN", "VIRGIN"]);
        let id = "lg.1.handle.snapshot.failed";
        let panics = recorder_of(id).metric::<SnapshotPanics>().expect("registers");
        let error = panics.snapshot().expect_err("it panics");
        assert_failure(RECORDER, id, event, "", ["VIRGIN", "VIRGIN"], &error);
    });
}

#[test]
fn st15_replacing_a_metric_is_logged_at_warn() {
    bounded(|| {
        let id = "lg.1.recorder.replaced";
        let recorder = direct(&Direct::new(), id, Normal, RecorderOptions::new());
        let event = "metrics_recorder.metric_replaced";
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.metric::<Steps>().expect("finds");
        assert!(lines(id, event).is_empty());
        recorder.register_metric(Steps::default()).expect("replaces");
        assert_eq!(lines(id, event), ["WARN mvx_metrics::recorder metric=steps state=VIRGIN"]);
        let register = "metrics_recorder.register_metric";
        let expected = [format!("{register} invoke"), event.to_owned(), format!("{register} success")];
        assert_eq!(titles(id)[2..], expected);
    });
}

#[test]
fn st15_a_silent_recorder_does_not_log_that_a_metric_is_replaced() {
    bounded(|| {
        let id = "lg.1.recorder.replaced.silent";
        let recorder = direct(&Direct::new(), id, LogPolicy::Silent, RecorderOptions::new());
        for _ in 0..2 {
            recorder.register_metric(Steps::default()).expect("registers");
        }
        assert!(titles(id).is_empty());
    });
}

#[test]
fn lg1_the_snapshots_of_a_recorder() {
    bounded(|| {
        let id = "lg.1.recorder.snapshots";
        let recorder = direct(&Direct::new(), id, Inspection, RecorderOptions::new());
        recorder.metric_snapshots().expect("reads");
        let event = "metrics_recorder.get_metric_snapshots";
        assert_success(RECORDER, id, event, "", ["VIRGIN", "VIRGIN"]);
    });
}

#[test]
fn lg1_the_typed_snapshot_of_a_recorder() {
    bounded(|| {
        let id = "lg.1.recorder.typed";
        let recorder = direct(&Direct::new(), id, Inspection, RecorderOptions::new());
        recorder.metric_snapshot::<Steps>().expect("reads");
        let event = "metrics_recorder.get_metric_snapshots";
        assert_success(RECORDER, id, event, "", ["VIRGIN", "VIRGIN"]);
    });
}

#[test]
fn lg1_a_typed_snapshot_that_panics_has_failed() {
    bounded(|| {
        let id = "lg.1.recorder.typed.failed";
        let recorder = direct(&Direct::new(), id, Inspection, RecorderOptions::new());
        recorder.register_metric(SnapshotPanics).expect("registers");
        let error = recorder.metric_snapshot::<SnapshotPanics>().expect_err("it panics");
        let event = "metrics_recorder.get_metric_snapshots";
        assert_failure(RECORDER, id, event, "", ["VIRGIN", "VIRGIN"], &error);
    });
}

#[test]
fn lg1_iterating_over_the_metrics_of_a_recorder() {
    bounded(|| {
        let id = "lg.1.recorder.iterate";
        let recorder = direct(&Direct::new(), id, Inspection, RecorderOptions::new());
        recorder.metrics().expect("reads");
        assert_success(RECORDER, id, "metrics_recorder.iter_metrics", "", ["VIRGIN", "VIRGIN"]);
    });
}

/// A metric that reads another recorder while it is read itself.
struct ReadsAnother(MetricsRecorder);

impl Metric for ReadsAnother {
    fn metric_name(&self) -> &'static str {
        "reads_another"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("reads_another")
    }
}

impl TypedMetric for ReadsAnother {
    type Snapshot = [String; 2];

    fn typed_snapshot(&self) -> [String; 2] {
        let snapshots = self.0.metric_snapshots().expect_err("refused in a metric");
        let metrics = self.0.metrics().expect_err("refused in a metric");
        [shown(&snapshots), shown(&metrics)]
    }
}

#[test]
fn lg1_failing_to_read_a_recorder() {
    bounded(|| {
        let id = "lg.1.recorder.read.failed";
        let application = Direct::new();
        let read = direct(&application, id, Inspection, RecorderOptions::new());
        let reader = application.recorder(RecorderOptions::new());
        reader.register_metric(ReadsAnother(read)).expect("registers");
        let errors = reader.metric_snapshot::<ReadsAnother>().expect("reads").expect("it is registered");
        let events = ["metrics_recorder.get_metric_snapshots", "metrics_recorder.iter_metrics"];
        for (event, error) in events.into_iter().zip(errors) {
            let expected = [
                "DEBUG mvx_metrics::recorder phase=invoke state=VIRGIN".to_owned(),
                format!(
                    "WARN mvx_metrics::recorder elapsed error={error} phase=failed reason=WOULD_DEADLOCK state=VIRGIN"
                ),
            ];
            assert_eq!(lines(id, event), expected);
        }
    });
}
