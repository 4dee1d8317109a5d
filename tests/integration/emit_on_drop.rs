//! Guards that emit when they are dropped.
//! Covers LO9.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mvx_metrics::testing::CaptureRecorder;
use mvx_metrics::{EmitOnDrop, MetricEvent, MetricsRecorder, Recorder};
use mvx_metrics_tests::{Gate, Step, Steps, bounded, bounded_async, running_runtime};

/// The numbers of the steps that were emitted.
fn steps(recorder: &CaptureRecorder) -> Vec<u64> {
    recorder.take::<Step>().into_iter().map(|step| step.0).collect()
}

#[test]
fn lo9_a_guard_emits_its_event_on_return_and_early_return() {
    fn run(recorder: &CaptureRecorder, number: &str) -> Result<(), std::num::ParseIntError> {
        let mut ended = recorder.emit_on_drop(Step(0));
        ended.0 = number.parse()?;
        Ok(())
    }

    let recorder = CaptureRecorder::new();
    run(&recorder, "7").expect("a number");
    assert_eq!(steps(&recorder), [7]);
    run(&recorder, "x").expect_err("no number");
    assert_eq!(steps(&recorder), [0]);
}

#[test]
fn lo9_a_guard_emits_its_event_on_a_panic() {
    let recorder = CaptureRecorder::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut ended = recorder.emit_on_drop(Step(1));
        ended.0 = 2;
        panic!("the work panics");
    }));
    assert!(panicked.is_err());
    assert_eq!(steps(&recorder), [2]);
}

#[test]
fn lo9_a_guard_emits_its_event_when_a_future_is_cancelled() {
    bounded_async(|| async {
        let recorder = CaptureRecorder::new();
        let (gate, guard) = (Gate::new(), recorder.emit_on_drop_with(3, Step));
        let task = tokio::spawn({
            let gate = gate.clone();
            async move {
                let mut guard = guard;
                *guard = 4;
                gate.pass().await;
                *guard = 5;
            }
        });
        gate.arrival().await;
        assert!(steps(&recorder).is_empty());
        task.abort();
        assert!(task.await.expect_err("aborted").is_cancelled());
        assert_eq!(steps(&recorder), [4]);
    });
}

#[test]
fn lo9_a_guard_emits_its_event_when_a_future_is_dropped_before_its_first_poll() {
    let recorder = CaptureRecorder::new();
    let guard = recorder.emit_on_drop(Step(1));
    let future = async move { guard.emit() };
    drop(future);
    assert_eq!(steps(&recorder), [1]);
}

#[test]
fn lo9_a_guard_emits_once() {
    let recorder = CaptureRecorder::new();
    recorder.emit_on_drop(Step(1)).emit();
    assert_eq!(steps(&recorder), [1]);
    assert_eq!(recorder.emit_on_drop(Step(2)).cancel(), Step(2));
    assert_eq!(recorder.emit_on_drop_with("state", |_| Step(3)).cancel(), "state");
    assert!(steps(&recorder).is_empty());
}

#[test]
fn lo9_a_function_that_panics_while_a_panic_unwinds_ends_there() {
    let recorder = CaptureRecorder::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _other = recorder.emit_on_drop(Step(1));
        let _ended = recorder.emit_on_drop_with((), |()| -> Step { panic!("no event") });
        panic!("the work panics");
    }));
    let message = panicked.expect_err("it panics").downcast::<&str>().expect("a text");
    assert_eq!(*message, "the work panics");
    assert_eq!(steps(&recorder), [1]);
}

#[test]
fn lo9_a_function_that_panics_is_logged() {
    mvx_metrics_tests::capture::install();
    let runtime = running_runtime("lo9");
    let options = mvx_metrics::RecorderOptions::new().entity_id("lg.lo9");
    let recorder = runtime.create_recorder_with("a", options).expect("creates");
    drop(recorder.emit_on_drop_with((), |()| -> Step { panic!("no event") }));
    let logged = mvx_metrics_tests::capture::about("lg.lo9");
    let logged = logged.iter().find(|logged| logged.field("event") == "metrics_recorder.event_not_made");
    let logged = logged.expect("logged");
    assert_eq!((logged.field("event_type"), logged.field("error")), ("step", "panicked: no event"));
    assert_eq!((logged.field("namespace"), logged.field("state")), ("lo9", "RUNNING"));
    runtime.shutdown().expect("shuts down");
}

#[test]
fn lo9_a_guard_lives_with_every_kind_of_recorder() {
    fn generic<R: Recorder + Clone>(recorder: &R) -> EmitOnDrop<Step, R> {
        recorder.emit_on_drop(Step(1))
    }
    fn borrowed(recorder: &impl Recorder) {
        drop(recorder.emit_on_drop_by_reference());
    }
    /// Generic code whose recorder is no clone.
    trait ByReference {
        fn emit_on_drop_by_reference(&self) -> EmitOnDrop<Step, &Self>
        where
            Self: Recorder + Sized;
    }
    impl<R: Recorder> ByReference for R {
        fn emit_on_drop_by_reference(&self) -> EmitOnDrop<Step, &Self> {
            Recorder::emit_on_drop(&self, Step(1))
        }
    }
    /// A component that keeps a guard.
    struct Session {
        _ended: EmitOnDrop<Step>,
    }

    bounded(|| {
        let runtime = running_runtime("lo9");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        let shared: Arc<dyn Recorder> = Arc::new(recorder.clone());
        drop(generic(&recorder));
        drop(generic(&shared));
        borrowed(&recorder);
        drop(Session { _ended: recorder.emit_on_drop(Step(1)) });
        let guard = shared.emit_on_drop(Step(1));
        std::thread::spawn(move || drop(guard)).join().expect("no panic");
        assert_eq!(Steps::total(&recorder), 5);
        drop(shared);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn lo9_a_guard_keeps_its_recorder_until_the_event_is_emitted() {
    bounded(|| {
        let runtime = running_runtime("lo9");
        let recorder = runtime.create_recorder("a").expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        let guard = recorder.emit_on_drop(Step(1));
        drop(recorder);
        drop(guard);
        let recorder: MetricsRecorder = runtime.get_recorder("a").expect("there");
        assert_eq!(Steps::total(&recorder), 1);
    });
}

#[test]
fn lo9_a_recorder_that_panics_lets_no_panic_out_of_a_guard() {
    /// An event that panics when it is dropped.
    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("the event is dropped");
        }
    }

    impl MetricEvent for PanicsOnDrop {
        const EVENT_TYPE: &'static str = "panics_on_drop";
    }

    let recorder = MetricsRecorder::disabled();
    drop(recorder.emit_on_drop(PanicsOnDrop));
}

#[test]
fn lo9_a_guard_in_a_future_is_dropped_with_it() {
    let recorder = CaptureRecorder::new();
    {
        let mut future = pin!(async {
            let _ended = recorder.emit_on_drop(Step(1));
            std::future::pending::<()>().await;
        });
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        assert_eq!(recorder.count::<Step>(), 0);
    }
    assert_eq!(steps(&recorder), [1]);
}
