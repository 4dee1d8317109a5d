//! A shutdown ends within its timeout, whatever user code on the runtime's thread does, and says that the thread is left.
//! Covers HX7.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use mvx_metrics::{
    EventHandler, Metric, MetricSnapshot, MetricsRecorder, MetricsRecorderState, MetricsRuntime,
    MetricsRuntimeError, MetricsRuntimeState, RecorderOptions,
};
use mvx_metrics_tests::{Act, CallsOnce, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded};

use crate::runtime::eventually_threads;

/// A loaded machine wakes a thread that late.
const MARGIN: Duration = Duration::from_millis(1_500);

fn runtime_with_timeout(namespace: &str, timeout: Duration) -> MetricsRuntime {
    let runtime = MetricsRuntime::builder(namespace).shutdown_timeout(timeout).build().expect("valid");
    runtime.start().expect("starts");
    runtime
}

/// Shuts down within the timeout. Returns the recorders that did not stop, with their reasons; the thread did not end.
#[track_caller]
fn left_by_shutdown(runtime: &MetricsRuntime, timeout: Duration) -> Vec<(String, &'static str)> {
    let before = Instant::now();
    let error = runtime.shutdown().expect_err("the thread does not end");
    assert!(before.elapsed() < timeout + MARGIN, "{:?}", before.elapsed());
    assert_eq!(runtime.status(), MetricsRuntimeState::Failure);
    let MetricsRuntimeError::Shutdown { recorders, timed_out: true } = error else {
        panic!("{error:?}");
    };
    recorders.into_iter().map(|(id, cause)| (id, cause.reason())).collect()
}

/// Blocks at the gate when its thread ends.
struct BlocksOnDrop(Gate);

impl Drop for BlocksOnDrop {
    fn drop(&mut self) {
        self.0.block();
    }
}

thread_local! {
    static OF_THREAD: RefCell<Option<BlocksOnDrop>> = const { RefCell::new(None) };
}

/// A recorder one of whose handlers has left a value with a destructor in a thread-local of the runtime's thread.
fn with_destructor(runtime: &MetricsRuntime, gate: &Gate) -> MetricsRecorder {
    let recorder = runtime.create_recorder("a").expect("creates");
    let value = BlocksOnDrop(gate.clone());
    let handler = CallsOnce::new(|| OF_THREAD.set(Some(value)));
    recorder.register_metric(handler).expect("registers");
    recorder.emit(Step(1));
    recorder.stop().wait().expect("stops");
    recorder
}

#[test]
fn hx7_the_destructor_of_a_thread_local_does_not_hold_up_the_shutdown() {
    bounded(|| {
        let timeout = Duration::from_millis(300);
        let (runtime, gate) = (runtime_with_timeout("hx7.local", timeout), Gate::new());
        let recorder = with_destructor(&runtime, &gate);
        assert_eq!(left_by_shutdown(&runtime, timeout), []);
        gate.wait_for_arrival();
        assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
        gate.open();
        eventually_threads("the thread ends", "hx7.local.metrics_runtime", 0);
    });
}

#[test]
fn hx7_the_destructor_of_a_thread_local_does_not_hold_up_the_drop_of_a_runtime() {
    bounded(|| {
        let timeout = Duration::from_millis(300);
        let (runtime, gate) = (runtime_with_timeout("hx7.drop", timeout), Gate::new());
        with_destructor(&runtime, &gate);
        let before = Instant::now();
        drop(runtime);
        assert!(before.elapsed() < timeout + MARGIN, "{:?}", before.elapsed());
        gate.wait_for_arrival();
        gate.open();
    });
}

#[test]
fn hx7_a_handler_that_does_not_end_does_not_hold_up_the_shutdown() {
    bounded(|| {
        let timeout = Duration::from_millis(300);
        let (runtime, gate) = (runtime_with_timeout("hx7.handler", timeout), Gate::new());
        let recorder = runtime.create_recorder("stuck").expect("creates");
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        assert_eq!(left_by_shutdown(&runtime, timeout), [("stuck".to_owned(), "STALLED")]);
        gate.open();
        eventually_threads("the thread ends", "hx7.handler.metrics_runtime", 0);
    });
}

#[test]
fn hx7_the_shutdown_runs_no_handler_itself() {
    bounded(|| {
        // Long enough for a waiting thread to find that the event loop makes no progress.
        let timeout = Duration::from_secs(3);
        let (runtime, gate) = (runtime_with_timeout("hx7.both", timeout), Gate::new());
        // Both handlers need something that neither gets, such as a lock of the application.
        let [first, second] = ["first", "second"].map(|id| {
            let recorder = runtime.create_recorder(id).expect("creates");
            recorder.register_metric(Gated(gate.clone())).expect("registers");
            recorder
        });
        second.emit(Step(1));
        gate.wait_for_arrival();
        first.emit(Step(1));
        let left = left_by_shutdown(&runtime, timeout);
        assert_eq!(left, ["first", "second"].map(|id| (id.to_owned(), "STALLED")));
        gate.open();
        eventually_threads("the thread ends", "hx7.both.metrics_runtime", 0);
    });
}

#[test]
fn hx7_a_hook_that_does_not_end_does_not_hold_up_the_shutdown() {
    bounded(|| {
        let timeout = Duration::from_millis(300);
        let (runtime, gate) = (runtime_with_timeout("hx7.hook", timeout), Gate::new());
        let hooks = Script::new().changed(Act::Block(gate.clone()));
        let recorder = runtime
            .create_recorder_with("stuck", RecorderOptions::new().hooks_and_listener(hooks))
            .expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        gate.wait_for_arrival();
        assert_eq!(left_by_shutdown(&runtime, timeout), [("stuck".to_owned(), "STALLED")]);
        gate.open();
        eventually_threads("the thread ends", "hx7.hook.metrics_runtime", 0);
    });
}

/// A metric whose `Drop` blocks at the gate.
struct BlocksWhenDropped(Gate);

impl Metric for BlocksWhenDropped {
    fn metric_name(&self) -> &'static str {
        "blocks_when_dropped"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new("blocks_when_dropped")
    }
}

impl Drop for BlocksWhenDropped {
    fn drop(&mut self) {
        self.0.block();
    }
}

#[test]
fn hx7_the_destructor_of_a_metric_does_not_hold_up_the_shutdown() {
    bounded(|| {
        let timeout = Duration::from_millis(300);
        let (runtime, gate) = (runtime_with_timeout("hx7.metric", timeout), Gate::new());
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(BlocksWhenDropped(gate.clone())).expect("registers");
        // The runtime has the last handle.
        drop(recorder);
        assert_eq!(left_by_shutdown(&runtime, timeout), []);
        gate.wait_for_arrival();
        gate.open();
        eventually_threads("the thread ends", "hx7.metric.metrics_runtime", 0);
    });
}
