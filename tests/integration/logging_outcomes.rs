//! How the log shows the outcome of an operation: its phases in order, the chain of causes, one line for one failure.
//! Covers LG1, LG2, LG4, LG5.

use mvx_metrics::{LogPolicy, MetricFailurePolicy, MetricsRuntime, MetricsRuntimeError, RecorderOptions};
use mvx_metrics_tests::capture::{self, Logged, about, titles};
use mvx_metrics_tests::{
    Act, Direct, Fragile, Gate, HooksAndListener, Script, Step, Steps, bounded, eventually, in_threads,
};
use tracing::Level;

/// A running runtime with this policy. The subscriber is installed.
fn runtime(namespace: &str, policy: LogPolicy) -> MetricsRuntime {
    capture::install();
    let runtime = MetricsRuntime::builder(namespace).log_policy(policy).build().expect("valid");
    runtime.start().expect("starts");
    runtime
}

/// Options with this entity id.
fn entity(id: &str) -> RecorderOptions {
    RecorderOptions::new().entity_id(id)
}

/// The log events with this entity id and event.
fn of(entity_id: &str, event: &str) -> Vec<Logged> {
    about(entity_id).into_iter().filter(|logged| logged.field("event") == event).collect()
}

/// Checks that an operation was logged once, with its invocation and its end. Returns the end.
#[track_caller]
fn assert_operation(entity_id: &str, event: &str, succeeds: bool) -> Logged {
    let logged = of(entity_id, event);
    let phases: Vec<_> = logged.iter().map(|logged| logged.field("phase")).collect();
    assert_eq!(phases, ["invoke", if succeeds { "success" } else { "failed" }], "{event} of {entity_id}");
    let target =
        format!("mvx_metrics::{}", if event.starts_with("metrics_runtime") { "runtime" } else { "recorder" });
    assert!(logged.iter().all(|logged| logged.target == target), "{logged:?}");
    let ended = logged[1].clone();
    let elapsed: f64 = ended.field("elapsed_seconds").parse().expect("a time");
    assert!(elapsed >= 0.0);
    assert_eq!(ended.level, if succeeds { Level::INFO } else { Level::WARN });
    assert_eq!(logged[0].level, Level::DEBUG);
    assert_eq!(ended.field("error").is_empty(), succeeds, "{ended:?}");
    ended
}

#[test]
fn lg1_failed_operations_of_a_runtime_are_logged_with_their_errors() {
    bounded(|| {
        let namespace = "lg.outcome.1.failing";
        let runtime = runtime(namespace, LogPolicy::Inspection);
        let script = Script::new().starting(Act::Fail("no publisher"));
        let _: MetricsRuntimeError = runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            .expect_err("fails");
        let ended = assert_operation(namespace, "metrics_runtime.create_recorder", false);
        assert_eq!(
            ended.field("error"),
            "recorder `a` could not be started: the on_starting hook failed: no publisher"
        );
        runtime.get_recorder("x").expect_err("missing");
        let ended = assert_operation(namespace, "metrics_runtime.get_recorder", false);
        assert_eq!(ended.field("error"), "recorder `x` was not found");
        runtime.stop_recorder("x").expect_err("missing");
        assert_operation(namespace, "metrics_runtime.stop_recorder", false);
        runtime.stop_and_remove_recorder("x").expect_err("missing");
        assert_operation(namespace, "metrics_runtime.stop_and_remove_recorder", false);
        runtime.try_get_recorder(" ").expect_err("blank");
        assert_operation(namespace, "metrics_runtime.try_get_recorder", false);
        let script = Script::new().stopped(Act::Fail("not flushed"));
        runtime
            .create_recorder_with("b", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        runtime.shutdown().expect_err("one does not stop");
        let ended = assert_operation(namespace, "metrics_runtime.shutdown", false);
        assert_eq!(ended.field("state"), "FAILURE");
        runtime.list_recorder_ids().expect_err("it has failed");
        assert_operation(namespace, "metrics_runtime.list_recorder_ids", false);
    });
}

#[test]
fn lg1_every_operation_of_a_recorder_is_logged_with_its_fields() {
    bounded(|| {
        capture::install();
        let id = "lg.outcome.1.recorder";
        let application = Direct::new();
        let recorder = application
            .recorder(entity(id).log_policy(LogPolicy::Inspection).hooks_and_listener(Script::new()));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.start().wait().expect("starts");
        recorder.metric_snapshots().expect("reads");
        recorder.metrics().expect("reads");
        recorder.stop().wait().expect("stops");
        let operations = [
            ("metrics_recorder.register_metric", "VIRGIN", "VIRGIN"),
            ("metrics_recorder.start", "VIRGIN", "RUNNING"),
            ("metrics_recorder.get_metric_snapshots", "RUNNING", "RUNNING"),
            ("metrics_recorder.iter_metrics", "RUNNING", "RUNNING"),
            ("metrics_recorder.stop", "RUNNING", "STOPPED"),
        ];
        let expected: Vec<_> = operations
            .iter()
            .flat_map(|(event, ..)| [format!("{event} invoke"), format!("{event} success")])
            .collect();
        assert_eq!(titles(id), expected);
        for (event, before, after) in operations {
            let ended = assert_operation(id, event, true);
            assert_eq!((of(id, event)[0].field("state"), ended.field("state")), (before, after));
            let metric = if event.ends_with("register_metric") { "steps" } else { "" };
            assert_eq!(ended.field("metric"), metric);
        }
    });
}

#[test]
fn lg1_failed_operations_of_a_recorder_are_logged_with_their_errors() {
    bounded(|| {
        capture::install();
        let application = Direct::new();
        let id = "lg.outcome.1.refused";
        let recorder = application.recorder(entity(id));
        recorder.stop().wait().expect_err("it never ran");
        let ended = assert_operation(id, "metrics_recorder.stop", false);
        assert_eq!(ended.field("error"), "recorder is VIRGIN, expected RUNNING");
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        recorder.register_metric(Steps::default()).expect_err("it has stopped");
        let ended = assert_operation(id, "metrics_recorder.register_metric", false);
        assert_eq!(ended.field("metric"), "steps");

        let id = "lg.outcome.1.hooks";
        let script = Script::new().stopped(Act::Fail("not flushed"));
        let recorder = application.recorder(entity(id).hooks_and_listener(script));
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect_err("the hook fails");
        let ended = assert_operation(id, "metrics_recorder.stop", false);
        assert_eq!(ended.field("error"), "the on_stopped hook failed: not flushed");
        assert_eq!(ended.field("state"), "FAILURE");
    });
}

#[test]
fn lg1_each_call_that_joins_an_operation_is_logged_to_its_end() {
    bounded(|| {
        capture::install();
        let id = "lg.outcome.1.joined";
        let gate = Gate::new();
        let application = Direct::new();
        let recorder = application
            .recorder(entity(id).hooks_and_listener(Script::new().starting(Act::Wait(gate.clone()))));
        let handles = [recorder.start(), recorder.start(), recorder.start()];
        gate.open();
        for handle in handles {
            handle.wait().expect("joins");
        }
        let phases: Vec<_> =
            of(id, "metrics_recorder.start").iter().map(|logged| logged.field("phase").to_owned()).collect();
        assert_eq!(phases, ["invoke", "invoke", "invoke", "success", "success", "success"]);
    });
}

#[test]
fn lg2_normal_is_the_default() {
    assert_eq!(LogPolicy::default(), LogPolicy::Normal);
    bounded(|| {
        capture::install();
        let namespace = "lg.outcome.2.default";
        let runtime = MetricsRuntime::new(namespace).expect("valid");
        runtime.start().expect("starts");
        runtime.list_recorder_ids().expect("lists");
        assert_eq!(titles(namespace), ["metrics_runtime.start invoke", "metrics_runtime.start success"]);
        let application = Direct::new();
        let recorder = application.recorder(entity("lg.outcome.2.default.direct"));
        recorder.metrics().expect("reads");
        recorder.start().wait().expect("starts");
        assert_eq!(
            titles("lg.outcome.2.default.direct"),
            ["metrics_recorder.start invoke", "metrics_recorder.start success"]
        );
    });
}

#[test]
fn lg4_offering_events_from_many_threads_logs_nothing_there() {
    bounded(|| {
        let runtime = runtime("lg.outcome.4.threads", LogPolicy::Inspection);
        let options = entity("lg.outcome.4.drop").queue_max_size(4);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        let before = titles("lg.outcome.4.drop").len();
        in_threads(4, |_| {
            for step in 0..1_000 {
                recorder.emit(Step(step));
            }
        });
        // The runtime's thread may log that events were dropped.
        for logged in &about("lg.outcome.4.drop")[before..] {
            let by = (logged.field("event"), logged.thread.as_str());
            assert_eq!(by, ("metrics_recorder.events_dropped", "lg.outcome.4.threads.metrics_runtime"));
        }
    });
}

#[test]
fn lg5_a_failed_recorder_is_logged_once_with_the_chain_of_causes() {
    bounded(|| {
        capture::install();
        let application = Direct::new();
        let id = "lg.outcome.5.fails";
        let options = entity(id).metric_failure_policy(MetricFailurePolicy::FailRecorder);
        let recorder = application.recorder(options);
        recorder.register_metric(Fragile::at(1)).expect("registers");
        recorder.emit(Step(1));
        recorder.emit(Step(1));
        eventually("the task ends", || application.tasks() == 0);
        let logged = of(id, "metrics_recorder.dispatch_error");
        assert_eq!(logged.len(), 1, "{logged:?}");
        assert_eq!(logged[0].field("state"), "FAILURE");
        let error = logged[0].field("error");
        assert!(
            error.starts_with("metric `fragile` failed: panicked: ") && error.contains("fragile broke"),
            "{error}"
        );

        let id = "lg.outcome.5.hook";
        let recorder =
            application.recorder(entity(id).hooks_and_listener(Script::new().changed(Act::Fail("not sent"))));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        recorder.emit(Step(1));
        eventually("the task ends", || application.tasks() == 0);
        let logged = of(id, "metrics_recorder.dispatch_error");
        assert_eq!(logged.len(), 1, "{logged:?}");
        assert_eq!(logged[0].field("error"), "unexpected error: not sent");
        assert!(of(id, "metrics_recorder.cleanup.failed").is_empty());
    });
}

#[test]
fn lg5_a_failing_cleanup_is_logged_once_beside_the_first_error() {
    bounded(|| {
        capture::install();
        let application = Direct::new();
        let id = "lg.outcome.5.cleanup";
        let script = Script::new().changed(Act::Fail("not sent")).stopped(Act::Panic("not closed"));
        let recorder = application.recorder(entity(id).hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        eventually("the task ends", || application.tasks() == 0);
        let titles: Vec<_> =
            titles(id).into_iter().filter(|title| !title.contains("register_metric")).collect();
        assert_eq!(titles, ["metrics_recorder.dispatch_error", "metrics_recorder.cleanup.failed"]);
        let logged = of(id, "metrics_recorder.cleanup.failed");
        assert_eq!((logged[0].level, logged[0].field("error")), (Level::ERROR, "panicked: not closed"));
    });
}

#[test]
fn lg5_a_cancelled_recorder_is_logged_once() {
    bounded(|| {
        capture::install();
        let mut application = Direct::new();
        let id = "lg.outcome.5.cancelled";
        let recorder = application.recorder(entity(id));
        recorder.start().wait().expect("starts");
        application.end();
        let logged = of(id, "metrics_recorder.dispatch_error");
        assert_eq!(logged.len(), 1, "{logged:?}");
        assert_eq!(logged[0].field("state"), "CANCELLED");
        assert_eq!(logged[0].field("error"), "the task that processes events was cancelled");
    });
}
