//! The recorders of a runtime: creating, finding, stopping and removing them by id.
//! Covers `RT_I1`, `RT_I2`, `RT_I5`, `RT_I6`, `RT_J1`, `RT_K1`, `RT_K2`, `RT_L1` to `RT_L3`.

use std::error::Error as _;
use std::thread;
use std::time::Duration;

use mvx_metrics::{MetricsRecorderState, MetricsRuntime, MetricsRuntimeError, RecorderOptions};
use mvx_metrics_tests::{
    Act, Gate, HooksAndListener, Script, Step, Steps, bounded, eventually, in_threads, running_runtime,
};

use MetricsRecorderState::{Failure, Running, Stopped};

fn id_of(error: &MetricsRuntimeError) -> &str {
    match error {
        MetricsRuntimeError::RecorderAlreadyExists { id }
        | MetricsRuntimeError::RecorderNotFound { id }
        | MetricsRuntimeError::RecorderStartup { id, .. }
        | MetricsRuntimeError::RecorderStop { id, .. } => id,
        other => panic!("no recorder in it: {other:?}"),
    }
}

#[test]
fn rt_i1_a_created_recorder_runs_and_is_registered() {
    bounded(|| {
        let runtime = running_runtime("rt.i1");
        let recorder = runtime.create_recorder("a").expect("creates");
        assert_eq!(recorder.status(), Running);
        recorder.register_metric(Steps::default()).expect("registers");
        runtime.get_recorder("a").expect("it is there").register_event(Step(1)).expect("accepted");
        assert_eq!(Steps::total(&recorder), 1, "both are the same recorder");
    });
}

#[test]
fn rt_i1_its_events_are_processed_on_the_runtimes_thread() {
    struct ReportsThread(std::sync::mpsc::Sender<Option<String>>);

    impl mvx_metrics::HandleEvent<Step> for ReportsThread {
        fn handle(&mut self, _: &Step) -> bool {
            self.0.send(std::thread::current().name().map(str::to_owned)).is_ok()
        }
    }

    impl mvx_metrics::Metric for ReportsThread {
        fn metric_name(&self) -> &'static str {
            "reports_thread"
        }
        fn handlers() -> &'static [mvx_metrics::EventHandler<Self>] {
            const { &[mvx_metrics::EventHandler::of::<Step>()] }
        }
        fn snapshot(&self) -> mvx_metrics::MetricSnapshot {
            mvx_metrics::MetricSnapshot::of_static("reports_thread")
        }
    }

    bounded(|| {
        let runtime = running_runtime("rt.i1");
        let (sender, receiver) = std::sync::mpsc::channel();
        for (id, options) in [
            ("plain", RecorderOptions::new()),
            ("hooked", RecorderOptions::new().hooks_and_listener(Script::new())),
        ] {
            let recorder = runtime.create_recorder_with(id, options).expect("creates");
            recorder.register_metric(ReportsThread(sender.clone())).expect("registers");
            recorder.register_event(Step(1)).expect("accepted");
            let thread = receiver.recv().expect("it is processed without a reader");
            assert_eq!(thread.as_deref(), Some("rt.i1.metrics_runtime"));
        }
    });
}

#[test]
fn rt_i2_ids_are_trimmed_and_blank_ones_refused() {
    bounded(|| {
        let runtime = running_runtime("rt.i2");
        let recorder = runtime.create_recorder("  a\n").expect("creates");
        assert_eq!(recorder.entity_id(), "a");
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a"]);
        for blank in ["", " ", "\t\n"] {
            let reasons = [
                runtime.create_recorder(blank).map(drop),
                runtime.get_recorder(blank).map(drop),
                runtime.try_get_recorder(blank).map(drop),
                runtime.stop_recorder(blank),
                runtime.stop_and_remove_recorder(blank).map(drop),
            ]
            .map(|result| result.expect_err("blank").reason());
            assert_eq!(reasons, ["INVALID_ARGUMENT"; 5]);
        }
    });
}

#[test]
fn rt_i2_an_id_in_use_is_refused_also_after_trimming() {
    bounded(|| {
        let runtime = running_runtime("rt.i2");
        let first = runtime.create_recorder("a").expect("creates");
        for id in ["a", " a "] {
            let error = runtime.create_recorder(id).expect_err("it is in use");
            assert_eq!((error.reason(), id_of(&error)), ("RECORDER_ALREADY_EXISTS", "a"));
            assert_eq!(error.to_string(), "recorder `a` already exists");
        }
        assert_eq!(first.status(), Running);
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a"]);
    });
}

#[test]
fn rt_i2_an_id_that_is_being_created_is_in_use() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rt.i2");
        std::thread::scope(|scope| {
            let script = Script::new().starting(Act::Wait(gate.clone()));
            let creation = scope.spawn(|| {
                runtime.create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            });
            gate.wait_for_arrival();
            assert_eq!(runtime.create_recorder("a").expect_err("in use").reason(), "RECORDER_ALREADY_EXISTS");
            assert_eq!(runtime.get_recorder("a").expect_err("not yet").reason(), "RECORDER_NOT_FOUND");
            assert!(runtime.try_get_recorder("a").expect("runs").is_none());
            assert!(runtime.list_recorder_ids().expect("lists").is_empty());
            gate.open();
            creation.join().expect("no panic").expect("creates");
        });
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a"]);
    });
}

#[test]
fn rt_i5_a_failed_start_frees_the_id() {
    bounded(|| {
        let runtime = running_runtime("rt.i5");
        for act in [Act::Fail("no publisher"), Act::Panic("no publisher")] {
            let text = if matches!(act, Act::Panic(_)) { "panicked: no publisher" } else { "no publisher" };
            let options = RecorderOptions::new().hooks_and_listener(Script::new().starting(act));
            let error = runtime.create_recorder_with("a", options).expect_err("the hook fails");
            assert_eq!((error.reason(), id_of(&error)), ("RECORDER_STARTUP_ERROR", "a"));
            let cause = error.source().expect("the recorder's error");
            assert_eq!(cause.to_string(), "the on_starting hook failed");
            assert_eq!(cause.source().map(ToString::to_string).as_deref(), Some(text));
        }
        assert!(runtime.list_recorder_ids().expect("lists").is_empty());
        runtime.create_recorder("a").expect("the id is free");
        runtime.shutdown().expect("nothing of it is left");
    });
}

#[test]
fn rt_i5_a_start_may_take_longer_than_the_shutdown_timeout() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.i5").shutdown_timeout(Duration::from_millis(50));
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let gate = Gate::new();
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().starting(Act::Wait(gate.clone())));
        thread::scope(|scope| {
            let creation = scope.spawn(|| runtime.create_recorder_with("a", options));
            gate.wait_for_arrival();
            // Four times as long as a wait without a deadline would go on.
            thread::sleep(Duration::from_millis(200));
            gate.open();
            creation.join().expect("no panic").expect("the startup timeout alone bounds the start");
        });
    });
}

#[test]
fn rt_i5_a_start_that_takes_too_long_frees_the_id() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.i5").startup_timeout(Duration::from_secs(1));
        let runtime = builder.build().expect("valid");
        runtime.start().expect("its thread needs less than a second");
        let options = RecorderOptions::new().hooks_and_listener(Script::new().starting(Act::Never));
        let error = runtime.create_recorder_with("a", options).expect_err("the hook never returns");
        assert_eq!(error.reason(), "RECORDER_STARTUP_ERROR");
        let mut last = error.source().expect("a cause");
        while let Some(source) = last.source() {
            last = source;
        }
        assert_eq!(last.to_string(), "gave up after 1s, waiting for the recorder to start");
        runtime.create_recorder("a").expect("the id is free");
        runtime.shutdown().expect("the given-up start does not matter");
    });
}

#[test]
fn rt_i5_a_shutdown_while_a_recorder_starts_fails_its_creation() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rt.i5");
        std::thread::scope(|scope| {
            let script = Script::new().starting(Act::Wait(gate.clone()));
            let creation = scope.spawn(|| {
                runtime.create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            });
            gate.wait_for_arrival();
            runtime.shutdown().expect("shuts down");
            let error = creation.join().expect("no panic").expect_err("there is no runtime any more");
            assert!(
                ["RECORDER_STARTUP_ERROR", "INVALID_RUNTIME_STATE"].contains(&error.reason()),
                "{error:?}"
            );
        });
        gate.open();
    });
}

#[test]
fn rt_i6_32_threads_with_different_ids_all_succeed() {
    bounded(|| {
        let runtime = running_runtime("rt.i6");
        in_threads(32, |thread| {
            for number in 0..20 {
                runtime.create_recorder(&format!("{thread}-{number}")).expect("creates");
            }
        });
        let ids = runtime.list_recorder_ids().expect("lists");
        assert_eq!(ids.len(), 640);
        for thread in 0..32 {
            let own: Vec<_> = ids.iter().filter(|id| id.starts_with(&format!("{thread}-"))).collect();
            let created: Vec<_> = (0..20).map(|number| format!("{thread}-{number}")).collect();
            assert_eq!(own, created.iter().collect::<Vec<_>>(), "in order of creation");
        }
    });
}

#[test]
fn rt_i6_32_threads_with_one_id_and_exactly_one_succeeds() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("rt.i6");
            let results = in_threads(32, |_| {
                let options = RecorderOptions::new();
                let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
                runtime.create_recorder_with("a", options)
            });
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
            for error in results.into_iter().filter_map(Result::err) {
                assert_eq!(error.reason(), "RECORDER_ALREADY_EXISTS");
            }
            assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a"]);
        }
    });
}

#[test]
fn rt_j1_get_try_get_and_list_find_recorders_by_trimmed_id() {
    bounded(|| {
        let runtime = running_runtime("rt.j1");
        for id in ["c", "a", "b"] {
            runtime.create_recorder(id).expect("creates");
        }
        assert_eq!(runtime.get_recorder(" a ").expect("found").entity_id(), "a");
        assert_eq!(
            runtime
                .try_get_recorder("b ")
                .expect("runs")
                .map(|found| found.entity_id().to_owned())
                .as_deref(),
            Some("b")
        );
        let error = runtime.get_recorder(" x ").expect_err("missing");
        assert_eq!((error.reason(), id_of(&error)), ("RECORDER_NOT_FOUND", "x"));
        assert_eq!(error.to_string(), "recorder `x` was not found");
        assert!(runtime.try_get_recorder("x").expect("runs").is_none());
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["c", "a", "b"]);
        runtime.stop_and_remove_recorder("c").expect("removes");
        runtime.create_recorder("c").expect("creates");
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a", "b", "c"]);
    });
}

#[test]
fn rt_k1_a_stopped_recorder_stays_registered() {
    bounded(|| {
        let runtime = running_runtime("rt.k1");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        for _ in 0..3 {
            runtime.stop_recorder(" a ").expect("stops, or is stopped already");
            assert_eq!(recorder.status(), Stopped);
        }
        assert_eq!(Steps::total(&recorder), 1);
        assert_eq!(runtime.get_recorder("a").expect("it is there").status(), Stopped);
        recorder.start().wait().expect("it can be started again");
        let error = runtime.stop_recorder("x").expect_err("missing");
        assert_eq!((error.reason(), id_of(&error)), ("RECORDER_NOT_FOUND", "x"));
    });
}

#[test]
fn rt_k1_concurrent_stops_are_safe() {
    bounded(|| {
        let runtime = running_runtime("rt.k1");
        for hooks in [false, true] {
            let script = Script::new();
            let hook_log = script.hook_log();
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(script) } else { options };
            let id = if hooks { "hooked" } else { "plain" };
            let recorder = runtime.create_recorder_with(id, options).expect("creates");
            for step in 0..1_000 {
                recorder.register_event(Step(step)).expect("accepted");
            }
            for result in in_threads(32, |_| runtime.stop_recorder(id)) {
                result.expect("stopped by one of them");
            }
            assert_eq!(recorder.stats().processed, 1_000);
            assert_eq!(hook_log.count("stopped"), usize::from(hooks));
        }
    });
}

/// A runtime with a recorder `a` in FAILURE.
fn with_failed_recorder(namespace: &str) -> MetricsRuntime {
    let runtime = running_runtime(namespace);
    let options = RecorderOptions::new().hooks_and_listener(Script::new().changed(Act::Fail("not sent")));
    let recorder = runtime.create_recorder_with("a", options).expect("creates");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.register_event(Step(1)).expect("accepted");
    eventually("it fails", || recorder.status() == Failure);
    runtime
}

#[track_caller]
fn assert_failed_stop(error: &MetricsRuntimeError) {
    assert_eq!((error.reason(), id_of(error)), ("RECORDER_STOP_ERROR", "a"));
    assert_eq!(error.to_string(), "recorder `a` could not be stopped");
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    assert_eq!(causes, ["recorder is FAILURE, expected RUNNING", "unexpected error", "not sent"]);
}

#[test]
fn rt_k2_stopping_a_failed_recorder_gives_its_cause() {
    bounded(|| {
        let runtime = with_failed_recorder("rt.k2");
        for _ in 0..2 {
            assert_failed_stop(&runtime.stop_recorder("a").expect_err("it has failed"));
        }
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a"]);
    });
}

#[test]
fn rt_k2_a_stop_beyond_the_timeout_is_a_stop_error() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.k2").shutdown_timeout(Duration::from_millis(100));
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let options = RecorderOptions::new().hooks_and_listener(Script::new().stopped(Act::Never));
        runtime.create_recorder_with("a", options).expect("creates");
        let error = runtime.stop_recorder("a").expect_err("the hook never returns");
        assert_eq!(error.reason(), "RECORDER_STOP_ERROR");
        let cause = error.source().map(ToString::to_string);
        assert_eq!(cause.as_deref(), Some("gave up after 100ms, waiting for the recorder to stop"));
    });
}

#[test]
fn rt_l1_a_removed_recorder_is_returned_and_its_id_is_free() {
    bounded(|| {
        let runtime = running_runtime("rt.l1");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        let removed = runtime.stop_and_remove_recorder(" a ").expect("removes");
        assert_eq!((removed.status(), removed.entity_id()), (Stopped, "a"));
        assert_eq!(Steps::total(&removed), 1);
        assert_eq!(runtime.get_recorder("a").expect_err("gone").reason(), "RECORDER_NOT_FOUND");
        assert!(runtime.list_recorder_ids().expect("lists").is_empty());
        let other = runtime.create_recorder("a").expect("the id is free");
        assert!(other.metrics().expect("reads").is_empty(), "it is another recorder");
        assert_eq!(
            runtime.stop_and_remove_recorder("x").expect_err("missing").reason(),
            "RECORDER_NOT_FOUND"
        );
    });
}

#[test]
fn rt_l1_an_id_is_free_only_when_its_recorder_has_stopped() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rt.l1");
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().stopped(Act::Wait(gate.clone())));
        runtime.create_recorder_with("a", options).expect("creates");
        std::thread::scope(|scope| {
            let remover = scope.spawn(|| runtime.stop_and_remove_recorder("a"));
            gate.wait_for_arrival();
            assert_eq!(runtime.create_recorder("a").expect_err("in use").reason(), "RECORDER_ALREADY_EXISTS");
            assert_eq!(runtime.stop_recorder("a").expect_err("going").reason(), "RECORDER_NOT_FOUND");
            gate.open();
            remover.join().expect("no panic").expect("removes");
        });
        runtime.create_recorder("a").expect("the id is free");
    });
}

#[test]
fn rt_l2_a_recorder_that_fails_to_stop_is_removed() {
    bounded(|| {
        let runtime = running_runtime("rt.l2");
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().stopped(Act::Fail("not flushed")));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        let error = runtime.stop_and_remove_recorder("a").expect_err("the hook fails");
        assert_eq!((error.reason(), id_of(&error)), ("RECORDER_STOP_ERROR", "a"));
        let cause = error.source().expect("a cause");
        assert_eq!(cause.to_string(), "the on_stopped hook failed");
        assert_eq!(cause.source().map(ToString::to_string).as_deref(), Some("not flushed"));
        assert_eq!(recorder.status(), Failure);
        assert!(runtime.list_recorder_ids().expect("lists").is_empty());
        runtime.create_recorder("a").expect("the id is free");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rt_l2_a_failed_recorder_is_removed() {
    bounded(|| {
        let runtime = with_failed_recorder("rt.l2");
        assert_failed_stop(&runtime.stop_and_remove_recorder("a").expect_err("it has failed"));
        assert!(runtime.list_recorder_ids().expect("lists").is_empty());
        runtime.shutdown().expect("the failed one is gone");
    });
}

#[test]
fn rt_l3_of_concurrent_removers_one_gets_the_recorder() {
    bounded(|| {
        let runtime = running_runtime("rt.l3");
        for round in 0..20 {
            let options = RecorderOptions::new();
            let options = if round % 2 == 0 { options.hooks_and_listener(Script::new()) } else { options };
            runtime.create_recorder_with("a", options).expect("creates");
            let results = in_threads(32, |_| runtime.stop_and_remove_recorder("a"));
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
            for error in results.into_iter().filter_map(Result::err) {
                assert_eq!(error.reason(), "RECORDER_NOT_FOUND");
            }
        }
    });
}

#[test]
fn rt_l3_creating_and_removing_from_many_threads_leaves_the_id_free() {
    bounded(|| {
        let runtime = running_runtime("rt.l3");
        in_threads(8, |_| {
            for _ in 0..50 {
                if let Ok(recorder) = runtime.create_recorder("a") {
                    recorder.emit(Step(1));
                }
                if let Ok(removed) = runtime.stop_and_remove_recorder("a") {
                    assert_eq!(removed.status(), Stopped);
                }
            }
        });
        drop(runtime.stop_and_remove_recorder("a"));
        assert!(runtime.list_recorder_ids().expect("lists").is_empty());
        runtime.create_recorder("a").expect("the id is free");
        runtime.shutdown().expect("shuts down");
    });
}
