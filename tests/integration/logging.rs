//! LG: logging.

use mvx_metrics::{LogPolicy, MetricsRuntime, QueueOverflowPolicy, RecorderOptions, RegisterEventError};
use mvx_metrics_tests::{Act, Direct, Fragile, Gate, Script, Step, Steps, bounded, eventually};
use tracing::Level;

use crate::capture::{Logged, about, install, titles};

fn runtime(namespace: &str, policy: LogPolicy) -> MetricsRuntime {
    install();
    MetricsRuntime::builder(namespace).log_policy(policy).build().expect("a valid namespace")
}

fn named(entity_id: &str, event: &str, phase: &str) -> Logged {
    let found = about(entity_id)
        .into_iter()
        .find(|logged| logged.field("event") == event && logged.field("phase") == phase);
    found.unwrap_or_else(|| panic!("{entity_id} logs {event} {phase}, among {:?}", titles(entity_id)))
}

#[test]
fn lg1_each_operation_of_a_runtime_is_logged_as_invoke_then_success() {
    bounded(|| {
        let runtime = runtime("lg.1.runtime", LogPolicy::Inspection);
        runtime.start().expect("starts");
        runtime.create_recorder("a").expect("creates");
        runtime.get_recorder("a").expect("gets");
        runtime.try_get_recorder("b").expect("looks");
        runtime.list_recorder_ids().expect("lists");
        runtime.stop_recorder("a").expect("stops");
        runtime.stop_and_remove_recorder("a").expect("removes");
        runtime.shutdown().expect("shuts down");
        let operations = [
            "start",
            "create_recorder",
            "get_recorder",
            "try_get_recorder",
            "list_recorder_ids",
            "stop_recorder",
            "stop_and_remove_recorder",
            "shutdown",
        ];
        let expected: Vec<_> = operations
            .iter()
            .flat_map(|operation| {
                ["invoke", "success"].map(|phase| format!("metrics_runtime.{operation} {phase}"))
            })
            .collect();
        assert_eq!(titles("lg.1.runtime"), expected);
        for logged in about("lg.1.runtime") {
            assert_eq!(logged.target, "mvx_metrics::runtime");
            assert_eq!(logged.fields.contains_key("elapsed_seconds"), logged.field("phase") != "invoke");
        }
        assert_eq!(named("lg.1.runtime", "metrics_runtime.start", "invoke").field("state"), "VIRGIN");
        assert_eq!(named("lg.1.runtime", "metrics_runtime.start", "success").field("state"), "RUNNING");
        assert_eq!(named("lg.1.runtime", "metrics_runtime.shutdown", "success").field("state"), "CLOSED");
    });
}

#[test]
fn lg1_each_operation_of_a_recorder_is_logged_as_invoke_then_success() {
    bounded(|| {
        install();
        let application = Direct::new();
        let options = RecorderOptions::new().entity_id("lg.1.recorder").log_policy(LogPolicy::Inspection);
        let recorder = application.recorder(options);
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.start().wait().expect("starts");
        recorder.metric_snapshots().expect("reads");
        recorder.metrics().expect("lists");
        recorder.stop().wait().expect("stops");
        let operations = ["register_metric", "start", "get_metric_snapshots", "iter_metrics", "stop"];
        for operation in operations {
            for phase in ["invoke", "success"] {
                let logged = named("lg.1.recorder", &format!("metrics_recorder.{operation}"), phase);
                assert_eq!(logged.target, "mvx_metrics::recorder");
                assert!(!logged.field("state").is_empty());
                assert_eq!(logged.field("metric"), if operation == "register_metric" { "steps" } else { "" });
            }
        }
        assert_eq!(titles("lg.1.recorder").len(), 2 * operations.len());
    });
}

#[test]
fn lg1_a_failed_operation_is_logged_with_its_error_and_the_cause() {
    bounded(|| {
        let runtime = runtime("lg.1.failed", LogPolicy::Normal);
        runtime.start().expect("starts");
        let options = RecorderOptions::new()
            .entity_id("lg.1.failing")
            .hooks(Script::new().starting(Act::Fail("no connection")));
        runtime.create_recorder_with("a", options).expect_err("the hook fails");
        let logged = named("lg.1.failed", "metrics_runtime.create_recorder", "failed");
        assert_eq!(
            logged.field("error"),
            "recorder `a` could not be started: the on_starting hook failed: no connection"
        );
        assert_eq!(logged.level, Level::WARN);
        let logged = named("lg.1.failing", "metrics_recorder.start", "failed");
        assert_eq!(logged.field("error"), "the on_starting hook failed: no connection");
        assert_eq!(logged.field("state"), "FAILURE");
    });
}

/// All operations, on a runtime of that namespace; how many events it and its recorder have logged.
fn all_operations(namespace: &str, policy: LogPolicy) -> (Vec<String>, Vec<String>) {
    let runtime = runtime(namespace, policy);
    let entity_id = format!("{namespace}.recorder");
    runtime.start().expect("starts");
    let options = RecorderOptions::new().entity_id(entity_id.clone());
    let recorder = runtime.create_recorder_with("a", options).expect("creates");
    runtime.get_recorder("a").expect("gets");
    runtime.try_get_recorder("a").expect("looks");
    runtime.list_recorder_ids().expect("lists");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.metric_snapshots().expect("reads");
    recorder.metrics().expect("lists");
    runtime.shutdown().expect("shuts down");
    (titles(namespace), titles(&entity_id))
}

#[test]
fn lg2_silent_logs_nothing() {
    bounded(|| assert_eq!(all_operations("lg.2.silent", LogPolicy::Silent), (vec![], vec![])));
}

#[test]
fn lg2_normal_logs_no_call_that_only_reads() {
    bounded(|| {
        let (runtime, recorder) = all_operations("lg.2.normal", LogPolicy::Normal);
        let expected = ["start", "create_recorder", "shutdown"];
        let of = |phase: &str| expected.map(|operation| format!("metrics_runtime.{operation} {phase}"));
        for title in of("invoke").iter().chain(&of("success")) {
            assert!(runtime.contains(title), "{title} is in {runtime:?}");
        }
        assert_eq!((runtime.len(), recorder.len()), (6, 6), "{runtime:?} {recorder:?}");
    });
}

#[test]
fn lg2_inspection_logs_everything() {
    bounded(|| {
        let (runtime, recorder) = all_operations("lg.2.inspection", LogPolicy::Inspection);
        assert_eq!((runtime.len(), recorder.len()), (12, 10), "{runtime:?} {recorder:?}");
    });
}

#[test]
fn lg3_a_recorder_has_its_runtimes_policy_unless_it_is_given_its_own() {
    bounded(|| {
        let runtime = runtime("lg.3", LogPolicy::Silent);
        runtime.start().expect("starts");
        let create = |entity_id: &str, policy: Option<LogPolicy>| {
            let options = RecorderOptions::new().entity_id(entity_id);
            let options = match policy {
                Some(policy) => options.log_policy(policy),
                None => options,
            };
            runtime.create_recorder_with(entity_id, options).expect("creates")
        };
        create("lg.3.default", None).register_metric(Steps::default()).expect("registers");
        create("lg.3.own", Some(LogPolicy::Normal)).register_metric(Steps::default()).expect("registers");
        assert_eq!(titles("lg.3.default"), Vec::<String>::new());
        assert!(titles("lg.3.own").contains(&"metrics_recorder.register_metric success".to_owned()));
    });
}

#[test]
fn lg4_offering_an_event_logs_nothing_whatever_comes_of_it() {
    bounded(|| {
        let runtime = runtime("lg.4", LogPolicy::Inspection);
        runtime.start().expect("starts");
        let gate = Gate::new();
        let options = RecorderOptions::new()
            .entity_id("lg.4.recorder")
            .queue_max_size(1)
            .queue_overflow_policy(QueueOverflowPolicy::Error)
            .hooks(Script::new().starting(Act::Pass).changed(Act::Wait(gate.clone())));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        let before = titles("lg.4.recorder");
        recorder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        let full = recorder.register_event(Step(2)).expect_err("the queue is full");
        assert_eq!(RegisterEventError::reason(&full), "QUEUE_OVERFLOW");
        recorder.emit(Step(3));
        assert_eq!(titles("lg.4.recorder"), before);
        gate.open();
        recorder.stop().wait().expect("stops");
        let before = titles("lg.4.recorder");
        recorder.register_event(Step(4)).expect_err("the recorder is stopped");
        recorder.emit(Step(5));
        assert_eq!(titles("lg.4.recorder"), before);
    });
}

#[test]
fn lg4_the_event_that_starts_a_recorder_logs_nothing() {
    bounded(|| {
        install();
        let application = Direct::new();
        let options = RecorderOptions::new().entity_id("lg.4.lazy").log_policy(LogPolicy::Inspection);
        let recorder = application.recorder(options);
        recorder.register_event(Step(1)).expect("accepted");
        recorder.flush().wait().expect("flushes");
        assert_eq!(titles("lg.4.lazy"), Vec::<String>::new());
    });
}

#[test]
fn lg4_an_event_for_a_tokio_runtime_that_has_ended_logs_nothing() {
    bounded(|| {
        install();
        let mut application = Direct::new();
        let options = RecorderOptions::new().entity_id("lg.4.ended").log_policy(LogPolicy::Normal);
        let recorder = application.recorder(options);
        recorder.start().wait().expect("starts");
        application.end();
        let before = titles("lg.4.ended");
        recorder.emit(Step(1));
        assert_eq!(titles("lg.4.ended"), before);
    });
}

#[test]
fn lg5_a_metric_that_fails_is_logged_once() {
    bounded(|| {
        let runtime = runtime("lg.5", LogPolicy::Normal);
        runtime.start().expect("starts");
        let options = RecorderOptions::new().entity_id("lg.5.metric");
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Fragile::at(1)).expect("registers");
        for _ in 0..3 {
            recorder.register_event(Step(1)).expect("accepted");
        }
        recorder.stop().wait().expect("stops");
        let errors: Vec<_> = about("lg.5.metric")
            .into_iter()
            .filter(|logged| logged.field("event") == "metrics_recorder.dispatch_error")
            .collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].level, Level::ERROR);
        assert!(!errors[0].field("metric").is_empty());
    });
}

#[test]
fn lg5_a_failed_hook_and_a_failed_cleanup_are_logged_once_each() {
    bounded(|| {
        let runtime = runtime("lg.5.hooks", LogPolicy::Normal);
        runtime.start().expect("starts");
        let script = Script::new().changed(Act::Fail("not sent")).stopped(Act::Fail("not closed"));
        let options = RecorderOptions::new().entity_id("lg.5.cleanup").hooks(script);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        let count = |event: &str| titles("lg.5.cleanup").iter().filter(|title| *title == event).count();
        eventually("the cleanup is logged", || count("metrics_recorder.cleanup.failed") > 0);
        assert_eq!(count("metrics_recorder.dispatch_error"), 1);
        assert_eq!(count("metrics_recorder.cleanup.failed"), 1);
    });
}
