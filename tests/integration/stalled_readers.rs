//! Readers that are stuck in a metric's own code: whom they hold up, and whom not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    EventHandler, Metric, MetricSnapshot, MetricsRecorder, MetricsRecorderState, MetricsRuntime,
    RecorderOptions,
};
use mvx_metrics_tests::{Act, Gate, Gated, Script, Step, Steps, bounded, eventually, running_runtime};
use tokio::runtime::Builder;

/// A metric whose snapshot waits at a gate.
struct Unreadable(Gate);

impl Metric for Unreadable {
    fn metric_name(&self) -> &'static str {
        "unreadable"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        self.0.block();
        MetricSnapshot::new("unreadable")
    }
}

#[test]
fn rm4_a_read_that_waits_for_events_ends_when_a_reader_is_stuck_although_other_recorders_go_on() {
    bounded(|| {
        let runtime = running_runtime("rm4");
        let [recorder, busy] = ["stuck", "busy"].map(|id| {
            let options = RecorderOptions::new().poll_interval(Duration::ZERO);
            runtime.create_recorder_with(id, options).expect("creates")
        });
        let (gate, held) = (Gate::new(), Gate::new());
        recorder.register_metric(Unreadable(gate.clone())).expect("registers");
        busy.register_metric(Gated(held.clone())).expect("registers");
        busy.emit(Step(1));
        held.wait_for_arrival();
        recorder.emit(Step(1));
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            // An observer does not wait for a loop that does nothing for a second; then it is stuck.
            scope.spawn(|| runtime.snapshot().expect("reads when the gate opens"));
            thread::sleep(Duration::from_millis(500));
            let (answer, answers) = mpsc::channel();
            let reader = &recorder;
            scope.spawn(move || answer.send(reader.metric_snapshots()).expect("the test goes on"));
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
            assert_eq!(answer.expect_err("nobody lets it in").reason(), "WOULD_DEADLOCK");
        });
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.stats().processed, 1);
        runtime.shutdown().expect("shuts down");
    });
}

/// A recorder whose hook never ends, and one event that it runs for.
fn never_flushed(runtime: &MetricsRuntime, id: &str) -> MetricsRecorder {
    let script = Script::new().changed(Act::Never);
    let recorder = runtime.create_recorder_with(id, RecorderOptions::new().hooks(script)).expect("creates");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.emit(Step(1));
    recorder
}

#[test]
fn rt_c7_a_reader_that_is_stuck_keeps_nobody_else_waiting_when_the_runtime_ends() {
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
            stuck.register_metric(Unreadable(gate.clone())).expect("registers");
            thread::scope(|scope| {
                scope.spawn(|| stuck.metric_snapshots().expect("reads when the gate opens"));
                gate.wait_for_arrival();
                stuck.emit(Step(1));
                let (answer, answers) = mpsc::channel();
                for other in [&before, &after, &stuck] {
                    // Nobody takes the metrics from the one that is stuck, so there is nothing to wait for.
                    let wait = if other.entity_id() == "stuck" { other.stop() } else { other.flush() };
                    let answer = answer.clone();
                    scope.spawn(move || answer.send(wait.wait()).expect("the test goes on"));
                }
                runtime.shutdown().expect_err("none of them stops");
                let answers: Vec<_> =
                    (0..3).map_while(|_| answers.recv_timeout(Duration::from_secs(10)).ok()).collect();
                gate.open();
                // What the hooks had seen counts as processed.
                assert_eq!(answers.len(), 3, "{answers:?}");
            });
            for recorder in [before, stuck, after] {
                assert_eq!(recorder.status(), MetricsRecorderState::Cancelled);
                eventually("all is accounted for", || recorder.stats().pending == 0);
            }
        }
    });
}

#[test]
fn rc6_a_reader_that_is_stuck_while_a_recorder_starts_does_not_hold_up_the_loop() {
    bounded(|| {
        let runtime = running_runtime("rc6");
        let (starting, gate) = (Gate::new(), Gate::new());
        let script = Script::new().starting(Act::Pass).starting(Act::Wait(starting.clone()));
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        recorder.register_metric(Unreadable(gate.clone())).expect("registers");
        let other = runtime.create_recorder("other").expect("creates");
        recorder.stop().wait().expect("stops");
        let start = recorder.start();
        starting.wait_for_arrival();
        thread::scope(|scope| {
            scope.spawn(|| recorder.metric_snapshots().expect("reads when the gate opens"));
            gate.wait_for_arrival();
            starting.open();
            start.wait().expect("starts");
            // The task of the recorder now wants the metrics that are being read.
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
fn hk1_a_hook_that_reads_behind_a_reader_that_is_stuck_is_told_so() {
    bounded(|| {
        let runtime = running_runtime("hk1");
        let (entered, gate, seen) = (Gate::new(), Gate::new(), Arc::new(Mutex::new(None)));
        let script = Script::new().observing({
            let (entered, seen) = (entered.clone(), Arc::clone(&seen));
            move |change| {
                entered.block();
                // As if the reader waited for a lock that this hook holds.
                let snapshot = change.snapshot();
                seen.lock().expect("not poisoned").get_or_insert(snapshot);
            }
        });
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_metric(Unreadable(gate.clone())).expect("registers");
        recorder.emit(Step(1));
        entered.wait_for_arrival();
        thread::scope(|scope| {
            scope.spawn(|| recorder.metric_snapshots().expect("reads when the gate opens"));
            gate.wait_for_arrival();
            entered.open();
            let begun = Instant::now();
            while seen.lock().expect("not poisoned").is_none() && begun.elapsed() < Duration::from_secs(20) {
                thread::sleep(Duration::from_millis(10));
            }
            gate.open();
        });
        recorder.flush().wait().expect("flushes");
        let snapshot = seen.lock().expect("not poisoned").take().expect("the hook has run");
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
fn rc18_a_reader_that_is_stuck_does_not_hold_up_the_applications_own_tasks() {
    bounded(|| {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let gate = Gate::new();
        let recorder = tokio.block_on(async {
            let recorder = MetricsRecorder::new("direct", RecorderOptions::new()).expect("inside of tokio");
            recorder.register_metric(Unreadable(gate.clone())).expect("registers");
            recorder.start().await.expect("starts");
            recorder
        });
        thread::scope(|scope| {
            scope.spawn(|| recorder.metric_snapshots().expect("reads when the gate opens"));
            gate.wait_for_arrival();
            recorder.emit(Step(1));
            // The task of the recorder now wants the metrics, in between of these.
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
