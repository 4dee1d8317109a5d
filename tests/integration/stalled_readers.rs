//! Readers that block inside a metric's `snapshot`: the event loop, other recorders, hooks and a shutdown go on.
//! Covers RC6, RC18, RM4, HK1, `RT_C7`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mvx_metrics::{MetricsRecorder, MetricsRecorderState, MetricsRuntime, RecorderOptions};
use mvx_metrics_tests::{
    Act, Gate, Gated, GatedSnapshot, HooksAndListener, Script, Step, Steps, bounded, eventually,
    running_runtime,
};
use tokio::runtime::Builder;

#[test]
fn rm4_a_read_behind_a_blocked_reader_ends_while_other_recorders_go_on() {
    bounded(|| {
        let runtime = running_runtime("rm4");
        let [first, recorder, busy] = ["first", "stuck", "busy"].map(|id| {
            let options = RecorderOptions::new().poll_interval(Duration::ZERO);
            runtime.create_recorder_with(id, options).expect("creates")
        });
        let (begun, gate, held) = (Gate::new(), Gate::new(), Gate::new());
        first.register_metric(GatedSnapshot(begun.clone())).expect("registers");
        recorder.register_metric(GatedSnapshot(gate.clone())).expect("registers");
        busy.register_metric(Gated(held.clone())).expect("registers");
        busy.emit(Step(1));
        held.wait_for_arrival();
        recorder.emit(Step(1));
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            // The observer waits at most a second for a loop without progress. Then it reads `first`, and blocks there.
            scope.spawn(|| runtime.snapshot().expect("reads when the gates open"));
            begun.wait_for_arrival();
            // The reader waits for the event while the observer goes on to `stuck`. A reader that comes too late waits for the
            // metrics of `stuck`, with the same end.
            let (answer, answers) = mpsc::channel();
            let reader = &recorder;
            let (calls, called) = mpsc::channel();
            scope.spawn(move || {
                calls.send(()).expect("the test waits");
                answer.send(reader.metric_snapshots()).expect("the test goes on");
            });
            called.recv().expect("the reader calls");
            begun.open();
            gate.wait_for_arrival();
            held.open();
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    busy.emit(Step(1));
                    thread::yield_now();
                }
            });
            let answer = answers.recv_timeout(Duration::from_secs(20));
            ends.store(true, Ordering::Relaxed);
            gate.open();
            let answer = answer.expect("it ends although the observer does not");
            assert_eq!(answer.expect_err("the observer holds the metrics").reason(), "STALLED");
        });
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.stats().processed, 1);
        runtime.shutdown().expect("shuts down");
    });
}

/// A recorder with one event, and a hook that never ends.
fn never_flushed(runtime: &MetricsRuntime, id: &str) -> MetricsRecorder {
    let script = Script::new().changed(Act::Never);
    let recorder =
        runtime.create_recorder_with(id, RecorderOptions::new().hooks_and_listener(script)).expect("creates");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.emit(Step(1));
    recorder
}

#[test]
fn rt_c7_a_blocked_reader_does_not_delay_other_waiters_at_a_shutdown() {
    bounded(|| {
        for hooks in [false, true] {
            let builder = MetricsRuntime::builder("rt.c7").shutdown_timeout(Duration::from_millis(200));
            let runtime = builder.build().expect("valid");
            runtime.start().expect("starts");
            let before = never_flushed(&runtime, "before");
            let stuck = if hooks {
                never_flushed(&runtime, "stuck")
            } else {
                runtime.create_recorder("stuck").expect("creates")
            };
            let after = never_flushed(&runtime, "after");
            let gate = Gate::new();
            stuck.register_metric(GatedSnapshot(gate.clone())).expect("registers");
            thread::scope(|scope| {
                scope.spawn(|| stuck.metric_snapshots().expect("reads when the gate opens"));
                gate.wait_for_arrival();
                stuck.emit(Step(1));
                let (answer, answers) = mpsc::channel();
                for other in [&before, &after, &stuck] {
                    // The blocked reader keeps the metrics of `stuck`, so a flush of it cannot be answered.
                    let wait = if other.entity_id() == "stuck" { other.stop() } else { other.flush() };
                    let answer = answer.clone();
                    scope.spawn(move || answer.send(wait.wait()).expect("the test goes on"));
                }
                runtime.shutdown().expect_err("none of them stops");
                let answers: Vec<_> =
                    (0..3).map_while(|_| answers.recv_timeout(Duration::from_secs(10)).ok()).collect();
                gate.open();
                // Events count as processed once their hook was called.
                assert_eq!(answers.len(), 3, "{answers:?}");
            });
            for recorder in [before, stuck, after] {
                // A wait for a hook ends after the shutdown timeout, and the runtime's thread may end a little later.
                eventually("the thread gives it up", || recorder.status() == MetricsRecorderState::Cancelled);
                eventually("all is accounted for", || recorder.stats().pending == 0);
            }
        }
    });
}

#[test]
fn rc6_a_blocked_reader_of_a_starting_recorder_does_not_block_the_loop() {
    bounded(|| {
        let runtime = running_runtime("rc6");
        let (starting, gate) = (Gate::new(), Gate::new());
        let script = Script::new().starting(Act::Pass).starting(Act::Wait(starting.clone()));
        let recorder = runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        recorder.register_metric(GatedSnapshot(gate.clone())).expect("registers");
        let other = runtime.create_recorder("other").expect("creates");
        recorder.stop().wait().expect("stops");
        let start = recorder.start();
        starting.wait_for_arrival();
        thread::scope(|scope| {
            scope.spawn(|| recorder.metric_snapshots().expect("reads when the gate opens"));
            gate.wait_for_arrival();
            starting.open();
            start.wait().expect("starts");
            // The worker task of the recorder now needs the metrics that the reader holds.
            let (flushed, answer) = mpsc::channel();
            let other = other.clone();
            scope.spawn(move || {
                for _ in 0..10 {
                    other.emit(Step(1));
                    other.flush().wait().expect("flushes");
                }
                flushed.send(()).expect("the test goes on");
            });
            let answer = answer.recv_timeout(Duration::from_secs(10));
            gate.open();
            answer.expect("the loop goes on");
        });
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hk1_a_snapshot_in_a_hook_behind_a_blocked_reader_says_that_it_failed() {
    bounded(|| {
        let runtime = running_runtime("hk1");
        let (entered, gate) = (Gate::new(), Gate::new());
        let (sender, snapshots) = mpsc::channel();
        let script = Script::new().observing({
            let entered = entered.clone();
            move |change| {
                entered.block();
                // The hook reads while another reader holds the metrics.
                sender.send(change.snapshot()).expect("the test goes on");
            }
        });
        let recorder = runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_metric(GatedSnapshot(gate.clone())).expect("registers");
        recorder.emit(Step(1));
        entered.wait_for_arrival();
        let snapshot = thread::scope(|scope| {
            scope.spawn(|| recorder.metric_snapshots().expect("reads when the gate opens"));
            gate.wait_for_arrival();
            entered.open();
            let snapshot = snapshots.recv_timeout(Duration::from_secs(20));
            gate.open();
            snapshot.expect("the hook has run")
        });
        recorder.flush().wait().expect("flushes");
        assert_eq!((&*snapshot.name, snapshot.get("total")), ("steps", None));
        assert!(
            snapshot.failed.as_ref().is_some_and(|failed| failed.contains("cannot be read")),
            "{snapshot:?}"
        );
        recorder.emit(Step(1));
        recorder.flush().wait().expect("flushes");
        assert_eq!(Steps::total(&recorder), 2);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rc18_a_blocked_reader_does_not_block_the_applications_own_tasks() {
    bounded(|| {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let gate = Gate::new();
        let recorder = tokio.block_on(async {
            let recorder = MetricsRecorder::new("direct", RecorderOptions::new()).expect("inside of tokio");
            recorder.register_metric(GatedSnapshot(gate.clone())).expect("registers");
            recorder.start().await.expect("starts");
            recorder
        });
        thread::scope(|scope| {
            scope.spawn(|| recorder.metric_snapshots().expect("reads when the gate opens"));
            gate.wait_for_arrival();
            recorder.emit(Step(1));
            // Between these yields the worker task asks for the metrics that the reader holds.
            tokio.block_on(async {
                for _ in 0..1_000 {
                    tokio::task::yield_now().await;
                }
            });
            assert_eq!(recorder.stats().pending, 1);
            gate.open();
        });
        tokio.block_on(recorder.flush()).expect("flushes");
        assert_eq!(recorder.stats().processed, 1);
    });
}
