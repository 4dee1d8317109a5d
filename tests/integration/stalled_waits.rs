//! Waits that no thread can serve: a handler, a reader or an undriven tokio runtime makes no progress. Each of them ends.
//! Covers RC17, RM4.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mvx_metrics::{MetricsRecorder, MetricsRecorderState, MetricsRuntime, RecorderOptions};
use mvx_metrics_tests::{
    Act, Gate, Gated, GatedSnapshot, HooksAndListener, Script, Step, Steps, bounded, in_threads,
    running_runtime,
};
use tokio::runtime::{Builder, Runtime};

/// A running recorder with hooks and one pending event, in a tokio runtime that no thread drives any more.
fn abandoned() -> (Runtime, MetricsRecorder) {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    let recorder = tokio.block_on(async {
        let options = RecorderOptions::new().hooks_and_listener(Script::new());
        let recorder = MetricsRecorder::new("direct", options).expect("inside of tokio");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.start().await.expect("starts");
        recorder
    });
    recorder.register_event(Step(1)).expect("accepted");
    (tokio, recorder)
}

#[test]
fn rm4_a_read_of_an_undriven_recorder_ends() {
    bounded(|| {
        let (tokio, recorder) = abandoned();
        let error = recorder.metric_snapshots().expect_err("no thread processes the event");
        assert_eq!(error.reason(), "STALLED");
        tokio.block_on(recorder.flush()).expect("now this thread does");
        assert_eq!(Steps::total(&recorder), 1);
    });
}

#[test]
fn rc17_a_wait_for_an_undriven_recorder_ends() {
    bounded(|| {
        let (tokio, recorder) = abandoned();
        let (flush, stop) = (recorder.flush(), recorder.stop());
        for wait in [flush.clone(), stop.clone()] {
            assert_eq!(wait.wait().expect_err("no thread processes the event").reason(), "STALLED");
        }
        assert_eq!(recorder.status(), MetricsRecorderState::Stopping);
        // The operations go on as soon as a thread drives the tokio runtime.
        tokio.block_on(async { (flush.await, stop.await) }).1.expect("stops");
        assert_eq!(recorder.stats().processed, 1);
    });
}

#[test]
fn rc17_a_wait_for_an_undriven_start_ends() {
    bounded(|| {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let recorder = {
            let _inside = tokio.enter();
            MetricsRecorder::new("direct", RecorderOptions::new().hooks_and_listener(Script::new()))
                .expect("inside of tokio")
        };
        let start = recorder.start();
        assert_eq!(start.clone().wait().expect_err("no thread runs the hook").reason(), "STALLED");
        tokio.block_on(start).expect("now this thread does");
        assert_eq!(recorder.status(), MetricsRecorderState::Running);
    });
}

#[test]
fn rc17_a_slow_hook_in_a_single_threaded_runtime_is_waited_for() {
    bounded(|| {
        let gate = Gate::new();
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let recorder = {
            let _inside = tokio.enter();
            MetricsRecorder::new("direct", RecorderOptions::new().hooks_and_listener(script))
                .expect("inside of tokio")
        };
        let start = recorder.start();
        let waits = std::thread::spawn({
            let start = start.clone();
            move || start.wait()
        });
        let opens = std::thread::spawn(move || {
            gate.wait_for_arrival();
            // Longer than the second after which a thread that waits for a recorder without hooks processes events itself.
            std::thread::sleep(Duration::from_millis(1_500));
            gate.open();
        });
        tokio.block_on(start).expect("starts");
        opens.join().expect("opens");
        waits.join().expect("no panic").expect("the hook was running");
    });
}

#[test]
fn rc17_a_hook_may_run_longer_than_a_wait_goes_on_without_progress() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rc17").shutdown_timeout(Duration::from_secs(30));
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let gate = Gate::new();
        let hooks = Script::new().changed(Act::Wait(gate.clone()));
        let recorder = runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(hooks))
            .expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| recorder.flush().wait());
            gate.wait_for_arrival();
            // Longer than the five seconds after which a wait without progress ends where no hook runs.
            std::thread::sleep(Duration::from_secs(6));
            gate.open();
            waits.join().expect("no panic").expect("the shutdown timeout alone bounds the wait for a hook");
        });
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rm4_calls_behind_a_blocked_handler_end() {
    bounded(|| {
        let runtime = running_runtime("rm4");
        let recorder = runtime.create_recorder("a").expect("creates");
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        // The gate opens only after all calls have ended, as if the handler waited for a lock that the callers hold.
        let reasons = in_threads(4, |number| {
            let answer = match number {
                0 => recorder.metric_snapshots().map(drop),
                1 => recorder.metrics().map(drop),
                2 => recorder.register_metric(Steps::default()).map(drop),
                _ => recorder.flush().wait(),
            };
            answer.expect_err("the metric is blocked").reason()
        });
        assert_eq!(reasons, ["STALLED"; 4]);
        assert_eq!((recorder.stats().pending, recorder.status()), (1, MetricsRecorderState::Running));
        gate.open();
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.metric_snapshots().expect("reads").len(), 2);
        runtime.shutdown().expect("shuts down");
    });
}

/// A reader blocks in a metric until all other calls of the recorder have ended. Checks that they do.
fn check_that_calls_end(recorder: &MetricsRecorder) {
    let gate = Gate::new();
    recorder.register_metric(GatedSnapshot(gate.clone())).expect("registers");
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| recorder.metric_snapshots());
        gate.wait_for_arrival();
        let reasons = in_threads(3, |number| {
            let answer = match number {
                0 => recorder.metric_snapshots().map(drop),
                1 => recorder.register_metric(Steps::default()).map(drop),
                _ => recorder.flush().wait(),
            };
            answer.expect_err("the snapshot is blocked").reason()
        });
        gate.open();
        assert_eq!(reasons, ["STALLED"; 3]);
        reader.join().expect("no panic").expect("reads");
    });
}

#[test]
fn rm4_calls_behind_a_blocked_snapshot_end_while_other_recorders_go_on() {
    bounded(|| {
        let runtime = running_runtime("rm4");
        let recorder = runtime.create_recorder("a").expect("creates");
        let options = RecorderOptions::new().poll_interval(Duration::ZERO);
        let other = runtime.create_recorder_with("other", options).expect("creates");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    other.emit(Step(1));
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            check_that_calls_end(&recorder);
            over.store(true, Ordering::Relaxed);
        });
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rm4_calls_behind_a_blocked_snapshot_end_while_a_hook_runs() {
    bounded(|| {
        let runtime = running_runtime("rm4");
        let gate = Gate::new();
        let held = gate.clone();
        let hooks = Script::new().changed(Act::run(async move { held.pass().await }));
        let options = RecorderOptions::new().hooks_and_listener(hooks);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        check_that_calls_end(&recorder);
        gate.open();
        runtime.shutdown().expect("shuts down");
    });
}
