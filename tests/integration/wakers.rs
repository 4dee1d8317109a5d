//! Wakers, which are user code: they call back, panic and are dropped while handles are awaited.
//! Covers RC17.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use mvx_metrics::{LifecycleHandle, MetricsRecorder, MetricsRecorderError, RecorderOptions};
use mvx_metrics_tests::{
    Direct, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded, eventually, running_runtime,
};

fn poll(handle: &mut LifecycleHandle, waker: &Waker) -> Poll<Result<(), MetricsRecorderError>> {
    Pin::new(handle).poll(&mut Context::from_waker(waker))
}

/// A waker that calls the recorder that wakes it.
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

/// Checks recorders with and without hooks, of a runtime and direct ones. The thread that would process their events waits
/// at the gate.
fn with_held_up(check: impl Fn(MetricsRecorder, &Gate)) {
    for hooks in [false, true] {
        let options = || {
            if hooks {
                RecorderOptions::new().hooks_and_listener(Script::new())
            } else {
                RecorderOptions::new()
            }
        };
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
fn rc17_a_waker_may_call_the_recorder_that_wakes_it() {
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
            // On the thread of the hooks a wait is refused, or ends without progress. All other calls succeed.
            let answers = answers.lock().expect("not poisoned").clone();
            assert_eq!(answers[1], "ok");
            assert!(
                answers.iter().all(|answer| ["ok", "WOULD_DEADLOCK", "STALLED"].contains(answer)),
                "{answers:?}"
            );
            recorder.stop().wait().expect("stops");
        });
    });
}

#[test]
fn rc17_a_waker_that_panics_does_not_harm_the_recorder() {
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
                // The recorder keeps a clone of the waker, and drops the last one.
                let waker =
                    if number % 2 == 0 { Arc::new(WakePanics).into() } else { Arc::new(DropPanics).into() };
                assert!(poll(handle, &waker).is_pending());
            }
            // A waker that another one replaces, and a handle that is dropped.
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
    /// Counts the wakers that exist.
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
            assert_eq!(Arc::strong_count(&token), 1, "dropped handles keep no waker");
            let mut awaited = recorder.flush();
            for _ in 0..100 {
                assert!(poll(&mut awaited, &waker()).is_pending());
            }
            assert_eq!(Arc::strong_count(&token), 2, "the last one is kept");
            let mut other = awaited.clone();
            assert!(poll(&mut other, &waker()).is_pending());
            drop(awaited);
            assert_eq!(Arc::strong_count(&token), 2, "a clone keeps a waker of its own");
            gate.open();
            other.wait().expect("flushes");
            recorder.stop().wait().expect("stops");
            eventually("no waker is left", || Arc::strong_count(&token) == 1);
        });
    });
}
