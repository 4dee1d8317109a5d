//! Each policy's log events. Registering an event logs nothing, and each failure is logged once.
//! Covers LG2 to LG5.

use mvx_metrics::{
    LogPolicy, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, QueueOverflowPolicy,
    RecorderOptions,
};
use mvx_metrics_tests::capture::{self, Logged, about, titles};
use mvx_metrics_tests::{
    Act, Direct, Fragile, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded, eventually,
};

use crate::logging::{direct, line, lines, running};
use LogPolicy::{Inspection, Normal, Silent};
use MetricsRecorderState::{Cancelled, Failure, Running};

const POLICIES: [LogPolicy; 3] = [Silent, Normal, Inspection];

/// Makes lifecycle calls, read calls and a failure of a runtime and of its recorder. Returns the ids of both.
fn live(policy: LogPolicy) -> [String; 2] {
    let ids = [format!("lg.2.{policy:?}.runtime"), format!("lg.2.{policy:?}.recorder")];
    let runtime = running(&ids[0], policy);
    let recorder = runtime.create_recorder(&ids[1]).expect("creates");
    recorder.register_metric(Fragile::at(1)).expect("registers");
    recorder.register_event(Step(1)).expect("accepted");
    recorder.flush().wait().expect("flushes");
    if policy != Silent {
        // The event loop logs a failure after the event counts as processed.
        let is_failure = |title: &String| title == "metrics_recorder.dispatch_error";
        eventually("the failure is logged", || titles(&ids[1]).iter().any(is_failure));
    }
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

/// Starts, reads and stops a recorder with its own policy in a runtime with another one. Returns the titles of its log.
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

/// Registers and emits events, and checks that no log event was written.
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
            let options =
                RecorderOptions::new().hooks_and_listener(Script::new().starting(Act::Fail("no publisher")));
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
                let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
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
                let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
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

/// The log events of level ERROR with this entity id.
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
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
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
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
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
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        for step in 0..10 {
            recorder.emit(Step(step));
        }
        eventually("the task ends", || application.tasks() == 0);
        let prefix = "ERROR mvx_metrics::recorder";
        let dispatch = lines(id, "metrics_recorder.dispatch_error");
        assert_eq!(
            dispatch,
            [format!("{prefix} error=unexpected error: not sent reason=UNEXPECTED_ERROR state=FAILURE")]
        );
        let cleanup = lines(id, "metrics_recorder.cleanup.failed");
        assert_eq!(
            cleanup,
            [format!("{prefix} error=not closed reason=ON_STOPPED_HOOK_FAILED state=FAILURE")]
        );
    });
}

#[test]
fn lg5_a_cancelled_recorder_is_logged_once() {
    bounded(|| {
        for hooks in [false, true] {
            let id = format!("lg.5.cancelled.{hooks}");
            let mut application = Direct::new();
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = direct(&application, &id, Normal, options);
            recorder.start().wait().expect("starts");
            application.end();
            assert_eq!(recorder.status(), Cancelled);
            let text = "the task that processes events was cancelled";
            let expected = format!(
                "ERROR mvx_metrics::recorder error={text} reason=DISPATCHER_UNEXPECTEDLY_CANCELLED state=CANCELLED"
            );
            assert_eq!(errors(&id).iter().map(line).collect::<Vec<_>>(), [expected]);
        }
    });
}

#[test]
fn lg5_a_failed_stop_without_a_waiter_is_logged() {
    bounded(|| {
        let id = "lg.5.dropped";
        let application = Direct::new();
        let script = Script::new().stopped(Act::Fail("not closed"));
        let recorder = direct(&application, id, Normal, RecorderOptions::new().hooks_and_listener(script));
        recorder.start().wait().expect("starts");
        drop(recorder);
        eventually("the task ends", || application.tasks() == 0);
        let text = "the on_stopped hook failed: not closed";
        let expected =
            format!("ERROR mvx_metrics::recorder error={text} reason=ON_STOPPED_HOOK_FAILED state=FAILURE");
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
        let recorder = direct(&application, id, Silent, RecorderOptions::new().hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(0));
        eventually("the task ends", || application.tasks() == 0);
        assert_eq!(recorder.status(), Failure);
        assert!(titles(id).is_empty(), "{:?}", titles(id));
    });
}
