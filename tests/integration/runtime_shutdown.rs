//! How a runtime shuts down: complete, once, within its timeout, and when it is dropped.
//! Covers `RT_C2`, `RT_C4` to `RT_C8`, `RT_M1`.

use std::error::Error as _;
use std::time::{Duration, Instant};

use mvx_metrics::{
    MetricsRecorder, MetricsRecorderState, MetricsRuntime, MetricsRuntimeError, MetricsRuntimeState,
    RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Gate, Gated, HooksAndListener, Journal, Script, Step, Steps, bounded, eventually,
    in_threads, running_runtime,
};

use crate::runtime::{SHUTDOWNABLE, assert_refused, assert_unusable, eventually_threads, impossible_runtime};
use MetricsRuntimeState::{Closed, Failure, Stopping};

#[test]
fn rt_c2_shutdown_joins_the_thread_and_empties_the_registry() {
    bounded(|| {
        let runtime = running_runtime("rt.c2");
        let recorders = ["a", "b"].map(|id| runtime.create_recorder(id).expect("creates"));
        runtime.shutdown().expect("shuts down");
        assert_eq!(runtime.status(), Closed);
        eventually_threads("the system has forgotten the thread", "rt.c2.metrics_runtime", 0);
        assert_unusable(&runtime, Closed);
        for recorder in recorders {
            assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
            assert_eq!(recorder.start().wait().expect_err("no loop").reason(), "EVENT_LOOP_UNAVAILABLE");
        }
        runtime.shutdown().expect("again");
    });
}

#[test]
fn rt_c4_32_threads_shut_down_at_once_and_agree() {
    bounded(|| {
        for fails in [false, true] {
            let runtime = running_runtime("rt.c4");
            let script = if fails { Script::new().stopped(Act::Fail("not flushed")) } else { Script::new() };
            let hook_log = script.hook_log();
            runtime
                .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
                .expect("creates");
            let results = in_threads(32, |_| runtime.shutdown());
            let shutdowns: Vec<_> = results
                .iter()
                .map(|result| match result {
                    Ok(()) => "ok".to_owned(),
                    Err(MetricsRuntimeError::InvalidState { state: Failure, .. }) => "late".to_owned(),
                    Err(error) => error.to_string(),
                })
                .collect();
            let expected = if fails {
                "the runtime did not shut down cleanly: recorder `a`: the on_stopped hook failed"
            } else {
                "ok"
            };
            // A call that comes after the failed shutdown finds the runtime in FAILURE.
            assert!(
                shutdowns.iter().all(|answer| answer == expected || (fails && answer == "late")),
                "{shutdowns:?}"
            );
            assert!(shutdowns.iter().any(|answer| answer == expected));
            assert_eq!(hook_log.count("stopped"), 1);
            assert_eq!(runtime.status(), if fails { Failure } else { Closed });
        }
    });
}

#[test]
fn rt_c4_a_call_that_joins_a_shutdown_gets_its_result() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rt.c4");
        let script = Script::new().stopped(Act::WaitAndFail(gate.clone(), "not flushed"));
        runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        std::thread::scope(|scope| {
            let first = scope.spawn(|| runtime.shutdown());
            gate.wait_for_arrival();
            let others: Vec<_> = (0..8).map(|_| scope.spawn(|| runtime.shutdown())).collect();
            eventually("the runtime answers while others wait", || runtime.status() == Stopping);
            gate.open();
            let error_of = |thread: std::thread::ScopedJoinHandle<'_, Result<(), MetricsRuntimeError>>| {
                thread.join().expect("no panic").expect_err("the recorder does not stop")
            };
            let first = error_of(first);
            assert_eq!(first.reason(), "SHUTDOWN_ERROR");
            for error in others.into_iter().map(error_of) {
                // A thread that calls only after the shutdown has failed finds the runtime in FAILURE.
                let late = matches!(error, MetricsRuntimeError::InvalidState { state: Failure, .. });
                assert!(late || error.to_string() == first.to_string(), "{error}");
            }
        });
    });
}

#[test]
fn rt_c5_shutdown_processes_all_accepted_events_of_all_recorders() {
    bounded(|| {
        let runtime = running_runtime("rt.c5");
        let recorders: Vec<_> = (0..50)
            .map(|number| {
                let options = RecorderOptions::new();
                let options =
                    if number % 5 == 0 { options.hooks_and_listener(Script::new()) } else { options };
                let recorder = runtime.create_recorder_with(&format!("r{number}"), options).expect("creates");
                let journal = Journal::new();
                recorder.register_metric(journal.clone()).expect("registers");
                (recorder, journal)
            })
            .collect();
        for step in 0..500 {
            for (recorder, _) in &recorders {
                recorder.register_event(Step(step)).expect("accepted");
            }
        }
        runtime.shutdown().expect("shuts down");
        for (recorder, journal) in recorders {
            assert_eq!(journal.numbers(), (0..500).collect::<Vec<_>>());
            assert_eq!((recorder.stats().processed, recorder.stats().discarded), (500, 0));
        }
    });
}

#[test]
fn rt_c5_shutdown_waits_for_a_recorder_that_is_being_removed() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rt.c5");
        let recorder = runtime.create_recorder("a").expect("creates");
        let journal = Journal::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_metric(journal.clone()).expect("registers");
        for step in 0..5_000 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        gate.wait_for_arrival();
        std::thread::scope(|scope| {
            let remover = scope.spawn(|| runtime.stop_and_remove_recorder("a"));
            eventually("the recorder is being removed", || {
                runtime.try_get_recorder("a").expect("runs").is_none()
            });
            let shutdown = scope.spawn(|| runtime.shutdown());
            eventually("the runtime is being shut down", || runtime.status() == Stopping);
            gate.open();
            shutdown.join().expect("no panic").expect("shuts down");
            remover.join().expect("no panic").expect("removes");
        });
        assert_eq!(journal.numbers(), (0..5_000).collect::<Vec<_>>());
        assert_eq!(recorder.stats().discarded, 0);
    });
}

#[test]
fn rt_c6_one_recorder_fails_to_stop_and_the_others_stop() {
    bounded(|| {
        let runtime = running_runtime("rt.c6");
        let good = runtime.create_recorder("good").expect("creates");
        let script = Script::new().stopped(Act::Fail("not flushed"));
        let bad = runtime
            .create_recorder_with("bad", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        let late = runtime
            .create_recorder_with("late", RecorderOptions::new().hooks_and_listener(Script::new()))
            .expect("creates");
        let error = runtime.shutdown().expect_err("one does not stop");
        assert_eq!(error.reason(), "SHUTDOWN_ERROR");
        let MetricsRuntimeError::Shutdown { recorders, timed_out } = error else {
            panic!("not a shutdown error: {error:?}");
        };
        assert!(!timed_out);
        assert_eq!(recorders.len(), 1);
        let (id, cause) = &recorders[0];
        assert_eq!((id.as_str(), cause.reason()), ("bad", "ON_STOPPED_HOOK_FAILED"));
        assert_eq!(cause.source().map(ToString::to_string).as_deref(), Some("not flushed"));
        assert_eq!(runtime.status(), Failure);
        eventually_threads("the system has forgotten the thread", "rt.c6.metrics_runtime", 0);
        assert_eq!(good.status(), MetricsRecorderState::Stopped);
        assert_eq!(late.status(), MetricsRecorderState::Stopped);
        assert_eq!(bad.status(), MetricsRecorderState::Failure);
        assert_refused(runtime.shutdown(), Failure, SHUTDOWNABLE);
    });
}

/// A runtime with a startup and a shutdown timeout of 200 ms.
fn runtime_with_short_timeouts(namespace: &str) -> MetricsRuntime {
    let timeout = Duration::from_millis(400);
    let builder = MetricsRuntime::builder(namespace).shutdown_timeout(timeout).startup_timeout(timeout);
    let runtime = builder.build().expect("valid");
    runtime.start().expect("starts");
    runtime
}

#[test]
fn rt_c7_a_hook_that_never_returns_does_not_block_the_shutdown() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("rt.c7");
        let script = Script::new().stopped(Act::Never);
        let stuck = runtime
            .create_recorder_with("stuck", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        let good = runtime.create_recorder("good").expect("creates");
        let before = Instant::now();
        let error = runtime.shutdown().expect_err("one never stops");
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
        let MetricsRuntimeError::Shutdown { recorders, timed_out: false } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(recorders.len(), 1);
        assert_eq!(recorders[0].0, "stuck");
        assert_eq!(recorders[0].1.reason(), "STALLED");
        assert_eq!(
            error.to_string(),
            "the runtime did not shut down cleanly: recorder `stuck`: gave up after 400ms, waiting for the recorder to stop"
        );
        assert_eq!(good.status(), MetricsRecorderState::Stopped);
        eventually("the hook is given up", || stuck.status() == MetricsRecorderState::Cancelled);
        assert_eq!(runtime.status(), Failure);
    });
}

#[test]
fn rt_c7_a_hook_that_blocks_the_thread_does_not_block_the_shutdown() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = runtime_with_short_timeouts("rt.c7");
        let script = Script::new().changed(Act::Block(gate.clone()));
        let stuck = runtime
            .create_recorder_with("stuck", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        stuck.register_metric(Steps::default()).expect("registers");
        stuck.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        let before = Instant::now();
        let error = runtime.shutdown().expect_err("the thread never ends");
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
        let MetricsRuntimeError::Shutdown { recorders, timed_out: true } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(recorders.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["stuck"]);
        assert!(error.to_string().ends_with("; its thread did not end in time"), "{error}");
        gate.open();
        eventually_threads("the thread ends after all", "rt.c7.metrics_runtime", 0);
    });
}

#[test]
fn rt_c7_timeouts_beyond_the_range_of_the_clock_work() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.c7");
        let builder = builder.startup_timeout(Duration::MAX).shutdown_timeout(Duration::MAX);
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        for (id, hooks) in [("a", false), ("b", true), ("c", true)] {
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = runtime.create_recorder_with(id, options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_event(Step(1)).expect("accepted");
        }
        runtime.stop_recorder("a").expect("stops");
        runtime.stop_and_remove_recorder("b").expect("stops");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rt_c7_a_shutdown_with_timeout_zero_ends_at_once_and_names_the_busy_recorder() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.c7").shutdown_timeout(Duration::ZERO);
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let gate = Gate::new();
        let busy = runtime.create_recorder("busy").expect("creates");
        let idle = runtime.create_recorder("idle").expect("creates");
        busy.register_metric(Gated(gate.clone())).expect("registers");
        busy.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        let stopped = runtime.stop_recorder("busy").expect_err("there is no time for it");
        assert_eq!(stopped.reason(), "RECORDER_STOP_ERROR");
        runtime.stop_recorder("idle").expect("that needs no time");
        let error = runtime.shutdown().expect_err("there is no time for it");
        assert_eq!((error.reason(), runtime.status()), ("SHUTDOWN_ERROR", MetricsRuntimeState::Failure));
        gate.open();
        eventually("it ends after all", || busy.stats().pending == 0);
        assert_eq!(idle.status(), MetricsRecorderState::Stopped);
        let stats = busy.stats();
        assert_eq!(stats.accepted, stats.processed + stats.discarded);
    });
}

#[test]
fn rt_c8_dropping_a_running_runtime_shuts_it_down() {
    bounded(|| {
        let runtime = running_runtime("rt.c8");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        for step in 0..5_000 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        drop(runtime);
        assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
        assert_eq!((recorder.stats().processed, Steps::total(&recorder)), (5_000, 5_000));
        eventually_threads("the system has forgotten the thread", "rt.c8.metrics_runtime", 0);
    });
}

#[test]
fn rt_c8_dropping_a_runtime_with_a_blocked_hook_ends_within_the_timeout() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("rt.c8s");
        let script = Script::new().stopped(Act::Never);
        runtime
            .create_recorder_with("stuck", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        let before = Instant::now();
        drop(runtime);
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    });
}

#[test]
fn rt_c8_dropping_a_runtime_while_unwinding_shuts_it_down() {
    bounded(|| {
        let recorder = std::sync::Mutex::new(None);
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let runtime = running_runtime("rt.c8u");
            let created = runtime.create_recorder("a").expect("creates");
            created.register_event(Step(1)).expect("accepted");
            *recorder.lock().expect("not poisoned") = Some(created);
            panic!("the application panics");
        }));
        unwound.expect_err("it panicked");
        let recorder: MetricsRecorder = recorder.into_inner().expect("not poisoned").expect("created");
        assert_eq!((recorder.status(), recorder.stats().processed), (MetricsRecorderState::Stopped, 1));
        eventually_threads("the system has forgotten the thread", "rt.c8u.metrics_runtime", 0);
    });
}

#[test]
fn rt_c8_dropping_a_virgin_or_closed_runtime_does_nothing() {
    bounded(|| {
        drop(MetricsRuntime::new("rt.c8").expect("a valid namespace"));
        let closed = running_runtime("rt.c8v");
        closed.shutdown().expect("shuts down");
        drop(closed);
    });
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "another system may reserve the stack")]
fn rt_c8_dropping_a_failed_runtime_does_nothing() {
    bounded(|| {
        let failed = impossible_runtime("rt.c8v");
        failed.start().expect_err("no stack is that large");
        drop(failed);
    });
}

#[test]
fn rt_c8_a_runtime_can_be_used_and_dropped_inside_a_tokio_runtime() {
    bounded(|| {
        let use_it = || {
            let runtime = running_runtime("rt.c8");
            let hooks = RecorderOptions::new().hooks_and_listener(Script::new());
            let recorders = [
                runtime.create_recorder("a").expect("creates"),
                runtime.create_recorder_with("b", hooks).expect("creates"),
            ];
            for recorder in &recorders {
                recorder.register_metric(Steps::default()).expect("registers");
                recorder.register_event(Step(1)).expect("accepted");
                assert_eq!(Steps::total(recorder), 1);
                recorder.flush().wait().expect("flushes");
            }
            runtime.stop_recorder("b").expect("stops");
            assert_eq!(runtime.snapshot().expect("reads").recorders.len(), 2);
            drop(runtime);
            assert!(recorders.iter().all(|recorder| recorder.status() == MetricsRecorderState::Stopped));
        };
        let application = Direct::new();
        application.tokio().block_on(async { use_it() });
        application.tokio().block_on(application.tokio().spawn(async move { use_it() })).expect("no panic");
        application.tokio().block_on(application.tokio().spawn_blocking(use_it)).expect("no panic");
        let single = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
        single.block_on(async { use_it() });
    });
}

#[test]
fn rt_m1_shutdown_names_only_failed_recorders_beside_running_and_stopped_ones() {
    bounded(|| {
        let runtime = running_runtime("rt.m1");
        let running = runtime.create_recorder("running").expect("creates");
        let stopped = runtime.create_recorder("stopped").expect("creates");
        runtime.stop_recorder("stopped").expect("stops");
        let script = Script::new().changed(Act::Fail("not sent"));
        let failed = runtime
            .create_recorder_with("failed", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        failed.register_metric(Steps::default()).expect("registers");
        failed.register_event(Step(1)).expect("accepted");
        eventually("it fails", || failed.status() == MetricsRecorderState::Failure);
        running.register_event(Step(1)).expect("accepted");
        let MetricsRuntimeError::Shutdown { recorders, timed_out: false } =
            runtime.shutdown().expect_err("one had failed")
        else {
            panic!("not a shutdown error");
        };
        assert_eq!(recorders.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["failed"]);
        assert_eq!(recorders[0].1.reason(), "INVALID_RECORDER_STATE");
        assert_eq!(running.status(), MetricsRecorderState::Stopped);
        assert_eq!((running.stats().processed, stopped.status()), (1, MetricsRecorderState::Stopped));
        assert_eq!(runtime.status(), Failure);
    });
}

#[test]
fn rt_c8_a_recorder_outlives_its_runtime() {
    bounded(|| {
        let runtime = running_runtime("rt.c8");
        let recorder = runtime.stop_and_remove_recorder({
            runtime.create_recorder("a").expect("creates");
            "a"
        });
        let recorder = recorder.expect("removes");
        recorder.start().wait().expect("it can be started again");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        assert_eq!(Steps::total(&recorder), 1);
        runtime.shutdown().expect("shuts down");
        drop(runtime);
        recorder.emit(Step(1));
        recorder.emit(Step(1));
        drop(recorder.stop().wait());
        eventually("nothing is pending", || recorder.stats().pending == 0);
        let stats = recorder.stats();
        assert_eq!(stats.accepted, stats.processed + stats.discarded);
        assert_eq!(stats.accepted + stats.rejected, 3);
        drop(Direct::new());
    });
}
