//! LG: logging.

use std::error::Error;

use mvx_metrics::{
    EventHandler, LogPolicy, Metric, MetricFailurePolicy, MetricSnapshot, MetricsRecorder,
    MetricsRecorderState, MetricsRuntime, QueueOverflowPolicy, RecorderOptions, TypedMetric,
};
use mvx_metrics_tests::capture::{self, Logged, about, titles};
use mvx_metrics_tests::{
    Act, Direct, Fragile, Gate, Gated, Script, SnapshotPanics, Step, Steps, bounded, eventually, in_threads,
};

use LogPolicy::{Inspection, Normal, Silent};
use MetricsRecorderState::{Cancelled, Failure, Running};

const POLICIES: [LogPolicy; 3] = [Silent, Normal, Inspection];

/// A runtime that was not started, of a namespace of its own.
fn runtime(namespace: &str, policy: LogPolicy) -> MetricsRuntime {
    capture::install();
    MetricsRuntime::builder(namespace).log_policy(policy).build().expect("a valid namespace")
}

fn running(namespace: &str, policy: LogPolicy) -> MetricsRuntime {
    let runtime = runtime(namespace, policy);
    runtime.start().expect("starts");
    runtime
}

/// A direct recorder.
fn direct(
    application: &Direct,
    entity_id: &str,
    policy: LogPolicy,
    options: RecorderOptions,
) -> MetricsRecorder {
    capture::install();
    application.recorder(options.entity_id(entity_id).log_policy(policy))
}

/// What an event says: level and target, then all fields but the event, the entity and how long it took.
fn line(logged: &Logged) -> String {
    let mut line = format!("{} {}", logged.level, logged.target);
    for (name, value) in &logged.fields {
        match *name {
            "event" | "entity_id" => {}
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

/// All that was logged about this event of the entity.
fn lines(entity_id: &str, event: &str) -> Vec<String> {
    about(entity_id).iter().filter(|logged| logged.field("event") == event).map(line).collect()
}

/// An error with its sources, as the log shows it.
fn shown(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", shown(source)),
        None => error.to_string(),
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
    error: &dyn Error,
) {
    let ([before, after], error) = (states, shown(error));
    let expected = [
        format!("DEBUG mvx_metrics::{target}{metric} phase=invoke state={before}"),
        format!("WARN mvx_metrics::{target} elapsed error={error}{metric} phase=failed state={after}"),
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
        let options = RecorderOptions::new().hooks(Script::new().stopped(Act::Fail("not closed")));
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

    fn on(self, runtime: &MetricsRuntime) -> Result<(), mvx_metrics::MetricsRuntimeError> {
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
        let options = RecorderOptions::new().hooks(Script::new().starting(Act::Fail("no publisher")));
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
            ("lg.1.recorder.start.hooks", RecorderOptions::new().hooks(Script::new())),
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
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks(script));
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
            ("lg.1.recorder.stop.hooks", RecorderOptions::new().hooks(Script::new())),
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
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks(script));
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
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks(script));
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
                format!("WARN mvx_metrics::recorder elapsed error={error} phase=failed state=VIRGIN"),
            ];
            assert_eq!(lines(id, event), expected);
        }
    });
}

/// Lifecycle calls, read calls and a failure of a runtime and of its recorder; the ids of both.
fn live(policy: LogPolicy) -> [String; 2] {
    let ids = [format!("lg.2.{policy:?}.runtime"), format!("lg.2.{policy:?}.recorder")];
    let runtime = running(&ids[0], policy);
    let recorder = runtime.create_recorder(&ids[1]).expect("creates");
    recorder.register_metric(Fragile::at(1)).expect("registers");
    recorder.register_event(Step(1)).expect("accepted");
    recorder.flush().wait().expect("flushes");
    recorder.metric_snapshots().expect("reads");
    recorder.metric_snapshot::<Fragile>().expect("reads");
    recorder.metrics().expect("reads");
    runtime.get_recorder(&ids[1]).expect("finds");
    runtime.try_get_recorder("missing").expect("looks");
    runtime.list_recorder_ids().expect("lists");
    runtime.stop_recorder(&ids[1]).expect("stops");
    runtime.stop_and_remove_recorder(&ids[1]).expect("removes");
    runtime.shutdown().expect("shuts down");
    ids
}

fn invoked_and_succeeded(events: &[&str]) -> Vec<String> {
    let titles = |event: &&str| [format!("{event} invoke"), format!("{event} success")];
    events.iter().flat_map(titles).collect()
}

#[test]
fn lg2_silent_says_nothing() {
    bounded(|| {
        for id in live(Silent) {
            assert!(titles(&id).is_empty(), "{:?}", titles(&id));
        }
    });
}

#[test]
fn lg2_normal_says_lifecycle_and_failures_and_no_reads() {
    bounded(|| {
        let [runtime, recorder] = live(Normal);
        let calls = ["start", "create_recorder", "stop_recorder", "stop_and_remove_recorder", "shutdown"];
        let events = calls.map(|call| format!("metrics_runtime.{call}"));
        let events: Vec<_> = events.iter().map(String::as_str).collect();
        assert_eq!(titles(&runtime), invoked_and_succeeded(&events));
        let mut expected =
            invoked_and_succeeded(&["metrics_recorder.start", "metrics_recorder.register_metric"]);
        expected.push("metrics_recorder.dispatch_error".to_owned());
        expected.extend(invoked_and_succeeded(&["metrics_recorder.stop"]));
        assert_eq!(titles(&recorder), expected);
    });
}

#[test]
fn lg2_inspection_says_everything() {
    bounded(|| {
        let [runtime, recorder] = live(Inspection);
        let calls = [
            "start",
            "create_recorder",
            "get_recorder",
            "try_get_recorder",
            "list_recorder_ids",
            "stop_recorder",
            "stop_and_remove_recorder",
            "shutdown",
        ];
        let events = calls.map(|call| format!("metrics_runtime.{call}"));
        let events: Vec<_> = events.iter().map(String::as_str).collect();
        assert_eq!(titles(&runtime), invoked_and_succeeded(&events));
        let mut expected =
            invoked_and_succeeded(&["metrics_recorder.start", "metrics_recorder.register_metric"]);
        expected.push("metrics_recorder.dispatch_error".to_owned());
        expected.extend(invoked_and_succeeded(&[
            "metrics_recorder.get_metric_snapshots",
            "metrics_recorder.get_metric_snapshots",
            "metrics_recorder.iter_metrics",
            "metrics_recorder.stop",
        ]));
        assert_eq!(titles(&recorder), expected);
    });
}

/// Starts, reads and stops a recorder of that policy in a runtime of the other one.
fn titles_of_a_recorder(id: &str, of_runtime: LogPolicy, own: Option<LogPolicy>) -> Vec<String> {
    let runtime = running(&format!("{id}.runtime"), of_runtime);
    let options = own.into_iter().fold(RecorderOptions::new(), RecorderOptions::log_policy);
    let recorder = runtime.create_recorder_with(id, options).expect("creates");
    recorder.metrics().expect("reads");
    recorder.stop().wait().expect("stops");
    titles(id)
}

fn titles_under(policy: LogPolicy) -> Vec<String> {
    let events: &[_] = match policy {
        Silent => &[],
        Normal => &["metrics_recorder.start", "metrics_recorder.stop"],
        Inspection => &["metrics_recorder.start", "metrics_recorder.iter_metrics", "metrics_recorder.stop"],
        other => unreachable!("not tested: {other:?}"),
    };
    invoked_and_succeeded(events)
}

#[test]
fn lg3_a_recorder_has_the_policy_of_its_runtime() {
    bounded(|| {
        for policy in POLICIES {
            let titles = titles_of_a_recorder(&format!("lg.3.runtime.{policy:?}"), policy, None);
            assert_eq!(titles, titles_under(policy), "{policy:?}");
        }
    });
}

#[test]
fn lg3_a_recorder_keeps_a_policy_of_its_own() {
    bounded(|| {
        for policy in POLICIES {
            for own in POLICIES {
                let id = format!("lg.3.own.{policy:?}.{own:?}");
                assert_eq!(titles_of_a_recorder(&id, policy, Some(own)), titles_under(own), "{id}");
            }
        }
    });
}

#[test]
fn lg3_a_direct_recorder_has_the_normal_policy() {
    bounded(|| {
        capture::install();
        let id = "lg.3.direct";
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new().entity_id(id));
        recorder.start().wait().expect("starts");
        recorder.metrics().expect("reads");
        recorder.stop().wait().expect("stops");
        assert_eq!(titles(id), titles_under(Normal));
    });
}

/// Registers and emits events, and checks that nothing was logged about it.
#[track_caller]
fn assert_quiet(recorder: &MetricsRecorder, accepts: bool) {
    let before = titles(recorder.entity_id());
    for step in 0..10 {
        assert_eq!(recorder.register_event(Step(step)).is_ok(), accepts);
        recorder.emit(Step(step));
    }
    assert_eq!(titles(recorder.entity_id()), before);
}

#[test]
fn lg4_events_that_are_accepted() {
    bounded(|| {
        for policy in POLICIES {
            let id = format!("lg.4.accepted.{policy:?}");
            let runtime = running(&format!("{id}.runtime"), policy);
            let recorder = runtime.create_recorder(&id).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            let before = titles(&id);
            assert_quiet(&recorder, true);
            recorder.flush().wait().expect("flushes");
            assert_eq!(titles(&id), before);
        }
    });
}

#[test]
fn lg4_events_for_a_full_queue() {
    bounded(|| {
        for policy in POLICIES {
            for overflow in [QueueOverflowPolicy::Drop, QueueOverflowPolicy::Error] {
                let id = format!("lg.4.full.{policy:?}.{overflow:?}");
                let application = Direct::new();
                let options = RecorderOptions::new().queue_max_size(1).queue_overflow_policy(overflow);
                let recorder = direct(&application, &id, policy, options);
                let gate = Gate::new();
                recorder.register_metric(Gated(gate.clone())).expect("registers");
                recorder.register_event(Step(0)).expect("accepted");
                gate.wait_for_arrival();
                assert_quiet(&recorder, overflow == QueueOverflowPolicy::Drop);
                let stats = recorder.stats();
                assert_eq!((stats.accepted, stats.dropped + stats.rejected), (1, 20));
                gate.open();
            }
        }
    });
}

#[test]
fn lg4_events_for_a_stopped_recorder() {
    bounded(|| {
        for policy in POLICIES {
            let application = Direct::new();
            let id = format!("lg.4.stopped.{policy:?}");
            let recorder = direct(&application, &id, policy, RecorderOptions::new());
            recorder.start().wait().expect("starts");
            recorder.stop().wait().expect("stops");
            assert_quiet(&recorder, false);
        }
    });
}

#[test]
fn lg4_events_for_a_failed_recorder() {
    bounded(|| {
        for policy in POLICIES {
            let application = Direct::new();
            let id = format!("lg.4.failed.{policy:?}");
            let options = RecorderOptions::new().hooks(Script::new().starting(Act::Fail("no publisher")));
            let recorder = direct(&application, &id, policy, options);
            recorder.start().wait().expect_err("the hook fails");
            eventually("the task ends", || application.tasks() == 0);
            assert_quiet(&recorder, false);
        }
    });
}

#[test]
fn lg4_events_that_start_the_recorder() {
    bounded(|| {
        for policy in POLICIES {
            for hooks in [false, true] {
                let application = Direct::new();
                let id = format!("lg.4.lazy.{policy:?}.{hooks}");
                let options = RecorderOptions::new();
                let options = if hooks { options.hooks(Script::new()) } else { options };
                let recorder = direct(&application, &id, policy, options);
                assert_quiet(&recorder, true);
                eventually("it runs", || recorder.status() == Running);
                recorder.flush().wait().expect("flushes");
                assert!(titles(&id).is_empty(), "{:?}", titles(&id));
            }
        }
    });
}

#[test]
fn lg4_events_that_cannot_start_the_recorder() {
    bounded(|| {
        for policy in POLICIES {
            for hooks in [false, true] {
                let mut application = Direct::new();
                let id = format!("lg.4.ended.{policy:?}.{hooks}");
                let options = RecorderOptions::new();
                let options = if hooks { options.hooks(Script::new()) } else { options };
                let recorder = direct(&application, &id, policy, options);
                application.end();
                recorder.emit(Step(0));
                assert_eq!(recorder.status(), Cancelled);
                assert_quiet(&recorder, false);
                assert!(titles(&id).is_empty(), "{:?}", titles(&id));
            }
        }
    });
}

#[test]
fn lg4_events_for_a_runtime_that_was_shut_down() {
    bounded(|| {
        for policy in POLICIES {
            let id = format!("lg.4.shutdown.{policy:?}");
            let runtime = running(&format!("{id}.runtime"), policy);
            let recorder = runtime.create_recorder(&id).expect("creates");
            runtime.shutdown().expect("shuts down");
            assert_quiet(&recorder, false);
        }
    });
}

/// The errors of the infrastructure that were logged about the entity.
fn errors(id: &str) -> Vec<Logged> {
    about(id).into_iter().filter(|logged| logged.level == tracing::Level::ERROR).collect()
}

#[test]
fn lg5_a_metric_that_panics_is_logged_once() {
    bounded(|| {
        for hooks in [false, true] {
            let id = format!("lg.5.metric.{hooks}");
            let application = Direct::new();
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks(Script::new()) } else { options };
            let recorder = direct(&application, &id, Normal, options);
            recorder.register_metric(Fragile::at(3)).expect("registers");
            for step in [1, 3, 3, 3, 4] {
                recorder.register_event(Step(step)).expect("accepted");
            }
            recorder.flush().wait().expect("flushes");
            let [error] = &errors(&id)[..] else { panic!("{:?}", errors(&id)) };
            assert_eq!(error.title(), "metrics_recorder.dispatch_error");
            assert_eq!((error.target.as_str(), error.field("metric")), ("mvx_metrics::recorder", "fragile"));
            let text = error.field("error");
            assert!(text.starts_with("panicked: ") && text.contains("fragile broke"), "{text}");
            assert_eq!(error.field("state"), "RUNNING");
        }
    });
}

#[test]
fn lg5_a_metric_that_fails_the_recorder_is_logged_once() {
    bounded(|| {
        for hooks in [false, true] {
            let id = format!("lg.5.recorder.{hooks}");
            let application = Direct::new();
            let options = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
            let options = if hooks { options.hooks(Script::new()) } else { options };
            let recorder = direct(&application, &id, Normal, options);
            recorder.register_metric(Fragile::at(3)).expect("registers");
            for step in [1, 3, 3, 4] {
                recorder.emit(Step(step));
            }
            eventually("the task ends", || application.tasks() == 0);
            let [error] = &errors(&id)[..] else { panic!("{:?}", errors(&id)) };
            assert_eq!(error.title(), "metrics_recorder.dispatch_error");
            assert_eq!(error.field("state"), "FAILURE");
            let text = error.field("error");
            assert!(text.starts_with("metric `fragile` failed: panicked: "), "{text}");
        }
    });
}

#[test]
fn lg5_a_hook_that_fails_and_its_cleanup_are_logged_once_each() {
    bounded(|| {
        let id = "lg.5.hook";
        let application = Direct::new();
        let script = Script::new().changed(Act::Fail("not sent")).stopped(Act::Fail("not closed"));
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks(script));
        recorder.register_metric(Steps::default()).expect("registers");
        for step in 0..10 {
            recorder.emit(Step(step));
        }
        eventually("the task ends", || application.tasks() == 0);
        let prefix = "ERROR mvx_metrics::recorder";
        let dispatch = lines(id, "metrics_recorder.dispatch_error");
        assert_eq!(dispatch, [format!("{prefix} error=unexpected error: not sent state=FAILURE")]);
        let cleanup = lines(id, "metrics_recorder.cleanup.failed");
        assert_eq!(cleanup, [format!("{prefix} error=not closed state=FAILURE")]);
    });
}

#[test]
fn lg5_a_cancelled_recorder_is_logged_once() {
    bounded(|| {
        for hooks in [false, true] {
            let id = format!("lg.5.cancelled.{hooks}");
            let mut application = Direct::new();
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks(Script::new()) } else { options };
            let recorder = direct(&application, &id, Normal, options);
            recorder.start().wait().expect("starts");
            application.end();
            assert_eq!(recorder.status(), Cancelled);
            let text = "the task that processes events was cancelled";
            let expected = format!("ERROR mvx_metrics::recorder error={text} state=CANCELLED");
            assert_eq!(errors(&id).iter().map(line).collect::<Vec<_>>(), [expected]);
        }
    });
}

#[test]
fn lg5_a_stop_that_nobody_waits_for_is_logged_when_it_fails() {
    bounded(|| {
        let id = "lg.5.dropped";
        let application = Direct::new();
        let script = Script::new().stopped(Act::Fail("not closed"));
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks(script));
        recorder.start().wait().expect("starts");
        drop(recorder);
        eventually("the task ends", || application.tasks() == 0);
        let text = "the on_stopped hook failed: not closed";
        let expected = format!("ERROR mvx_metrics::recorder error={text} state=FAILURE");
        assert_eq!(lines(id, "metrics_recorder.cleanup.failed"), [expected]);
        assert_eq!(errors(id).len(), 1);
    });
}

#[test]
fn lg5_a_silent_recorder_keeps_its_errors_to_itself() {
    bounded(|| {
        let id = "lg.5.silent";
        let application = Direct::new();
        let script = Script::new().changed(Act::Fail("not sent")).stopped(Act::Fail("not closed"));
        let recorder = direct(&application, id, Silent, RecorderOptions::new().hooks(script));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(0));
        eventually("the task ends", || application.tasks() == 0);
        assert_eq!(recorder.status(), Failure);
        assert!(titles(id).is_empty(), "{:?}", titles(id));
    });
}
