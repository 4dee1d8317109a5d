//! A runtime's creation, its start, the states each call needs, its defaults for recorders, and 100,000 recorders at once.
//! Covers `RT_A1`, `RT_B1` to `RT_B5`, `RT_C1`, `RT_C3`, `RT_I3`, `RT_I4`, `RT_M2`.

use std::error::Error as _;
use std::time::{Duration, Instant};

use mvx_metrics::{
    LogPolicy, MetricsRecorder, MetricsRecorderState, MetricsRuntime, MetricsRuntimeError,
    MetricsRuntimeState, QueueOverflowPolicy, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Fragile, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded, eventually, in_threads,
    running_runtime,
};

use MetricsRuntimeState::{Closed, Failure, Running, Starting, Stopping, Virgin};

const USABLE: &[MetricsRuntimeState] = &[Running];
const STARTABLE: &[MetricsRuntimeState] = &[Virgin, Running];
pub const SHUTDOWNABLE: &[MetricsRuntimeState] = &[Virgin, Running, Stopping, Closed];

/// How many threads of this process have this name. `None` where the system does not tell.
fn threads_named(name: &str) -> Option<usize> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    // Linux keeps only the first 15 characters of a thread's name.
    let name = &name[..name.len().min(15)];
    let tasks = std::fs::read_dir("/proc/self/task").expect("there are threads");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    Some(names.filter(|other| other.trim_end() == name).count())
}

/// Checks how many threads have this name, where the system tells.
#[track_caller]
pub fn assert_threads(name: &str, expected: usize) {
    if let Some(threads) = threads_named(name) {
        assert_eq!(threads, expected, "threads with the name {name}");
    }
}

/// Waits until this many threads have this name, where the system tells.
pub fn eventually_threads(what: &str, name: &str, expected: usize) {
    eventually(what, || threads_named(name).is_none_or(|threads| threads == expected));
}

/// A runtime that cannot create its thread, because the stack is larger than the address space. Other systems than Linux may
/// reserve such a stack all the same.
pub fn impossible_runtime(namespace: &str) -> MetricsRuntime {
    let builder = MetricsRuntime::builder(namespace).thread_stack_size(1 << 46);
    builder.build().expect("it is only found out when the thread is created")
}

#[track_caller]
pub fn assert_refused<T>(
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

/// Checks that all calls that need a running runtime are refused in this state.
pub fn assert_unusable(runtime: &MetricsRuntime, state: MetricsRuntimeState) {
    assert_refused(runtime.create_recorder("x"), state, USABLE);
    assert_refused(
        runtime.create_recorder_with("x", RecorderOptions::new().hooks_and_listener(Script::new())),
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
        let options = RecorderOptions::new().hooks_and_listener(Script::new());
        assert_refused(runtime.create_recorder_with_async("x", options).await, state, USABLE);
        assert_refused(runtime.stop_recorder_async("x").await, state, USABLE);
        assert_refused(runtime.stop_and_remove_recorder_async("x").await, state, USABLE);
    });
}

#[test]
fn rt_a1_a_new_runtime_is_virgin_and_has_no_thread() {
    let runtime = MetricsRuntime::new("rt.a1").expect("a valid namespace");
    assert_eq!((runtime.status(), runtime.namespace()), (Virgin, "rt.a1"));
    assert_threads("rt.a1.metrics_runtime", 0);
}

#[test]
fn rt_a1_invalid_arguments_are_refused() {
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
        assert_threads("rt.b1.metrics_runtime", 1);
        runtime.shutdown().expect("shuts down");
        eventually_threads("the system has forgotten the thread", "rt.b1.metrics_runtime", 0);
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
        assert_threads("rt.b2.metrics_runtime", 1);
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
            assert_threads("rt.b4.metrics_runtime", 1);
            runtime.shutdown().expect("shuts down");
        }
    });
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "another system may reserve the stack")]
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
fn rt_b1_the_smallest_stack_is_enough_for_panics() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.b1.small").thread_stack_size(128 << 10);
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let script = Script::new().changed(Act::Panic("the hook panics"));
        for options in [RecorderOptions::new(), RecorderOptions::new().hooks_and_listener(script)] {
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
        // Even without any time the thread may be ready at once. Then the runtime runs.
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
        eventually_threads("late threads end", "rt.b5.metrics_runtime", 0);
    });
}

#[test]
fn rt_c1_shutdown_of_a_virgin_or_closed_runtime_closes_it() {
    let runtime = MetricsRuntime::new("rt.c1").expect("a valid namespace");
    for _ in 0..3 {
        runtime.shutdown().expect("closes");
        assert_eq!(runtime.status(), Closed);
    }
}

/// The table of `start`, `shutdown` and all other calls, for every state a test can hold a runtime in.
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

        let gate = Gate::new();
        let stopping = running_runtime("rt.table");
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().stopped(Act::Wait(gate.clone())));
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
#[cfg_attr(not(target_os = "linux"), ignore = "another system may reserve the stack")]
fn rt_i4_the_table_of_all_calls_after_a_failed_start() {
    bounded(|| {
        let failed = impossible_runtime("rt.table");
        failed.start().expect_err("no stack is that large");
        assert_unusable(&failed, Failure);
        assert_refused(failed.start(), Failure, STARTABLE);
        assert_refused(failed.shutdown(), Failure, SHUTDOWNABLE);
        assert_eq!(failed.status(), Failure);
    });
}

#[test]
fn rt_c3_shutdown_and_other_calls_while_starting_are_refused() {
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
fn rt_i3_a_recorder_has_the_runtimes_defaults_unless_its_options_say_otherwise() {
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

/// The resident memory of this process in bytes. `None` where the system does not tell.
fn resident() -> Option<usize> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let statm = std::fs::read_to_string("/proc/self/statm").expect("a process has memory");
    let pages = statm.split_whitespace().nth(1).expect("a second number");
    Some(pages.parse::<usize>().expect("a number") * 4_096)
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
        let (created, after) = (started.elapsed(), resident());
        println!("created in {created:?}");
        // The limits are generous, because this build is not optimised and other tests run meanwhile. Benchmarks check the
        // contract's figures.
        assert!(created < Duration::from_secs(20), "{created:?}");
        if let (Some(before), Some(after)) = (before, after) {
            let bytes = after.saturating_sub(before) / RECORDERS;
            println!("{bytes} bytes each");
            assert!(bytes < 4_096, "{bytes} bytes for each recorder");
        }
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
