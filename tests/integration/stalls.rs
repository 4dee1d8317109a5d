//! What `Stalled` says: what a call waited for, and how long. Waits through a second thread end in the same way.
//! Covers HX6.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mvx_metrics::{
    MetricsRecorder, MetricsRecorderError, MetricsRuntime, MetricsRuntimeError, QueueOverflowPolicy,
    RecorderOptions,
};
use mvx_metrics_tests::capture::{Listener, Logged};
use mvx_metrics_tests::{
    Act, CallsOnce, Gate, Gated, GatedSnapshot, HooksAndListener, Script, Step, Steps, bounded, in_threads,
    running_runtime,
};
use tokio::runtime::Builder;

const HOOK: &str = "a running hook of the recorder";
const HOLDER: &str = "the recorder's metrics, which a handler or another reader holds";
const CONSUMER: &str = "the thread that processes the recorder's events";

/// The time without progress after which a call gives up.
const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The shutdown timeout of runtimes with a short one.
const SHORT: Duration = Duration::from_millis(200);

fn runtime_with_short_timeouts(namespace: &str) -> MetricsRuntime {
    let builder = MetricsRuntime::builder(namespace).startup_timeout(SHORT).shutdown_timeout(SHORT);
    let runtime = builder.build().expect("valid");
    runtime.start().expect("starts");
    runtime
}

/// What a stalled call waited for. It waited at least `timeout`, and not much longer.
#[track_caller]
fn obstacle<T>(answer: Result<T, MetricsRecorderError>, timeout: Duration) -> &'static str {
    let error = answer.err().expect("the call gives up");
    assert_eq!(error.reason(), "STALLED");
    let MetricsRecorderError::Stalled { waited_for, waited } = error else {
        panic!("{error:?}");
    };
    assert!(waited >= timeout && waited < timeout + 2 * STALL_TIMEOUT, "{waited_for}: {waited:?}");
    assert_eq!(error.to_string(), format!("gave up after {waited:?}, waiting for {waited_for}"));
    waited_for
}

/// What each call of a recorder waited for whose metrics another thread holds.
fn obstacles_behind_a_holder(recorder: &MetricsRecorder) -> Vec<&'static str> {
    in_threads(4, |number| match number {
        0 => obstacle(recorder.metric_snapshots(), STALL_TIMEOUT),
        1 => obstacle(recorder.metric_snapshot::<Steps>(), STALL_TIMEOUT),
        2 => obstacle(recorder.register_metric(Steps::named("other")), STALL_TIMEOUT),
        _ => obstacle(recorder.flush().wait(), STALL_TIMEOUT),
    })
}

#[test]
fn hx6_calls_behind_a_handler_name_the_metrics() {
    bounded(|| {
        let runtime = running_runtime("hx6");
        let recorder = runtime.create_recorder("a").expect("creates");
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        let stop = recorder.stop();
        assert_eq!(obstacles_behind_a_holder(&recorder), [HOLDER; 4]);
        assert_eq!(obstacle(stop.clone().wait(), STALL_TIMEOUT), HOLDER);
        gate.open();
        stop.wait().expect("the operation goes on");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hx6_calls_behind_a_reader_name_the_metrics() {
    bounded(|| {
        let runtime = running_runtime("hx6");
        let recorder = runtime.create_recorder("a").expect("creates");
        let gate = Gate::new();
        recorder.register_metric(GatedSnapshot(gate.clone())).expect("registers");
        thread::scope(|scope| {
            let reader = scope.spawn(|| recorder.metric_snapshots().map(drop));
            gate.wait_for_arrival();
            assert_eq!(obstacles_behind_a_holder(&recorder), [HOLDER; 4]);
            gate.open();
            reader.join().expect("no panic").expect("reads");
        });
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hx6_calls_that_no_thread_serves_name_the_thread_that_is_missing() {
    bounded(|| {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let [started, starting] = [(), ()].map(|()| {
            let _inside = tokio.enter();
            let options = RecorderOptions::new().hooks_and_listener(Script::new());
            MetricsRecorder::new("direct", options).expect("inside of tokio")
        });
        tokio.block_on(started.start()).expect("starts");
        started.emit(Step(1));
        let start = starting.start();
        let obstacles = in_threads(3, |number| match number {
            0 => obstacle(started.metric_snapshots(), STALL_TIMEOUT),
            1 => obstacle(started.flush().wait(), STALL_TIMEOUT),
            _ => obstacle(start.clone().wait(), STALL_TIMEOUT),
        });
        assert_eq!(obstacles, [CONSUMER; 3]);
        tokio.block_on(async { (start.await, started.flush().await) }).1.expect("now this thread does it");
    });
}

#[test]
fn hx6_waits_behind_a_hook_name_it_and_end_with_the_shutdown_timeout() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("hx6");
        let gate = Gate::new();
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().changed(Act::Wait(gate.clone())));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        let (flush, stop) = (recorder.flush(), recorder.stop());
        let obstacles = [flush.clone(), stop.clone()].map(|wait| obstacle(wait.wait(), SHORT));
        assert_eq!(obstacles, [HOOK; 2]);
        gate.open();
        flush.wait().expect("the operation goes on");
        stop.wait().expect("the operation goes on");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hx6_a_start_or_stop_that_exceeds_its_timeout_has_the_cause_stalled() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("hx6");
        let options = RecorderOptions::new().hooks_and_listener(Script::new().starting(Act::Never));
        let error = runtime.create_recorder_with("starting", options).expect_err("it never starts");
        let MetricsRuntimeError::RecorderStartup { cause, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(obstacle(Err::<(), _>(cause), SHORT), "the recorder to start");

        let options = RecorderOptions::new().hooks_and_listener(Script::new().stopped(Act::Never));
        runtime.create_recorder_with("stopping", options).expect("creates");
        let error = runtime.stop_recorder("stopping").expect_err("it never stops");
        let MetricsRuntimeError::RecorderStop { cause, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(obstacle(Err::<(), _>(cause), SHORT), "the recorder to stop");
    });
}

#[test]
fn hx6_a_shutdown_that_another_thread_holds_up_is_named() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("hx6");
        runtime.create_recorder("a").expect("creates");
        let gate = Gate::new();
        thread::scope(|scope| {
            let held = gate.clone();
            let subscriber = Listener(move |event: &tracing::Event<'_>| {
                // The shutdown in this thread has begun.
                if Logged::of(event).title() == "metrics_recorder.stop invoke" {
                    held.block();
                }
            });
            let first = scope.spawn(|| tracing::subscriber::with_default(subscriber, || runtime.shutdown()));
            gate.wait_for_arrival();
            let error = runtime.shutdown().expect_err("it waits for the other one");
            gate.open();
            assert_eq!(error.reason(), "STALLED");
            let MetricsRuntimeError::Stalled { waited_for, waited } = error else {
                panic!("{error:?}");
            };
            assert_eq!(waited_for, "the shutdown in another thread");
            assert!(waited >= SHORT && waited < STALL_TIMEOUT, "{waited:?}");
            // It had its time.
            drop(first.join().expect("no panic"));
        });
    });
}

#[test]
fn hx6_a_log_subscriber_that_hangs_in_the_line_of_a_drop_holds_up_no_read_and_no_flush_without_end() {
    bounded(|| {
        let runtime = running_runtime("hx6");
        let (gate, held) = (Gate::new(), Gate::new());
        let blocker = runtime.create_recorder("blocker").expect("creates");
        blocker.register_metric(Gated(gate.clone())).expect("registers");
        let options = RecorderOptions::new().queue_max_size(2);
        let recorder =
            runtime.create_recorder_with("a", options.queue_overflow_policy(QueueOverflowPolicy::Drop));
        let recorder = recorder.expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        blocker.emit(Step(0));
        gate.wait_for_arrival();
        (0..5).for_each(|step| recorder.emit(Step(step)));
        thread::scope(|scope| {
            let hangs = held.clone();
            let subscriber = Listener(move |event: &tracing::Event<'_>| {
                if Logged::of(event).title() == "metrics_recorder.events_dropped" {
                    hangs.block();
                }
            });
            // The runtime's thread is busy, so this reader processes the events and logs the drops.
            let read = || tracing::subscriber::with_default(subscriber, || Steps::total(&recorder));
            let reader = scope.spawn(read);
            held.wait_for_arrival();
            recorder.emit(Step(5));
            assert_eq!(Steps::total(&recorder), 3);
            recorder.emit(Step(6));
            assert_eq!(obstacle(recorder.flush().wait(), STALL_TIMEOUT), CONSUMER);
            held.open();
            assert_eq!(reader.join().expect("no panic"), 4);
            gate.open();
        });
        runtime.shutdown().expect("shuts down");
    });
}

/// What calls in a thread of their own answer, to user code of the recorder that waits for this thread.
fn answers_to_joining_code(call: impl FnOnce() -> Vec<&'static str> + Send + 'static) -> Vec<&'static str> {
    thread::spawn(call).join().expect("no panic")
}

fn reason<T>(answer: Result<T, MetricsRecorderError>) -> &'static str {
    answer.map_or_else(|error| error.reason(), |_| "ok")
}

#[test]
fn hx6_a_handler_may_wait_for_a_thread_that_waits_for_its_recorder() {
    bounded(|| {
        let runtime = running_runtime("hx6");
        let recorder = runtime.create_recorder("a").expect("creates");
        let (sender, answers) = mpsc::channel();
        let called = recorder.clone();
        let handler = CallsOnce::new(move || {
            let answers = answers_to_joining_code(move || {
                in_threads(3, |number| match number {
                    0 => obstacle(called.flush().wait(), STALL_TIMEOUT),
                    1 => obstacle(called.stop().wait(), STALL_TIMEOUT),
                    _ => obstacle(called.metric_snapshots(), STALL_TIMEOUT),
                })
            });
            sender.send(answers).expect("the test waits");
        });
        recorder.register_metric(handler).expect("registers");
        recorder.emit(Step(1));
        assert_eq!(answers.recv().expect("the handler ends"), [HOLDER; 3]);
        runtime.shutdown().expect("shuts down");
        assert_eq!(recorder.stats().processed, 1);
    });
}

#[test]
fn hx6_a_handler_may_wait_for_a_thread_that_waits_for_another_recorder() {
    bounded(|| {
        let runtime = running_runtime("hx6");
        let [recorder, other] = ["a", "other"].map(|id| runtime.create_recorder(id).expect("creates"));
        other.register_metric(Steps::default()).expect("registers");
        let (sender, answers) = mpsc::channel();
        let called = other.clone();
        let handler = CallsOnce::new(move || {
            called.emit(Step(1));
            let answers = answers_to_joining_code(move || {
                // The event loop is blocked, so this thread processes the event itself.
                vec![
                    reason(called.metric_snapshots()),
                    reason(called.flush().wait()),
                    reason(called.stop().wait()),
                ]
            });
            sender.send(answers).expect("the test waits");
        });
        recorder.register_metric(handler).expect("registers");
        recorder.emit(Step(1));
        assert_eq!(answers.recv().expect("the handler ends"), ["ok"; 3]);
        assert_eq!(Steps::total(&other), 1);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hx6_a_hook_may_wait_for_a_thread_that_waits_for_its_recorder() {
    bounded(|| {
        let runtime = runtime_with_short_timeouts("hx6");
        let (sender, answers) = mpsc::channel();
        let (give_recorder, get_recorder) = mpsc::channel::<MetricsRecorder>();
        let hooks = Script::new().changed(Act::run(async move {
            let recorder = get_recorder.recv().expect("the test gives it");
            let called = recorder.clone();
            let joined = answers_to_joining_code(move || {
                vec![reason(called.flush().wait()), reason(called.metric_snapshots())]
            });
            let blocking = move || vec![reason(recorder.flush().wait()), reason(recorder.stop().wait())];
            let awaited = tokio::task::spawn_blocking(blocking).await.expect("no panic");
            sender.send([joined, awaited].concat()).expect("the test waits");
        }));
        let recorder = runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(hooks))
            .expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        give_recorder.send(recorder.clone()).expect("the hook waits");
        // A read does not wait for the hook.
        let expected = ["STALLED", "ok", "STALLED", "STALLED"];
        assert_eq!(answers.recv().expect("the hook ends"), expected);
        runtime.shutdown().expect("shuts down");
        assert_eq!(recorder.stats().processed, 1);
    });
}

#[test]
fn hx6_user_code_may_wait_for_a_thread_that_shuts_its_runtime_down() {
    for hooks in [false, true] {
        bounded(move || {
            let runtime = runtime_with_short_timeouts("hx6");
            let (sender, answers) = mpsc::channel();
            let (give_runtime, get_runtime) = mpsc::channel::<MetricsRuntime>();
            let code = move || {
                let runtime = get_runtime.recv().expect("the test gives it");
                let shutdown =
                    move || vec![runtime.shutdown().map_or_else(|error| error.reason(), |()| "ok")];
                sender.send(answers_to_joining_code(shutdown)).expect("the test waits");
            };
            let (options, metric): (_, Option<CallsOnce>) = if hooks {
                (RecorderOptions::new().hooks_and_listener(Script::new().changed(Act::call(code))), None)
            } else {
                (RecorderOptions::new(), Some(CallsOnce::new(code)))
            };
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            if let Some(metric) = metric {
                recorder.register_metric(metric).expect("registers");
            }
            recorder.emit(Step(1));
            give_runtime.send(runtime).expect("user code waits");
            assert_eq!(answers.recv().expect("user code ends"), ["SHUTDOWN_ERROR"]);
        });
    }
}
