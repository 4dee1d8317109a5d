//! RT: the life of a runtime.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mvx_metrics::{
    LogPolicy, MetricsRecorder, MetricsRecorderState, MetricsRuntime, MetricsRuntimeError,
    MetricsRuntimeState, QueueOverflowPolicy, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Fragile, Gate, Gated, Journal, Script, Step, Steps, bounded, bounded_async, eventually,
    in_threads, running_runtime,
};

use MetricsRuntimeState::{Closed, Failure, Running, Starting, Stopping, Virgin};

const USABLE: &[MetricsRuntimeState] = &[Running];
const STARTABLE: &[MetricsRuntimeState] = &[Virgin, Running];
const SHUTDOWNABLE: &[MetricsRuntimeState] = &[Virgin, Running, Stopping, Closed];

/// How many threads of this process have a name that begins so; the system keeps 15 characters of it.
pub fn threads_named(name: &str) -> usize {
    let name = &name[..name.len().min(15)];
    let tasks = std::fs::read_dir("/proc/self/task").expect("there are threads");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|other| other.trim_end() == name).count()
}

/// A runtime whose thread cannot be created, because no stack is that large.
fn impossible_runtime(namespace: &str) -> MetricsRuntime {
    let builder = MetricsRuntime::builder(namespace).thread_stack_size(1 << 46);
    builder.build().expect("it is only found out when the thread is created")
}

#[track_caller]
fn assert_refused<T>(
    result: Result<T, MetricsRuntimeError>,
    actual: MetricsRuntimeState,
    allowed: &[MetricsRuntimeState],
) {
    let error = result.err().expect("the call is refused");
    assert_eq!(error.reason(), "INVALID_RUNTIME_STATE");
    let MetricsRuntimeError::InvalidState { state, expected } = error else {
        panic!("not an invalid state: {error:?}");
    };
    assert_eq!((state, expected), (actual, allowed));
}

/// All calls that need a running runtime.
fn assert_unusable(runtime: &MetricsRuntime, state: MetricsRuntimeState) {
    assert_refused(runtime.create_recorder("x"), state, USABLE);
    assert_refused(
        runtime.create_recorder_with("x", RecorderOptions::new().hooks(Script::new())),
        state,
        USABLE,
    );
    assert_refused(runtime.get_recorder("x"), state, USABLE);
    assert_refused(runtime.try_get_recorder("x"), state, USABLE);
    assert_refused(runtime.list_recorder_ids(), state, USABLE);
    assert_refused(runtime.stop_recorder("x"), state, USABLE);
    assert_refused(runtime.stop_and_remove_recorder("x"), state, USABLE);
    let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
    tokio.block_on(async {
        assert_refused(runtime.create_recorder_async("x").await, state, USABLE);
        let options = RecorderOptions::new().hooks(Script::new());
        assert_refused(runtime.create_recorder_with_async("x", options).await, state, USABLE);
        assert_refused(runtime.stop_recorder_async("x").await, state, USABLE);
        assert_refused(runtime.stop_and_remove_recorder_async("x").await, state, USABLE);
    });
}

#[test]
fn rt_a1_a_new_runtime_is_virgin_and_has_no_thread() {
    let runtime = MetricsRuntime::new("rt.a1").expect("a valid namespace");
    assert_eq!((runtime.status(), runtime.namespace()), (Virgin, "rt.a1"));
    assert_eq!(threads_named("rt.a1.metrics_runtime"), 0);
}

#[test]
fn rt_a1_arguments_that_cannot_be_are_refused() {
    let argument_of = |result: Result<MetricsRuntime, MetricsRuntimeError>| {
        let error = result.expect_err("the argument is refused");
        assert_eq!(error.reason(), "INVALID_ARGUMENT");
        match error {
            MetricsRuntimeError::InvalidArgument { argument, .. } => argument,
            other => panic!("not an invalid argument: {other:?}"),
        }
    };
    for namespace in ["", "  ", "\t\n", "with\0nul"] {
        assert_eq!(argument_of(MetricsRuntime::new(namespace)), "namespace");
    }
    for size in [0, (1 << 28) + 1, usize::MAX] {
        let built = MetricsRuntime::builder("a1").default_queue_max_size(size).build();
        assert_eq!(argument_of(built), "default_queue_max_size");
    }
    for bytes in [0, 1, (128 << 10) - 1, (1 << 46) + 1, usize::MAX] {
        let built = MetricsRuntime::builder("a1").thread_stack_size(bytes).build();
        assert_eq!(argument_of(built), "thread_stack_size");
    }
    let built = MetricsRuntime::builder("a1").poll_interval(Duration::MAX).build();
    assert_eq!(argument_of(built), "poll_interval");
}

#[test]
fn rt_a1_the_namespace_is_trimmed() {
    assert_eq!(MetricsRuntime::new("  a1 ").expect("a valid namespace").namespace(), "a1");
}

#[test]
fn rt_b1_start_creates_one_thread_of_the_documented_name() {
    bounded(|| {
        let runtime = running_runtime("rt.b1");
        assert_eq!(runtime.status(), Running);
        assert_eq!(threads_named("rt.b1.metrics_runtime"), 1);
        runtime.shutdown().expect("shuts down");
        eventually("the system has forgotten the thread", || threads_named("rt.b1.metrics_runtime") == 0);
    });
}

#[test]
fn rt_b2_start_when_running_is_a_no_op() {
    bounded(|| {
        let runtime = running_runtime("rt.b2");
        runtime.create_recorder("a").expect("creates");
        for result in in_threads(32, |_| runtime.start()) {
            result.expect("a no-op");
        }
        assert_eq!(threads_named("rt.b2.metrics_runtime"), 1);
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a"]);
    });
}

#[test]
fn rt_b3_a_runtime_that_was_shut_down_does_not_start_again() {
    bounded(|| {
        let runtime = running_runtime("rt.b3");
        runtime.shutdown().expect("shuts down");
        assert_refused(runtime.start(), Closed, STARTABLE);
        assert_eq!(runtime.status(), Closed);
        let virgin = MetricsRuntime::new("rt.b3").expect("a valid namespace");
        virgin.shutdown().expect("closes");
        assert_refused(virgin.start(), Closed, STARTABLE);
    });
}

#[test]
fn rt_b4_concurrent_first_starts_create_one_thread() {
    bounded(|| {
        for _ in 0..20 {
            let runtime = MetricsRuntime::new("rt.b4").expect("a valid namespace");
            let results = in_threads(32, |_| runtime.start());
            assert!(results.iter().any(Result::is_ok));
            for refused in results.into_iter().filter(Result::is_err) {
                assert_refused(refused, Starting, STARTABLE);
            }
            assert_eq!(runtime.status(), Running);
            assert_eq!(threads_named("rt.b4.metrics_runtime"), 1);
            runtime.shutdown().expect("shuts down");
        }
    });
}

#[test]
fn rt_b5_a_thread_that_cannot_be_created_is_a_startup_error() {
    bounded(|| {
        let runtime = impossible_runtime("rt.b5");
        let error = runtime.start().expect_err("no stack is that large");
        assert_eq!(error.reason(), "STARTUP_ERROR");
        assert!(matches!(error, MetricsRuntimeError::Startup { .. }));
        assert_eq!(error.to_string(), "the runtime could not be started");
        assert!(
            error.source().is_some_and(|cause| cause.is::<std::io::Error>() || !cause.to_string().is_empty())
        );
        assert_eq!(runtime.status(), Failure);
        assert_refused(runtime.start(), Failure, STARTABLE);
    });
}

#[test]
fn rt_b1_the_smallest_stack_is_enough_for_what_panics() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.b1.small").thread_stack_size(128 << 10);
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let script = Script::new().changed(Act::Panic("the hook panics"));
        for options in [RecorderOptions::new(), RecorderOptions::new().hooks(script)] {
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_metric(Fragile::at(1)).expect("registers");
            recorder.register_event(Step(1)).expect("accepted");
            drop(recorder.flush().wait());
            assert_eq!(Steps::total(&recorder), 1);
            drop(runtime.stop_and_remove_recorder("a"));
        }
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rt_b5_a_start_beyond_its_timeout_is_a_startup_error() {
    bounded(|| {
        // With no time at all the thread may still be ready at once; then the runtime simply runs.
        for _ in 0..50 {
            let builder = MetricsRuntime::builder("rt.b5").startup_timeout(Duration::ZERO);
            let runtime = builder.build().expect("valid");
            match runtime.start() {
                Ok(()) => assert_eq!(runtime.status(), Running),
                Err(error) => {
                    assert_eq!(error.reason(), "STARTUP_ERROR");
                    assert_eq!(
                        error.source().map(ToString::to_string).as_deref(),
                        Some("no answer within 0ns")
                    );
                    assert_eq!(runtime.status(), Failure);
                }
            }
        }
        eventually("late threads end", || threads_named("rt.b5.metrics_runtime") == 0);
    });
}

#[test]
fn rt_c1_shutdown_of_a_virgin_and_of_a_closed_runtime() {
    let runtime = MetricsRuntime::new("rt.c1").expect("a valid namespace");
    for _ in 0..3 {
        runtime.shutdown().expect("closes");
        assert_eq!(runtime.status(), Closed);
    }
}

#[test]
fn rt_c2_shutdown_joins_the_thread_and_empties_the_registry() {
    bounded(|| {
        let runtime = running_runtime("rt.c2");
        let recorders = ["a", "b"].map(|id| runtime.create_recorder(id).expect("creates"));
        runtime.shutdown().expect("shuts down");
        assert_eq!(runtime.status(), Closed);
        eventually("the system has forgotten the thread", || threads_named("rt.c2.metrics_runtime") == 0);
        assert_unusable(&runtime, Closed);
        for recorder in recorders {
            assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
            assert_eq!(recorder.start().wait().expect_err("no loop").reason(), "EVENT_LOOP_UNAVAILABLE");
        }
        runtime.shutdown().expect("again");
    });
}

/// The table of `start`, `shutdown` and all other calls, in the states that can be entered at leisure.
#[test]
fn rt_i4_the_table_of_all_calls() {
    bounded(|| {
        let virgin = MetricsRuntime::new("rt.table").expect("a valid namespace");
        assert_unusable(&virgin, Virgin);
        virgin.start().expect("VIRGIN starts");
        virgin.start().expect("RUNNING does nothing");
        virgin.shutdown().expect("RUNNING shuts down");

        assert_unusable(&virgin, Closed);
        assert_refused(virgin.start(), Closed, STARTABLE);
        virgin.shutdown().expect("CLOSED stays closed");

        let failed = impossible_runtime("rt.table");
        failed.start().expect_err("no stack is that large");
        assert_unusable(&failed, Failure);
        assert_refused(failed.start(), Failure, STARTABLE);
        assert_refused(failed.shutdown(), Failure, SHUTDOWNABLE);
        assert_eq!(failed.status(), Failure);

        let gate = Gate::new();
        let stopping = running_runtime("rt.table");
        let options = RecorderOptions::new().hooks(Script::new().stopped(Act::Wait(gate.clone())));
        stopping.create_recorder_with("a", options).expect("creates");
        std::thread::scope(|scope| {
            let shutdown = scope.spawn(|| stopping.shutdown());
            gate.wait_for_arrival();
            assert_eq!(stopping.status(), Stopping);
            assert_unusable(&stopping, Stopping);
            assert_refused(stopping.start(), Stopping, STARTABLE);
            let joins = scope.spawn(|| stopping.shutdown());
            std::thread::yield_now();
            gate.open();
            shutdown.join().expect("no panic").expect("shuts down");
            joins.join().expect("no panic").expect("STOPPING joins");
        });
        assert_eq!(stopping.status(), Closed);
    });
}

#[test]
fn rt_c3_shutdown_and_all_other_calls_while_starting() {
    bounded(|| {
        // STARTING lasts some microseconds: try until each call has met it.
        let mut met = [false; 4];
        eventually("each call meets a runtime that is starting", || {
            let runtime = MetricsRuntime::new("rt.c3").expect("a valid namespace");
            std::thread::scope(|scope| {
                let start = scope.spawn(|| runtime.start());
                while runtime.status() == Virgin {
                    std::hint::spin_loop();
                }
                let next = met.iter().position(|met| !met).unwrap_or(0);
                let meets = |error: &MetricsRuntimeError, allowed: &[MetricsRuntimeState]| {
                    matches!(error, MetricsRuntimeError::InvalidState { state: Starting, expected }
                        if *expected == allowed)
                };
                met[next] |= match next {
                    0 => runtime.shutdown().is_err_and(|error| meets(&error, SHUTDOWNABLE)),
                    1 => runtime.start().is_err_and(|error| meets(&error, STARTABLE)),
                    2 => runtime.create_recorder("x").is_err_and(|error| meets(&error, USABLE)),
                    _ => runtime.list_recorder_ids().is_err_and(|error| meets(&error, USABLE)),
                };
                start.join().expect("no panic").expect("the start goes on");
            });
            met == [true; 4]
        });
    });
}

#[test]
fn rt_c4_32_threads_shut_down_at_once_and_agree() {
    bounded(|| {
        for fails in [false, true] {
            let runtime = running_runtime("rt.c4");
            let script = if fails { Script::new().stopped(Act::Fail("not flushed")) } else { Script::new() };
            let hook_log = script.hook_log();
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
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
            // Who comes after a failed shutdown finds it in FAILURE.
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
fn rt_c4_who_joins_a_shutdown_gets_its_result() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("rt.c4");
        let script = Script::new().stopped(Act::WaitAndFail(gate.clone(), "not flushed"));
        runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
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
                // One that was scheduled only after all was over finds the runtime in FAILURE.
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
                let options = if number % 5 == 0 { options.hooks(Script::new()) } else { options };
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
fn rt_c5_shutdown_waits_for_a_recorder_that_is_just_being_removed() {
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
        let bad = runtime.create_recorder_with("bad", RecorderOptions::new().hooks(script)).expect("creates");
        let late = runtime
            .create_recorder_with("late", RecorderOptions::new().hooks(Script::new()))
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
        eventually("the system has forgotten the thread", || threads_named("rt.c6.metrics_runtime") == 0);
        assert_eq!(good.status(), MetricsRecorderState::Stopped);
        assert_eq!(late.status(), MetricsRecorderState::Stopped);
        assert_eq!(bad.status(), MetricsRecorderState::Failure);
        assert_refused(runtime.shutdown(), Failure, SHUTDOWNABLE);
    });
}

/// A runtime with little patience.
fn runtime_with_short_timeouts(namespace: &str) -> MetricsRuntime {
    let timeout = Duration::from_millis(200);
    let builder = MetricsRuntime::builder(namespace).shutdown_timeout(timeout).startup_timeout(timeout);
    let runtime = builder.build().expect("valid");
    runtime.start().expect("starts");
    runtime
}

#[test]
fn rt_c7_a_hook_that_never_returns_does_not_hold_up_the_shutdown() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("rt.c7");
        let script = Script::new().stopped(Act::Never);
        let stuck =
            runtime.create_recorder_with("stuck", RecorderOptions::new().hooks(script)).expect("creates");
        let good = runtime.create_recorder("good").expect("creates");
        let before = Instant::now();
        let error = runtime.shutdown().expect_err("one never stops");
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
        let MetricsRuntimeError::Shutdown { recorders, timed_out: false } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(recorders.len(), 1);
        assert_eq!(recorders[0].0, "stuck");
        let cause = recorders[0].1.source().map(ToString::to_string);
        assert_eq!(cause.as_deref(), Some("no answer within 200ms"));
        assert_eq!(
            error.to_string(),
            "the runtime did not shut down cleanly: recorder `stuck`: unexpected error"
        );
        assert_eq!(good.status(), MetricsRecorderState::Stopped);
        eventually("the hook is given up", || stuck.status() == MetricsRecorderState::Cancelled);
        assert_eq!(runtime.status(), Failure);
    });
}

#[test]
fn rt_c7_a_hook_that_blocks_the_thread_does_not_hold_up_the_shutdown() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = runtime_with_short_timeouts("rt.c7");
        let script = Script::new().changed(Act::Block(gate.clone()));
        let stuck =
            runtime.create_recorder_with("stuck", RecorderOptions::new().hooks(script)).expect("creates");
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
        eventually("the thread ends after all", || threads_named("rt.c7.metrics_runtime") == 0);
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
        eventually("the system has forgotten the thread", || threads_named("rt.c8.metrics_runtime") == 0);
    });
}

#[test]
fn rt_c8_dropping_a_runtime_with_a_stuck_hook_ends_within_the_timeout() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("rt.c8s");
        let script = Script::new().stopped(Act::Never);
        runtime.create_recorder_with("stuck", RecorderOptions::new().hooks(script)).expect("creates");
        let before = Instant::now();
        drop(runtime);
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
    });
}

#[test]
fn rt_c8_dropping_a_runtime_while_unwinding() {
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
        eventually("the system has forgotten the thread", || threads_named("rt.c8u.metrics_runtime") == 0);
    });
}

#[test]
fn rt_c8_dropping_a_virgin_a_closed_and_a_failed_runtime() {
    bounded(|| {
        drop(MetricsRuntime::new("rt.c8").expect("a valid namespace"));
        let closed = running_runtime("rt.c8v");
        closed.shutdown().expect("shuts down");
        drop(closed);
        let failed = impossible_runtime("rt.c8v");
        failed.start().expect_err("no stack is that large");
        drop(failed);
    });
}

#[test]
fn rt_c9_the_async_twins_do_the_same_without_blocking_the_executor() {
    bounded_async(|| async {
        let gate = Gate::new();
        let runtime = Arc::new(MetricsRuntime::new("rt.c9").expect("a valid namespace"));
        runtime.start_async().await.expect("starts");
        assert_eq!(runtime.status(), Running);
        let plain = runtime.create_recorder_async(" plain ").await.expect("creates");
        assert_eq!(plain.entity_id(), "plain");
        let script = Script::new().starting(Act::Wait(gate.clone())).stopped(Act::Pass);
        let hooked = tokio::spawn({
            let runtime = Arc::clone(&runtime);
            async move { runtime.create_recorder_with_async("hooked", RecorderOptions::new().hooks(script)).await }
        });
        // This executor has one thread, and it goes on while the recorder starts.
        gate.arrival().await;
        gate.open();
        let hooked = hooked.await.expect("no panic").expect("creates");
        assert_eq!(hooked.status(), MetricsRecorderState::Running);
        assert_eq!(
            runtime.create_recorder_async("plain").await.expect_err("it exists").reason(),
            "RECORDER_ALREADY_EXISTS"
        );
        runtime.stop_recorder_async("hooked").await.expect("stops");
        assert_eq!(hooked.status(), MetricsRecorderState::Stopped);
        let removed = runtime.stop_and_remove_recorder_async("plain").await.expect("removes");
        assert_eq!(removed.status(), MetricsRecorderState::Stopped);
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["hooked"]);
        let other = runtime.stop_and_remove_recorder_async("plain").await.expect_err("it is gone");
        assert_eq!(other.reason(), "RECORDER_NOT_FOUND");
        runtime.shutdown_async().await.expect("shuts down");
        assert_eq!(runtime.status(), Closed);
    });
}

#[test]
fn rt_c9_a_shutdown_whose_future_is_dropped_goes_on() {
    bounded_async(|| async {
        let gate = Gate::new();
        let runtime = running_runtime("rt.c9");
        let options = RecorderOptions::new().hooks(Script::new().stopped(Act::Wait(gate.clone())));
        runtime.create_recorder_with_async("a", options).await.expect("creates");
        {
            let shutdown = std::pin::pin!(runtime.shutdown_async());
            tokio::select! {
                biased;
                () = gate.arrival() => {}
                _ = shutdown => panic!("the gate is closed"),
            }
        }
        assert_eq!(runtime.status(), Stopping);
        gate.open();
        while runtime.status() == Stopping {
            tokio::task::yield_now().await;
        }
        assert_eq!(runtime.status(), Closed);
    });
}

#[test]
fn rt_i3_the_defaults_of_the_runtime_and_the_overrides_of_the_recorder() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.i3").default_queue_max_size(3);
        let builder = builder.default_queue_overflow_policy(QueueOverflowPolicy::Error);
        let runtime = builder.log_policy(LogPolicy::Silent).build().expect("valid");
        runtime.start().expect("starts");
        let full = |recorder: &MetricsRecorder, limit: u64, gate: &Gate| {
            recorder.register_metric(Gated(gate.clone())).expect("registers");
            recorder.register_event(Step(0)).expect("there is room");
            gate.wait_for_arrival();
            for step in 1..limit {
                recorder.register_event(Step(step)).expect("there is room");
            }
            let overflow = recorder.register_event(Step(limit)).map_err(|error| error.reason());
            gate.open();
            overflow
        };
        let plain = runtime.create_recorder("a").expect("creates");
        assert_eq!((plain.entity_id(), plain.namespace()), ("a", "rt.i3"));
        assert_eq!(full(&plain, 3, &Gate::new()), Err("QUEUE_OVERFLOW"));

        let options = RecorderOptions::new()
            .entity_id(" connection-1 ")
            .namespace("networking")
            .queue_max_size(5)
            .queue_overflow_policy(QueueOverflowPolicy::Drop);
        let chosen = runtime.create_recorder_with("b", options).expect("creates");
        assert_eq!((chosen.entity_id(), chosen.namespace()), ("connection-1", "networking"));
        assert_eq!(full(&chosen, 5, &Gate::new()), Ok(()));
        assert_eq!(chosen.stats().dropped, 1);

        let blank =
            runtime.create_recorder_with("c", RecorderOptions::new().entity_id(" ")).expect("creates");
        assert_eq!(blank.entity_id(), "c");
        let error = runtime
            .create_recorder_with("d", RecorderOptions::new().queue_max_size(0))
            .expect_err("no queue holds nothing");
        assert_eq!(error.reason(), "INVALID_ARGUMENT");
        runtime.create_recorder("d").expect("the id is still free");
    });
}

#[test]
fn rt_m1_shutdown_with_running_stopped_and_failed_recorders() {
    bounded(|| {
        let runtime = running_runtime("rt.m1");
        let running = runtime.create_recorder("running").expect("creates");
        let stopped = runtime.create_recorder("stopped").expect("creates");
        runtime.stop_recorder("stopped").expect("stops");
        let script = Script::new().changed(Act::Fail("not sent"));
        let failed =
            runtime.create_recorder_with("failed", RecorderOptions::new().hooks(script)).expect("creates");
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

/// The resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("linux");
    let pages = statm.split_whitespace().nth(1).expect("a second number");
    pages.parse::<usize>().expect("a number") * 4_096
}

#[test]
fn rt_m2_100_000_recorders_live_in_one_runtime() {
    const RECORDERS: usize = 100_000;
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.m2").log_policy(LogPolicy::Silent);
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let before = resident();
        let started = Instant::now();
        let recorders: Vec<_> = (0..RECORDERS)
            .map(|number| runtime.create_recorder(&number.to_string()).expect("creates"))
            .collect();
        let created = started.elapsed();
        let bytes = resident().saturating_sub(before) / RECORDERS;
        println!("created in {created:?}, {bytes} bytes each");
        // Generous: other tests run beside this one, and nothing is optimised. The benchmarks hold the contract's figures.
        assert!(created < Duration::from_secs(20), "{created:?}");
        assert!(bytes < 4_096, "{bytes} bytes for each recorder");
        for (number, recorder) in recorders.iter().enumerate() {
            if number % 1_000 == 0 {
                recorder.register_metric(Steps::default()).expect("registers");
            }
            recorder.register_event(Step(number as u64)).expect("accepted");
        }
        for recorder in recorders.iter().step_by(1_000) {
            assert_eq!(Steps::total(recorder), 1);
        }
        assert_eq!(runtime.list_recorder_ids().expect("lists").len(), RECORDERS);
        runtime.shutdown().expect("shuts down");
        assert!(recorders.iter().all(|recorder| recorder.stats().processed == 1));
        assert!(recorders.iter().all(|recorder| recorder.status() == MetricsRecorderState::Stopped));
    });
}

#[test]
fn rt_c8_a_recorder_outlives_its_runtime_harmlessly() {
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
