//! RC17, RM4: waits that nobody can serve, and wakers, which are somebody else's code.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use mvx_metrics::{
    EventHandler, LifecycleHandle, Metric, MetricSnapshot, MetricsRecorder, MetricsRecorderError,
    MetricsRecorderState, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Gate, Gated, Script, Step, Steps, bounded, eventually, in_threads, running_runtime,
};
use tokio::runtime::{Builder, Runtime};

fn poll(handle: &mut LifecycleHandle, waker: &Waker) -> Poll<Result<(), MetricsRecorderError>> {
    Pin::new(handle).poll(&mut Context::from_waker(waker))
}

/// A waker that calls the recorder.
struct Caller {
    recorder: MetricsRecorder,
    answers: Arc<Mutex<Vec<&'static str>>>,
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.recorder.emit(Step(1));
        let reason = |error: MetricsRecorderError| error.reason();
        let answers = [
            self.recorder.metric_snapshots().map_or_else(reason, |_| "ok"),
            self.recorder.register_metric(Steps::default()).map_or_else(reason, |_| "ok"),
            self.recorder.metrics().map_or_else(reason, |_| "ok"),
        ];
        drop(self.recorder.flush());
        self.answers.lock().expect("not poisoned").extend(answers);
    }
}

/// A recorder without and one with hooks, of a runtime and created directly, each on a thread that waits at the gate.
fn with_held_up(check: impl Fn(MetricsRecorder, &Gate)) {
    for hooks in [false, true] {
        let options =
            || if hooks { RecorderOptions::new().hooks(Script::new()) } else { RecorderOptions::new() };
        let runtime = running_runtime("waits");
        let holder = runtime.create_recorder("holder").expect("creates");
        let recorder = runtime.create_recorder_with("a", options()).expect("creates");
        let gate = Gate::new();
        holder.register_metric(Gated(gate.clone())).expect("registers");
        holder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        check(recorder, &gate);

        let application = Direct::new();
        let recorder = application.recorder(options());
        recorder.start().wait().expect("starts");
        let gate = Gate::new();
        let held = gate.clone();
        application.tokio().spawn(async move { held.block() });
        gate.wait_for_arrival();
        check(recorder, &gate);
    }
}

#[test]
fn rc17_a_waker_calls_the_recorder_that_wakes_it() {
    bounded(|| {
        with_held_up(|recorder, gate| {
            recorder.register_event(Step(1)).expect("accepted");
            let answers = Arc::<Mutex<Vec<_>>>::default();
            let caller = Caller { recorder: recorder.clone(), answers: Arc::clone(&answers) };
            let mut flush = recorder.flush();
            assert!(poll(&mut flush, &Waker::from(Arc::new(caller))).is_pending());
            gate.open();
            eventually("the waker has called", || answers.lock().expect("not poisoned").len() == 3);
            flush.wait().expect("flushes");
            // Where the hooks of the recorder run nothing can be waited for; all other calls succeed.
            let answers = answers.lock().expect("not poisoned").clone();
            assert_eq!(answers[1], "ok");
            assert!(answers.iter().all(|answer| ["ok", "WOULD_DEADLOCK"].contains(answer)), "{answers:?}");
            recorder.stop().wait().expect("stops");
        });
    });
}

#[test]
fn rc17_a_waker_that_panics_takes_nothing_with_it() {
    struct WakePanics;

    impl Wake for WakePanics {
        fn wake(self: Arc<Self>) {
            panic!("the waker panics");
        }
    }

    struct DropPanics;

    impl Wake for DropPanics {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for DropPanics {
        fn drop(&mut self) {
            panic!("the waker panics");
        }
    }

    bounded(|| {
        with_held_up(|recorder, gate| {
            recorder.register_event(Step(1)).expect("accepted");
            let flush = recorder.flush();
            let mut handles = vec![flush.clone(); 4];
            for (number, handle) in handles.iter_mut().enumerate() {
                // The recorder keeps clones; it is the last one to know them.
                let waker =
                    if number % 2 == 0 { Arc::new(WakePanics).into() } else { Arc::new(DropPanics).into() };
                assert!(poll(handle, &waker).is_pending());
            }
            // One that is replaced, and one that is given up.
            assert!(poll(&mut handles[1], &Arc::new(DropPanics).into()).is_pending());
            drop(handles.pop());
            gate.open();
            flush.wait().expect("flushes");
            recorder.stop().wait().expect("stops");
        });
    });
}

#[test]
fn rc17_only_handles_that_are_awaited_keep_a_waker() {
    /// Says by its count how many wakers there are.
    struct Counted(#[expect(dead_code, reason = "its count is what matters")] Arc<()>);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {}
    }

    bounded(|| {
        with_held_up(|recorder, gate| {
            recorder.register_event(Step(1)).expect("accepted");
            let token = Arc::new(());
            let waker = || Waker::from(Arc::new(Counted(Arc::clone(&token))));
            for _ in 0..100 {
                assert!(poll(&mut recorder.flush(), &waker()).is_pending());
            }
            assert_eq!(Arc::strong_count(&token), 1, "nobody waits any more");
            let mut awaited = recorder.flush();
            for _ in 0..100 {
                assert!(poll(&mut awaited, &waker()).is_pending());
            }
            assert_eq!(Arc::strong_count(&token), 2, "the last one is kept");
            let mut other = awaited.clone();
            assert!(poll(&mut other, &waker()).is_pending());
            drop(awaited);
            assert_eq!(Arc::strong_count(&token), 2, "a clone is awaited for itself");
            gate.open();
            other.wait().expect("flushes");
            recorder.stop().wait().expect("stops");
            eventually("no waker is left", || Arc::strong_count(&token) == 1);
        });
    });
}

/// A running recorder with hooks in a tokio runtime that nobody drives any more, and one pending event.
fn abandoned() -> (Runtime, MetricsRecorder) {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    let recorder = tokio.block_on(async {
        let options = RecorderOptions::new().hooks(Script::new());
        let recorder = MetricsRecorder::new("direct", options).expect("inside of tokio");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.start().await.expect("starts");
        recorder
    });
    recorder.register_event(Step(1)).expect("accepted");
    (tokio, recorder)
}

#[test]
fn rm4_a_read_that_nobody_can_serve_ends() {
    bounded(|| {
        let (tokio, recorder) = abandoned();
        let error = recorder.metric_snapshots().expect_err("nobody processes the event");
        assert_eq!(error.reason(), "WOULD_DEADLOCK");
        tokio.block_on(recorder.flush()).expect("now somebody does");
        assert_eq!(Steps::total(&recorder), 1);
    });
}

#[test]
fn rc17_a_wait_that_nobody_can_serve_ends() {
    bounded(|| {
        let (tokio, recorder) = abandoned();
        let (flush, stop) = (recorder.flush(), recorder.stop());
        for wait in [flush.clone(), stop.clone()] {
            assert_eq!(wait.wait().expect_err("nobody processes the event").reason(), "WOULD_DEADLOCK");
        }
        assert_eq!(recorder.status(), MetricsRecorderState::Stopping);
        // The operations go on as soon as somebody drives the recorder.
        tokio.block_on(async { (flush.await, stop.await) }).1.expect("stops");
        assert_eq!(recorder.stats().processed, 1);
    });
}

#[test]
fn rc17_a_start_that_nobody_can_serve_ends() {
    bounded(|| {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let recorder = {
            let _inside = tokio.enter();
            MetricsRecorder::new("direct", RecorderOptions::new().hooks(Script::new()))
                .expect("inside of tokio")
        };
        let start = recorder.start();
        assert_eq!(start.clone().wait().expect_err("nobody runs the hook").reason(), "WOULD_DEADLOCK");
        tokio.block_on(start).expect("now somebody does");
        assert_eq!(recorder.status(), MetricsRecorderState::Running);
    });
}

#[test]
fn rc17_a_hook_that_takes_long_in_a_single_threaded_runtime_is_waited_for() {
    bounded(|| {
        let gate = Gate::new();
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let recorder = {
            let _inside = tokio.enter();
            MetricsRecorder::new("direct", RecorderOptions::new().hooks(script)).expect("inside of tokio")
        };
        let start = recorder.start();
        let waits = std::thread::spawn({
            let start = start.clone();
            move || start.wait()
        });
        let opens = std::thread::spawn(move || {
            gate.wait_for_arrival();
            // Longer than a wait goes on without any progress.
            std::thread::sleep(Duration::from_millis(1_500));
            gate.open();
        });
        tokio.block_on(start).expect("starts");
        opens.join().expect("opens");
        waits.join().expect("no panic").expect("the hook was running");
    });
}

#[test]
fn rm4_calls_that_a_metric_waits_for_end() {
    bounded(|| {
        let runtime = running_runtime("rm4");
        let recorder = runtime.create_recorder("a").expect("creates");
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        // The gate opens only after all of them: as if the metric waited for a lock that the callers hold.
        let reasons = in_threads(4, |number| {
            let answer = match number {
                0 => recorder.metric_snapshots().map(drop),
                1 => recorder.metrics().map(drop),
                2 => recorder.register_metric(Steps::default()).map(drop),
                _ => recorder.flush().wait(),
            };
            answer.expect_err("the metric does not come to an end").reason()
        });
        assert_eq!(reasons, ["WOULD_DEADLOCK"; 4]);
        assert_eq!((recorder.stats().pending, recorder.status()), (1, MetricsRecorderState::Running));
        gate.open();
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.metric_snapshots().expect("reads").len(), 2);
        runtime.shutdown().expect("shuts down");
    });
}

/// A metric that shows itself only when the gate is open.
pub struct GatedSnapshot(pub Gate);

impl Metric for GatedSnapshot {
    fn metric_name(&self) -> &'static str {
        "reluctant"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        self.0.block();
        MetricSnapshot::of_static("reluctant")
    }
}

/// Reads a metric that waits for all the others that want to get at the recorder.
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
            answer.expect_err("the snapshot does not come to an end").reason()
        });
        gate.open();
        assert_eq!(reasons, ["WOULD_DEADLOCK"; 3]);
        reader.join().expect("no panic").expect("reads");
    });
}

#[test]
fn rm4_calls_that_a_snapshot_waits_for_end_while_other_recorders_go_on() {
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
fn rm4_calls_that_a_snapshot_waits_for_end_while_a_hook_runs() {
    bounded(|| {
        let runtime = running_runtime("rm4");
        let gate = Gate::new();
        let held = gate.clone();
        let hooks = Script::new().changed(Act::run(async move { held.pass().await }));
        let options = RecorderOptions::new().hooks(hooks);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        check_that_calls_end(&recorder);
        gate.open();
        runtime.shutdown().expect("shuts down");
    });
}
