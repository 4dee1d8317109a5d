//! User code that panics in a place other than a handler: `Drop` of metrics, events, hooks and errors, and log subscribers.
//! Covers RE12, HK5, FL5, `RT_L2`.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mvx_metrics::testing::CaptureRecorder;
use mvx_metrics::{
    ChangeListener, EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricEvent, MetricSnapshot,
    MetricsRecorder, MetricsRecorderState, MetricsRuntime, MetricsRuntimeError, Recorder, RecorderOptions,
};
use mvx_metrics_tests::capture::Listener;
use mvx_metrics_tests::{Direct, Gate, Gated, Step, Steps, bounded, eventually, running_runtime};
use tracing::{Event, Subscriber};

use MetricsRecorderState::{Failure, Running};

/// Panics when it is dropped, and counts the drops. The library must drop each of them separately, because a second panic
/// while the first one unwinds aborts the program.
#[derive(Clone)]
struct PanicsOnDrop(Arc<AtomicUsize>);

impl PanicsOnDrop {
    fn with(counter: &Arc<AtomicUsize>) -> Self {
        Self(Arc::clone(counter))
    }
}

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("dropped");
    }
}

impl MetricEvent for PanicsOnDrop {
    const EVENT_TYPE: &'static str = "panics_on_drop";
}

/// A metric that panics when it is dropped.
struct MetricPanicsOnDrop {
    name: String,
    _panics: PanicsOnDrop,
}

impl HandleEvent<Step> for MetricPanicsOnDrop {
    fn handle(&mut self, _: &Step) -> bool {
        true
    }
}

impl Metric for MetricPanicsOnDrop {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::new(self.name.as_str())
    }
}

#[test]
fn re12_a_capture_recorder_forgets_events_whose_drops_panic() {
    let drops = Arc::default();
    let recorder = CaptureRecorder::new();
    for _ in 0..3 {
        recorder.emit(PanicsOnDrop::with(&drops));
    }
    recorder.clear();
    assert_eq!((drops.load(Ordering::SeqCst), recorder.count::<PanicsOnDrop>()), (3, 0));
    for _ in 0..3 {
        recorder.emit(PanicsOnDrop::with(&drops));
    }
    drop(recorder);
    assert_eq!(drops.load(Ordering::SeqCst), 6);
}

#[test]
fn fl5_metrics_and_pending_events_whose_drop_panics_are_dropped_with_their_recorder() {
    bounded(|| {
        let drops = Arc::default();
        let gate = Gate::new();
        let application = Direct::new();
        application.tokio().spawn({
            let gate = gate.clone();
            async move { gate.block() }
        });
        gate.wait_for_arrival();
        // The only worker thread is blocked, so no event is processed and the metrics wait for their first event.
        let recorder = application.recorder(RecorderOptions::new());
        for number in 0..3 {
            let metric =
                MetricPanicsOnDrop { name: format!("metric {number}"), _panics: PanicsOnDrop::with(&drops) };
            recorder.register_metric(metric).expect("registers");
            recorder.register_event(PanicsOnDrop::with(&drops)).expect("accepted");
        }
        drop(recorder);
        gate.open();
        eventually("all are dropped", || drops.load(Ordering::SeqCst) == 6);
    });
}

/// Hooks that panic when they are dropped, and return errors that do.
struct HooksPanicOnDrop(PanicsOnDrop);

#[derive(Debug)]
struct ErrorPanicsOnDrop(
    #[expect(dead_code, reason = "what its drop does matters")] Box<dyn fmt::Debug + Send + Sync>,
);

impl fmt::Debug for PanicsOnDrop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("panics_on_drop")
    }
}

impl fmt::Display for ErrorPanicsOnDrop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an error whose drop panics")
    }
}

impl Error for ErrorPanicsOnDrop {}

impl ChangeListener for HooksPanicOnDrop {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        Err(Box::new(ErrorPanicsOnDrop(Box::new(PanicsOnDrop::with(&self.0.0)))))
    }
}

#[test]
fn hk5_hooks_whose_drop_panics_are_dropped_without_a_panic() {
    bounded(|| {
        let drops = Arc::default();
        let options = || RecorderOptions::new().change_listener(HooksPanicOnDrop(PanicsOnDrop::with(&drops)));
        drop(options());
        // The refused call drops the hooks.
        let outside = MetricsRecorder::new("direct", options()).expect_err("there is no tokio runtime");
        assert_eq!(outside.reason(), "EVENT_LOOP_UNAVAILABLE");
        let runtime = running_runtime("hk5");
        for (id, limit) in [(" ", 1), ("b", 0)] {
            let refused = runtime.create_recorder_with(id, options().queue_max_size(limit));
            assert_eq!(refused.expect_err("bad argument").reason(), "INVALID_ARGUMENT");
        }
        runtime.create_recorder("a").expect("creates");
        let taken = runtime.create_recorder_with("a", options()).expect_err("the id is taken");
        assert_eq!(taken.reason(), "RECORDER_ALREADY_EXISTS");
        assert_eq!(drops.load(Ordering::SeqCst), 5);
        runtime.create_recorder_with("c", options()).expect("creates");
        runtime.shutdown().expect("shuts down");
        drop(runtime);
        eventually("the hooks are dropped", || drops.load(Ordering::SeqCst) == 6);
    });
}

#[test]
fn hk5_a_hook_error_whose_drop_panics_is_dropped_with_its_recorder() {
    bounded(|| {
        let drops = Arc::default();
        let mut application = Direct::new();
        let recorder = application
            .recorder(RecorderOptions::new().change_listener(HooksPanicOnDrop(PanicsOnDrop::with(&drops))));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder fails", || recorder.status() == Failure);
        // The waiter has a clone of the error, and drops it first.
        drop(recorder.stop());
        application.end();
        assert_eq!(drops.load(Ordering::SeqCst), 0);
        // This handle owns the last references to the hooks and their error.
        drop(recorder);
        assert_eq!(drops.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn hk5_a_hook_error_whose_drop_panics_is_dropped_with_its_runtime() {
    bounded(|| {
        let drops = Arc::default();
        let runtime = running_runtime("hk5");
        let options = RecorderOptions::new().change_listener(HooksPanicOnDrop(PanicsOnDrop::with(&drops)));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder fails", || recorder.status() == Failure);
        drop(recorder);
        let result = runtime.shutdown();
        assert_eq!(result.as_ref().err().map(MetricsRuntimeError::reason), Some("SHUTDOWN_ERROR"));
        drop(result);
        eventually("the hooks are dropped", || drops.load(Ordering::SeqCst) == 1);
        // The runtime owns the last reference to their error.
        drop(runtime);
        assert_eq!(drops.load(Ordering::SeqCst), 2);
    });
}

/// A subscriber that counts log events, calls a function and then panics, as soon as it is active.
fn panicking_subscriber(
    is_active: &Arc<AtomicBool>,
    events: &Arc<AtomicUsize>,
    calls: impl Fn() + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let (is_active, events) = (Arc::clone(is_active), Arc::clone(events));
    Listener(move |_: &Event<'_>| {
        if is_active.load(Ordering::SeqCst) {
            events.fetch_add(1, Ordering::SeqCst);
            calls();
            panic!("the subscriber panics");
        }
    })
}

#[test]
fn fl5_a_subscriber_that_calls_back_and_panics_fails_no_call() {
    bounded(|| {
        let runtime = Arc::new(running_runtime("fl5"));
        let application = Direct::new();
        let direct = application.recorder(RecorderOptions::new());
        let calls = {
            let (runtime, direct) = (Arc::clone(&runtime), direct.clone());
            move || {
                direct.emit(Step(1));
                drop(direct.metric_snapshots());
                drop(direct.register_metric(Steps::named("of the subscriber")));
                drop(direct.flush().wait());
                drop((direct.status(), direct.stats(), direct.metrics()));
                drop((runtime.status(), runtime.list_recorder_ids(), runtime.try_get_recorder("a")));
                drop((runtime.start(), runtime.snapshot()));
                drop(runtime.create_recorder("of the subscriber"));
                drop(runtime.stop_and_remove_recorder("of the subscriber"));
            }
        };
        let (is_active, events) = (Arc::<AtomicBool>::default(), Arc::default());
        tracing::subscriber::with_default(panicking_subscriber(&is_active, &events, calls), || {
            // `tracing` registers each log statement when it is first reached, and cannot do so inside the subscriber. So all
            // statements are reached once before the subscriber becomes active.
            runtime.create_recorder("first").expect("creates").stop().wait().expect("stops");
            runtime.get_recorder("first").expect("it is there").stop().wait().expect_err("it is stopped");
            runtime.stop_recorder("second").expect_err("there is none");
            is_active.store(true, Ordering::SeqCst);
            // The event that the subscriber emits may have started the recorder.
            drop(direct.start().wait());
            direct.register_metric(Steps::default()).expect("registers");
            direct.metric_snapshots().expect("reads");
            direct.stop().wait().expect("stops");
            direct.stop().wait().expect_err("it is stopped");
            direct.start().wait().expect("starts again");
            drop(direct);
            let recorder = runtime.create_recorder("a").expect("creates");
            runtime.create_recorder("a").expect_err("it is there");
            recorder.register_event(Step(1)).expect("accepted");
            assert_eq!(runtime.get_recorder("a").expect("it is there").status(), Running);
            runtime.stop_recorder("a").expect("stops");
            runtime.stop_and_remove_recorder("a").expect("removes");
            runtime.shutdown().expect("shuts down");
        });
        assert!(events.load(Ordering::SeqCst) > 20, "{events:?} events");
    });
}

#[test]
fn rt_l2_a_recorder_with_a_blocked_handler_is_removed_while_the_subscriber_panics() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.l2").shutdown_timeout(Duration::from_millis(50));
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let recorder = runtime.create_recorder("a").expect("creates");
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        let events = Arc::default();
        let panicking_subscriber = panicking_subscriber(&Arc::new(AtomicBool::new(true)), &events, || ());
        let removed =
            tracing::subscriber::with_default(panicking_subscriber, || runtime.stop_and_remove_recorder("a"));
        assert_eq!(removed.expect_err("the handler is stuck").reason(), "RECORDER_STOP_ERROR");
        // Four log events: removal invoked, stop invoked, metrics that could not be read, removal failed.
        assert_eq!(events.load(Ordering::SeqCst), 4);
        assert!(runtime.list_recorder_ids().expect("lists").is_empty());
        gate.open();
        runtime.create_recorder("a").expect("the id is free");
        runtime.shutdown().expect("shuts down");
    });
}
