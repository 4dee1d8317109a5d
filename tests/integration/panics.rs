//! FL5, RE12, RT: user code that panics or calls back where nobody expects it, and arguments at their limits.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mvx_metrics::testing::CaptureRecorder;
use mvx_metrics::{
    EventHandler, HandleEvent, HookError, Metric, MetricChange, MetricEvent, MetricSnapshot, MetricsRecorder,
    MetricsRecorderState, MetricsRuntime, MetricsRuntimeError, MetricsRuntimeState, Recorder, RecorderHooks,
    RecorderOptions,
};
use mvx_metrics_tests::capture::Listener;
use mvx_metrics_tests::{
    Act, Direct, Gate, Gated, Script, Step, Steps, bounded, eventually, running_runtime,
};
use tracing::{Event, Subscriber};

use MetricsRecorderState::{Failure, Running, Stopped};

/// Panics when it is dropped, and counts that it did. Whatever has one must be dropped alone: two panics at once abort.
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
fn fl5_metrics_and_pending_events_whose_drops_panic_go_with_their_recorder() {
    bounded(|| {
        let drops = Arc::default();
        let gate = Gate::new();
        let application = Direct::new();
        application.tokio().spawn({
            let gate = gate.clone();
            async move { gate.block() }
        });
        gate.wait_for_arrival();
        // Nobody processes its events: some metrics wait for their first event, and some events are never processed.
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

/// Hooks that panic when they are dropped, and whose errors do.
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

impl RecorderHooks for HooksPanicOnDrop {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        Err(Box::new(ErrorPanicsOnDrop(Box::new(PanicsOnDrop::with(&self.0.0)))))
    }
}

#[test]
fn hk5_hooks_whose_drop_panics_are_given_up_quietly() {
    bounded(|| {
        let drops = Arc::default();
        let options = || RecorderOptions::new().hooks(HooksPanicOnDrop(PanicsOnDrop::with(&drops)));
        drop(options());
        // The call is refused and keeps nothing.
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
fn hk5_an_error_of_a_hook_whose_drop_panics_goes_with_its_recorder() {
    bounded(|| {
        let drops = Arc::default();
        let mut application = Direct::new();
        let recorder =
            application.recorder(RecorderOptions::new().hooks(HooksPanicOnDrop(PanicsOnDrop::with(&drops))));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder fails", || recorder.status() == Failure);
        // Whoever waits gets the error too, and gives it up first.
        drop(recorder.stop());
        application.end();
        assert_eq!(drops.load(Ordering::SeqCst), 0);
        // The last one to know the hooks and their error.
        drop(recorder);
        assert_eq!(drops.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn hk5_an_error_of_a_hook_whose_drop_panics_goes_with_its_runtime() {
    bounded(|| {
        let drops = Arc::default();
        let runtime = running_runtime("hk5");
        let options = RecorderOptions::new().hooks(HooksPanicOnDrop(PanicsOnDrop::with(&drops)));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder fails", || recorder.status() == Failure);
        drop(recorder);
        let result = runtime.shutdown();
        assert_eq!(result.as_ref().err().map(MetricsRuntimeError::reason), Some("SHUTDOWN_ERROR"));
        drop(result);
        eventually("the hooks are dropped", || drops.load(Ordering::SeqCst) == 1);
        // The last one to know their error.
        drop(runtime);
        assert_eq!(drops.load(Ordering::SeqCst), 2);
    });
}

/// A subscriber that counts what it gets, calls back and then panics, once it is told to.
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
fn fl5_a_subscriber_that_calls_back_and_panics_disturbs_no_call() {
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
            // `tracing` asks a subscriber what it wants to see when something is logged for the first time, and takes no
            // answer while the subscriber itself is at work.
            runtime.create_recorder("first").expect("creates").stop().wait().expect("stops");
            runtime.get_recorder("first").expect("it is there").stop().wait().expect_err("it is stopped");
            runtime.stop_recorder("second").expect_err("there is none");
            is_active.store(true, Ordering::SeqCst);
            // The subscriber's event may have started it.
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
fn rt_l2_a_recorder_whose_handler_is_stuck_is_removed_although_the_subscriber_panics() {
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
        // The removal and the stop begin, the counts are lost, the removal has failed.
        assert_eq!(events.load(Ordering::SeqCst), 4);
        assert!(runtime.list_recorder_ids().expect("lists").is_empty());
        gate.open();
        runtime.create_recorder("a").expect("the id is free");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hk7_a_hook_that_uses_its_stopping_recorder() {
    bounded(|| {
        let runtime = running_runtime("hk7");
        let answers = Arc::<Mutex<Vec<&'static str>>>::default();
        let own = Arc::new(Mutex::new(None::<MetricsRecorder>));
        let script = Script::new().stopped(Act::call({
            let (answers, own) = (Arc::clone(&answers), Arc::clone(&own));
            move || {
                // The last handle but the registry's: it goes here.
                let own = own.lock().expect("not poisoned").take().expect("it was created");
                let refused = own.register_event(Step(1)).map_err(|refused| refused.error().reason());
                let reasons = [
                    refused.err(),
                    own.start().wait().err().map(|error| error.reason()),
                    own.stop().wait().err().map(|error| error.reason()),
                    own.flush().wait().err().map(|error| error.reason()),
                    own.register_metric(Steps::default()).err().map(|error| error.reason()),
                    own.metric_snapshots().err().map(|error| error.reason()),
                ];
                answers.lock().expect("not poisoned").extend(reasons.map(|reason| reason.unwrap_or("ok")));
            }
        }));
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        *own.lock().expect("not poisoned") = Some(recorder);
        runtime.stop_recorder("a").expect("stops");
        let state = "INVALID_RECORDER_STATE";
        assert_eq!(
            *answers.lock().expect("not poisoned"),
            [state, state, "WOULD_DEADLOCK", "ok", state, "ok"]
        );
        assert_eq!(runtime.get_recorder("a").expect("it stays").status(), Stopped);
    });
}

/// A metric that calls a function at every step.
struct Calls<F>(F);

impl<F: FnMut() + Send + 'static> HandleEvent<Step> for Calls<F> {
    fn handle(&mut self, _: &Step) -> bool {
        (self.0)();
        true
    }
}

impl<F: FnMut() + Send + 'static> Metric for Calls<F> {
    fn metric_name(&self) -> &'static str {
        "calls"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("calls")
    }
}

#[test]
fn fl5_a_metric_that_calls_its_runtime() {
    bounded(|| {
        let runtime = Arc::new(running_runtime("fl5"));
        let answers = Arc::<Mutex<Vec<&'static str>>>::default();
        let recorder = runtime.create_recorder("a").expect("creates");
        let calls = {
            let (runtime, answers) = (Arc::clone(&runtime), Arc::clone(&answers));
            move || {
                let hooks = RecorderOptions::new().hooks(Script::new());
                let reasons = [
                    runtime.create_recorder("b").err().map(|error| error.reason()),
                    runtime.create_recorder_with("b", hooks).err().map(|error| error.reason()),
                    runtime.stop_recorder("a").err().map(|error| error.reason()),
                    runtime.stop_and_remove_recorder("a").err().map(|error| error.reason()),
                    runtime.snapshot().err().map(|error| error.reason()),
                    runtime.shutdown().err().map(|error| error.reason()),
                    runtime.start().err().map(|error| error.reason()),
                    runtime.get_recorder("a").err().map(|error| error.reason()),
                ];
                answers.lock().expect("not poisoned").extend(reasons.map(|reason| reason.unwrap_or("ok")));
            }
        };
        recorder.register_metric(Calls(calls)).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        recorder.flush().wait().expect("flushes");
        let mut expected = vec!["WOULD_DEADLOCK"; 6];
        expected.extend(["ok"; 2]);
        assert_eq!(*answers.lock().expect("not poisoned"), expected);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rt_c8_dropping_a_runtime_in_a_metric_does_not_hang() {
    bounded(|| {
        let runtime = running_runtime("rt.c8");
        let recorder = runtime.create_recorder("a").expect("creates");
        let other = runtime.create_recorder("b").expect("creates");
        let place = Arc::new(Mutex::new(Some(runtime)));
        let calls = move || drop(place.lock().expect("not poisoned").take());
        recorder.register_metric(Calls(calls)).expect("registers");
        for _ in 0..10 {
            recorder.emit(Step(1));
        }
        eventually("its recorders end", || {
            other.emit(Step(1));
            other.status() == MetricsRecorderState::Cancelled && recorder.stats().pending == 0
        });
        let stats = recorder.stats();
        assert_eq!(stats.accepted, stats.processed + stats.discarded);
        assert!(stats.processed >= 1, "{stats:?}");
    });
}

#[test]
fn rt_c8_a_runtime_is_used_and_dropped_inside_of_a_tokio_runtime() {
    bounded(|| {
        let use_it = || {
            let runtime = running_runtime("rt.c8");
            let hooks = RecorderOptions::new().hooks(Script::new());
            let recorders = [
                runtime.create_recorder("a").expect("creates"),
                runtime.create_recorder_with("b", hooks).expect("creates"),
            ];
            for recorder in &recorders {
                recorder.register_metric(Steps::default()).expect("registers");
                recorder.register_event(Step(1)).expect("accepted");
                assert_eq!(Steps::total(recorder), 1);
                recorder.flush().wait().expect("flushes");
            }
            runtime.stop_recorder("b").expect("stops");
            assert_eq!(runtime.snapshot().expect("reads").recorders.len(), 2);
            drop(runtime);
            assert!(recorders.iter().all(|recorder| recorder.status() == Stopped));
        };
        let application = Direct::new();
        application.tokio().block_on(async { use_it() });
        application.tokio().block_on(application.tokio().spawn(async move { use_it() })).expect("no panic");
        application.tokio().block_on(application.tokio().spawn_blocking(use_it)).expect("no panic");
        let single = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
        single.block_on(async { use_it() });
    });
}

#[test]
fn rt_c7_timeouts_beyond_what_a_clock_can_show() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.c7");
        let builder = builder.startup_timeout(Duration::MAX).shutdown_timeout(Duration::MAX);
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        for (id, hooks) in [("a", false), ("b", true), ("c", true)] {
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks(Script::new()) } else { options };
            let recorder = runtime.create_recorder_with(id, options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_event(Step(1)).expect("accepted");
        }
        runtime.stop_recorder("a").expect("stops");
        runtime.stop_and_remove_recorder("b").expect("stops");
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn rt_c7_without_any_time_a_shutdown_ends_at_once_and_says_who_did_not_stop() {
    bounded(|| {
        let builder = MetricsRuntime::builder("rt.c7").shutdown_timeout(Duration::ZERO);
        let runtime = builder.build().expect("valid");
        runtime.start().expect("starts");
        let gate = Gate::new();
        let busy = runtime.create_recorder("busy").expect("creates");
        let idle = runtime.create_recorder("idle").expect("creates");
        busy.register_metric(Gated(gate.clone())).expect("registers");
        busy.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        let stopped = runtime.stop_recorder("busy").expect_err("there is no time for it");
        assert_eq!(stopped.reason(), "RECORDER_STOP_ERROR");
        runtime.stop_recorder("idle").expect("that needs no time");
        let error = runtime.shutdown().expect_err("there is no time for it");
        assert_eq!((error.reason(), runtime.status()), ("SHUTDOWN_ERROR", MetricsRuntimeState::Failure));
        gate.open();
        eventually("it ends after all", || busy.stats().pending == 0);
        assert_eq!(idle.status(), Stopped);
        let stats = busy.stats();
        assert_eq!(stats.accepted, stats.processed + stats.discarded);
    });
}
