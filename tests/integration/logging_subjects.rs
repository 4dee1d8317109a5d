//! Which recorder a log event is about, and the code of a failure.
//! Covers HX5.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mvx_metrics::{
    LogPolicy, MetricFailurePolicy, MetricsRecorderError, MetricsRuntime, MetricsRuntimeError,
    QueueOverflowPolicy, RecorderOptions,
};
use mvx_metrics_tests::capture::{self, Logged, about};
use mvx_metrics_tests::{
    Act, Direct, Fragile, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded, eventually,
};

use crate::logging::{direct, running};
use LogPolicy::{Inspection, Normal};

/// The log events with this entity id and event.
fn of(entity_id: &str, event: &str) -> Vec<Logged> {
    about(entity_id).into_iter().filter(|logged| logged.field("event") == event).collect()
}

/// The fields that say which recorder a log event of a runtime is about.
fn subject(logged: &Logged) -> BTreeMap<&str, &str> {
    const FIELDS: [&str; 6] = [
        "recorder_id",
        "recorder_entity_id",
        "recorder_namespace",
        "queue_max_size",
        "queue_overflow_policy",
        "namespace",
    ];
    let is_subject = |(name, _): &(&&'static str, &String)| FIELDS.contains(name);
    logged.fields.iter().filter(is_subject).map(|(name, text)| (*name, text.as_str())).collect()
}

/// Checks that the runtime has logged the invocation and the end of an operation, both with these fields.
#[track_caller]
fn assert_subject<const N: usize>(runtime: &str, event: &str, phases: [&str; 2], fields: [(&str, &str); N]) {
    let logged = of(runtime, event);
    let found: Vec<_> = logged.iter().map(|logged| logged.field("phase")).collect();
    assert_eq!(found, phases, "{event}");
    for logged in &logged {
        assert_eq!(subject(logged), BTreeMap::from(fields), "{logged:?}");
    }
}

const SUCCEEDS: [&str; 2] = ["invoke", "success"];
const FAILS: [&str; 2] = ["invoke", "failed"];

#[test]
fn hx5_operations_on_a_recorder_name_it() {
    bounded(|| {
        let id = "lg.hx5.calls";
        let runtime = running(id, Inspection);
        runtime.create_recorder(" a ").expect("creates");
        runtime.get_recorder(" a").expect("finds");
        runtime.try_get_recorder("a ").expect("finds");
        runtime.stop_recorder(" a").expect("stops");
        runtime.stop_and_remove_recorder("a ").expect("removes");
        for event in ["get_recorder", "try_get_recorder", "stop_recorder", "stop_and_remove_recorder"] {
            assert_subject(id, &format!("metrics_runtime.{event}"), SUCCEEDS, [("recorder_id", "a")]);
        }
    });
}

#[test]
fn hx5_failed_operations_on_a_recorder_name_it() {
    bounded(|| {
        let id = "lg.hx5.calls.failed";
        let runtime = running(id, Inspection);
        runtime.get_recorder("missing").expect_err("there is none");
        runtime.stop_recorder("missing").expect_err("there is none");
        runtime.stop_and_remove_recorder("missing").expect_err("there is none");
        runtime.try_get_recorder(" ").expect_err("it is blank");
        for event in ["get_recorder", "stop_recorder", "stop_and_remove_recorder"] {
            let event = format!("metrics_runtime.{event}");
            assert_subject(id, &event, FAILS, [("recorder_id", "missing")]);
            assert_eq!(of(id, &event)[1].field("reason"), "RECORDER_NOT_FOUND");
        }
        let event = "metrics_runtime.try_get_recorder";
        assert_subject(id, event, FAILS, [("recorder_id", "")]);
        assert_eq!(of(id, event)[1].field("reason"), "INVALID_ARGUMENT");
    });
}

#[test]
fn hx5_other_operations_of_a_runtime_name_no_recorder() {
    bounded(|| {
        let id = "lg.hx5.runtime";
        let runtime = running(id, Inspection);
        runtime.list_recorder_ids().expect("lists");
        runtime.snapshot().expect("reads");
        runtime.shutdown().expect("shuts down");
        for event in ["start", "list_recorder_ids", "snapshot", "shutdown"] {
            assert_subject(id, &format!("metrics_runtime.{event}"), SUCCEEDS, []);
        }
    });
}

#[test]
fn hx5_the_creation_of_a_recorder_has_its_settings() {
    bounded(|| {
        let event = "metrics_runtime.create_recorder";
        let id = "lg.hx5.create.defaults";
        running(id, Normal).create_recorder("a").expect("creates");
        let fields = [
            ("recorder_id", "a"),
            ("recorder_entity_id", "a"),
            ("recorder_namespace", id),
            ("queue_max_size", "10000"),
            ("queue_overflow_policy", "Drop"),
        ];
        assert_subject(id, event, SUCCEEDS, fields);

        let id = "lg.hx5.create.options";
        let options = RecorderOptions::new()
            .entity_id(" connection-1 ")
            .namespace("network")
            .queue_max_size(8)
            .queue_overflow_policy(QueueOverflowPolicy::Error);
        running(id, Normal).create_recorder_with("a", options).expect("creates");
        let fields = [
            ("recorder_id", "a"),
            ("recorder_entity_id", "connection-1"),
            ("recorder_namespace", "network"),
            ("queue_max_size", "8"),
            ("queue_overflow_policy", "Error"),
        ];
        assert_subject(id, event, SUCCEEDS, fields);
    });
}

#[test]
fn hx5_a_creation_with_an_invalid_option_has_the_id() {
    bounded(|| {
        let id = "lg.hx5.create.invalid";
        let options = RecorderOptions::new().queue_max_size(0);
        running(id, Normal).create_recorder_with("a", options).expect_err("an impossible limit");
        assert_subject(id, "metrics_runtime.create_recorder", FAILS, [("recorder_id", "a")]);
        assert_eq!(of(id, "metrics_runtime.create_recorder")[1].field("reason"), "INVALID_ARGUMENT");
    });
}

#[test]
fn hx5_all_lines_of_a_recorder_have_its_namespace() {
    bounded(|| {
        let id = "lg.hx5.namespaces";
        let application = Direct::new();
        let options = || {
            RecorderOptions::new()
                .namespace("orders")
                .metric_failure_policy(MetricFailurePolicy::FailRecorder)
        };
        let recorder = direct(&application, id, Inspection, options());
        for _ in 0..2 {
            recorder.register_metric(Fragile::at(1)).expect("registers");
        }
        recorder.start().wait().expect("starts");
        recorder.metric_snapshots().expect("reads");
        recorder.metrics().expect("reads");
        recorder.emit(Step(1));
        eventually("the task ends", || application.tasks() == 0);
        recorder.stop().wait().expect_err("it has failed");
        let logged = about(id);
        let events: Vec<_> = ["start", "stop", "register_metric", "metric_replaced", "get_metric_snapshots"]
            .into_iter()
            .chain(["iter_metrics", "dispatch_error"])
            .map(|event| format!("metrics_recorder.{event}"))
            .collect();
        for event in &events {
            assert!(logged.iter().any(|logged| logged.field("event") == event), "{event}");
        }
        for logged in &logged {
            assert_eq!(subject(logged), BTreeMap::from([("namespace", "orders")]), "{logged:?}");
        }
    });
}

#[test]
fn hx5_equal_entities_of_two_runtimes_are_told_apart() {
    bounded(|| {
        let entity = "lg.hx5.connection-1";
        let runtimes = ["lg.hx5.inbound", "lg.hx5.outbound"].map(|namespace| running(namespace, Normal));
        for runtime in &runtimes {
            runtime.create_recorder(entity).expect("creates");
        }
        let starts = of(entity, "metrics_recorder.start");
        let namespaces: Vec<_> = starts.iter().map(|logged| logged.field("namespace")).collect();
        assert_eq!(namespaces, ["lg.hx5.inbound", "lg.hx5.inbound", "lg.hx5.outbound", "lg.hx5.outbound"]);
    });
}

#[test]
fn hx5_failures_have_the_code_of_their_error() {
    bounded(|| {
        let id = "lg.hx5.reasons";
        let runtime = running(id, Normal);
        let entity = |part: &str| format!("{id}.{part}");
        let reasons = |entity_id: &str, event: &str| -> Vec<String> {
            let logged = of(entity_id, event);
            logged
                .iter()
                .map(|logged| logged.field("reason").to_owned())
                .filter(|code| !code.is_empty())
                .collect()
        };

        let options = RecorderOptions::new().hooks(Script::new().starting(Act::Fail("no publisher")));
        runtime.create_recorder_with(&entity("starting"), options).expect_err("the hook fails");
        assert_eq!(reasons(id, "metrics_runtime.create_recorder"), ["RECORDER_STARTUP_ERROR"]);
        assert_eq!(reasons(&entity("starting"), "metrics_recorder.start"), ["ON_STARTING_HOOK_FAILED"]);

        let options = RecorderOptions::new().hooks(Script::new().stopped(Act::Fail("not closed")));
        runtime.create_recorder_with(&entity("stopped"), options).expect("creates");
        runtime.stop_recorder(&entity("stopped")).expect_err("the hook fails");
        assert_eq!(reasons(id, "metrics_runtime.stop_recorder"), ["RECORDER_STOP_ERROR"]);
        assert_eq!(reasons(&entity("stopped"), "metrics_recorder.stop"), ["ON_STOPPED_HOOK_FAILED"]);

        let script = Script::new().changed(Act::Fail("not sent")).stopped(Act::Fail("not closed"));
        let options = RecorderOptions::new().hooks_and_listener(script);
        let recorder = runtime.create_recorder_with(&entity("changed"), options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(0));
        let cleanup = || reasons(&entity("changed"), "metrics_recorder.cleanup.failed");
        eventually("the cleanup has failed", || !cleanup().is_empty());
        assert_eq!(cleanup(), ["ON_STOPPED_HOOK_FAILED"]);
        assert_eq!(reasons(&entity("changed"), "metrics_recorder.dispatch_error"), ["UNEXPECTED_ERROR"]);

        for (part, policy) in
            [("kept", MetricFailurePolicy::Quarantine), ("failed", MetricFailurePolicy::FailRecorder)]
        {
            let options = RecorderOptions::new().metric_failure_policy(policy);
            let recorder = runtime.create_recorder_with(&entity(part), options).expect("creates");
            recorder.register_metric(Fragile::at(1)).expect("registers");
            recorder.emit(Step(1));
            let errors = || reasons(&entity(part), "metrics_recorder.dispatch_error");
            eventually("it is logged", || !errors().is_empty());
            assert_eq!(errors(), ["METRIC_FAILED"], "{policy:?}");
        }

        runtime.shutdown().expect_err("recorders have failed");
        assert_eq!(reasons(id, "metrics_runtime.shutdown"), ["SHUTDOWN_ERROR"]);
    });
}

#[test]
fn hx5_a_removed_recorder_that_cannot_be_read_is_named() {
    bounded(|| {
        let (namespace, entity) = ("lg.hx5.late", "lg.hx5.late.entity");
        capture::install();
        let builder = MetricsRuntime::builder(namespace).shutdown_timeout(Duration::from_millis(50));
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let gate = Gate::new();
        let options = RecorderOptions::new().entity_id(entity);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.emit(Step(0));
        gate.wait_for_arrival();
        runtime.stop_and_remove_recorder("a").expect_err("its handler does not return");
        gate.open();
        let [late] = &of(entity, "metrics_export.late")[..] else { panic!("{:?}", about(entity)) };
        assert_eq!(late.target, "mvx_metrics::export");
        assert_eq!(subject(late), BTreeMap::from([("recorder_id", "a"), ("namespace", namespace)]));
        runtime.shutdown().expect("stops");
    });
}

#[test]
fn hx5_a_function_can_return_the_errors_of_recorders_and_runtimes() {
    fn set_up(runtime: &MetricsRuntime) -> Result<(), MetricsRuntimeError> {
        let recorder = runtime.create_recorder("a")?;
        recorder.register_metric(Steps::default())?;
        recorder.stop().wait()?;
        recorder.register_event(Step(1))?;
        Ok(())
    }

    bounded(|| {
        let runtime = running("lg.hx5.errors", LogPolicy::Silent);
        let error = set_up(&runtime).expect_err("the recorder has stopped");
        assert_eq!((error.reason(), error.recorder_id()), ("INVALID_RECORDER_STATE", None));
        assert_eq!(error.to_string(), "recorder is STOPPED, expected VIRGIN or STARTING or RUNNING");
        let error = set_up(&runtime).expect_err("the id is taken");
        assert_eq!((error.reason(), error.recorder_id()), ("RECORDER_ALREADY_EXISTS", Some("a")));
        // The source of the recorder's error is kept.
        let cause = Arc::new(std::io::Error::other("no disk"));
        let error = MetricsRuntimeError::from(MetricsRecorderError::Unexpected { cause });
        assert_eq!(error.reason(), "UNEXPECTED_ERROR");
        assert_eq!(std::error::Error::source(&error).map(ToString::to_string).as_deref(), Some("no disk"));
    });
}

#[test]
fn hx5_errors_about_a_recorder_have_its_id() {
    bounded(|| {
        let runtime = running("lg.hx5.ids", LogPolicy::Silent);
        let hooks = |script| RecorderOptions::new().hooks_and_listener(script);
        let failing = [
            runtime.get_recorder("a").expect_err("there is none"),
            runtime
                .create_recorder_with("a", hooks(Script::new().starting(Act::Fail("no publisher"))))
                .expect_err("the hook fails"),
            {
                let script = Script::new().stopped(Act::Fail("not closed"));
                runtime.create_recorder_with("a", hooks(script)).expect("creates");
                runtime.create_recorder("a").expect_err("the id is taken")
            },
            runtime.stop_recorder("a").expect_err("the hook fails"),
        ];
        for error in failing {
            assert_eq!(error.recorder_id(), Some("a"), "{error}");
        }
        assert_eq!(runtime.get_recorder(" ").expect_err("blank").recorder_id(), None);
    });
}
