//! Hooks: when they run, which state they see, how their failure ends the recorder, and which calls they may make.
//! Covers HK1 to HK8.

use std::error::Error as _;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use mvx_metrics::{
    ChangeListener, HandleEvent, HookError, MetricChange, MetricsRecorder, MetricsRecorderState,
    MetricsRuntime, RecorderContext, RecorderHooks, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Drops, Gate, HooksAndListener, Journal, Other, Script, Step, Steps, bounded, eventually,
    running_runtime,
};

use MetricsRecorderState::{Failure, Running};

fn with_hooks(runtime: &MetricsRuntime, script: impl RecorderHooks + ChangeListener) -> MetricsRecorder {
    let options = RecorderOptions::new().hooks_and_listener(script);
    let recorder = runtime.create_recorder_with("a", options).expect("creates");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder
}

/// Accepts even steps only.
struct Even;

impl HandleEvent<Step> for Even {
    fn handle(&mut self, event: &Step) -> bool {
        event.0.is_multiple_of(2)
    }
}

impl mvx_metrics::Metric for Even {
    fn metric_name(&self) -> &'static str {
        "even"
    }
    fn handlers() -> &'static [mvx_metrics::EventHandler<Self>] {
        // Listed twice: it still changes once.
        const { &[mvx_metrics::EventHandler::of::<Step>(), mvx_metrics::EventHandler::of::<Step>()] }
    }
    fn snapshot(&self) -> mvx_metrics::MetricSnapshot {
        mvx_metrics::MetricSnapshot::of_static("even")
    }
}

#[test]
fn hk1_on_metric_changed_for_metrics_that_accepted_once_each() {
    bounded(|| {
        let runtime = running_runtime("hk1");
        let script = Script::new();
        let hook_log = script.hook_log();
        let recorder = with_hooks(&runtime, script);
        recorder.register_metric(Even).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        recorder.register_event(Other).expect("accepted");
        recorder.register_event(Step(2)).expect("accepted");
        recorder.flush().wait().expect("flushes");
        assert_eq!(hook_log.entries(), ["starting", "steps 1", "steps 2", "even 2"]);
        assert_eq!(recorder.stats().processed, 3);
    });
}

#[test]
fn hk1_a_change_names_entity_metric_and_event() {
    bounded(|| {
        let runtime = running_runtime("hk1");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Script::new().observing({
            let seen = Arc::clone(&seen);
            move |change: &MetricChange<'_>| {
                assert!(change.is::<Steps>() && !change.is::<Even>());
                assert!(change.typed_snapshot::<mvx_metrics_tests::Fragile>().is_none());
                let number = change.event().downcast_ref::<Step>().map(|step| step.0);
                assert!(!change.event().is::<Other>());
                seen.lock().expect("not poisoned").push((
                    change.entity_id().to_owned(),
                    change.metric_name().to_owned(),
                    change.event().event_type(),
                    number,
                ));
            }
        });
        let recorder = with_hooks(&runtime, script);
        recorder.register_event(Step(9)).expect("accepted");
        recorder.flush().wait().expect("flushes");
        let seen = seen.lock().expect("not poisoned");
        assert_eq!(*seen, [("a".to_owned(), "steps".to_owned(), "step", Some(9))]);
        assert_eq!(recorder.status(), Running);
    });
}

#[test]
fn hk2_a_hook_sees_the_state_after_its_event_and_not_after_later_ones() {
    bounded(|| {
        let runtime = running_runtime("hk2");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script = Script::new().observing({
            let seen = Arc::clone(&seen);
            move |change: &MetricChange<'_>| {
                let typed = change.typed_snapshot::<Steps>().expect("it is a `Steps`").total;
                let erased = change.snapshot().get("total").and_then(mvx_metrics::DimensionValue::as_u64);
                assert_eq!(erased, Some(typed));
                seen.lock().expect("not poisoned").push(typed);
            }
        });
        let recorder = with_hooks(&runtime, script);
        for step in 0..500 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        recorder.flush().wait().expect("flushes");
        assert_eq!(*seen.lock().expect("not poisoned"), (1..=500).collect::<Vec<_>>());
    });
}

/// Notes the names of the threads that hooks run on.
#[derive(Clone, Default)]
struct ThreadNames(Arc<Mutex<Vec<String>>>);

impl ThreadNames {
    fn here(&self) {
        let name = thread::current().name().unwrap_or("unnamed").to_owned();
        self.0.lock().expect("not poisoned").push(name);
    }
}

impl ChangeListener for ThreadNames {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        self.here();
        Ok(())
    }
}

impl RecorderHooks for ThreadNames {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        self.here();
        Ok(())
    }
    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        self.here();
        Ok(())
    }
}

#[test]
fn hk3_hooks_run_on_the_thread_of_the_runtime() {
    bounded(|| {
        let runtime = running_runtime("hk3");
        let places = ThreadNames::default();
        let recorder = with_hooks(&runtime, places.clone());
        recorder.register_event(Step(1)).expect("accepted");
        assert_eq!(Steps::total(&recorder), 1);
        recorder.flush().wait().expect("flushes");
        recorder.stop().wait().expect("stops");
        assert_eq!(*places.0.lock().expect("not poisoned"), ["hk3.metrics_runtime"; 3]);
    });
}

#[test]
fn hk4_a_hook_is_awaited_before_the_next_event_is_applied() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("hk4");
        let recorder = with_hooks(&runtime, Script::new().changed(Act::Wait(gate.clone())));
        let journal = Journal::new();
        recorder.register_metric(journal.clone()).expect("registers");
        for step in 0..3 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        gate.wait_for_arrival();
        // Another recorder of the runtime is processed meanwhile, so the event loop has had the chance to go on.
        let other = runtime.create_recorder("b").expect("creates");
        other.register_metric(Steps::default()).expect("registers");
        other.register_event(Step(1)).expect("accepted");
        assert_eq!(Steps::total(&other), 1);
        assert_eq!(journal.numbers(), [0]);
        gate.open();
        recorder.flush().wait().expect("flushes");
        assert_eq!(journal.numbers(), [0, 1, 2]);
    });
}

#[test]
fn hk5_a_failing_hook_fails_the_recorder() {
    bounded(|| {
        for act in [Act::Fail("not sent"), Act::Panic("not sent")] {
            let text = if matches!(act, Act::Panic(_)) { "panicked: not sent" } else { "not sent" };
            let runtime = running_runtime("hk5");
            let gate = Gate::new();
            let script = Script::new().changed(Act::Pass).changed(act).stopped(Act::Wait(gate.clone()));
            let hook_log = script.hook_log();
            let recorder = with_hooks(&runtime, script);
            let drops = Drops::new();
            for _ in 0..10 {
                recorder.emit(drops.event());
            }
            gate.wait_for_arrival();
            assert_eq!(recorder.status(), Failure);
            gate.open();
            eventually("the events are dropped", || drops.dropped() == 10);
            let stats = recorder.stats();
            assert_eq!(stats.accepted + stats.rejected, 10);
            assert_eq!((stats.processed, stats.discarded), (2, stats.accepted - 2));
            assert_eq!(Steps::total(&recorder), 2);

            let error = recorder.register_event(Step(1)).expect_err("it has failed");
            let mut causes = Vec::new();
            let mut source = error.error().source();
            while let Some(cause) = source {
                causes.push(cause.to_string());
                source = cause.source();
            }
            assert_eq!(causes, ["unexpected error", text]);
            assert_eq!(hook_log.count("stopped"), 1, "the cleanup");
        }
    });
}

#[test]
fn hk5_a_hook_that_fails_while_stopping_fails_the_stop() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("hk5");
        let script = Script::new().changed(Act::WaitAndFail(gate.clone(), "not sent"));
        let hook_log = script.hook_log();
        let recorder = with_hooks(&runtime, script);
        for step in 0..5 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        gate.wait_for_arrival();
        let stop = recorder.stop();
        gate.open();
        let error = stop.wait().expect_err("the hook failed");
        assert_eq!(error.reason(), "UNEXPECTED_ERROR");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("not sent"));
        eventually("the rest is discarded", || recorder.stats().discarded == 4);
        eventually("the cleanup runs", || hook_log.count("stopped") == 1);
        assert_eq!(recorder.status(), Failure);
    });
}

/// A publisher that hooks open, feed and close.
#[derive(Clone, Default)]
struct Publisher(Arc<Mutex<Option<Vec<u64>>>>, Arc<Mutex<Vec<u64>>>);

impl ChangeListener for Publisher {
    async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
        let total = change.typed_snapshot::<Steps>().ok_or("not a `Steps`")?.total;
        tokio::task::yield_now().await;
        self.0.lock().expect("not poisoned").as_mut().ok_or("not open")?.push(total);
        Ok(())
    }
}

impl RecorderHooks for Publisher {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        *self.0.lock().expect("not poisoned") = Some(Vec::new());
        Ok(())
    }
    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        let sent = self.0.lock().expect("not poisoned").take().ok_or("not open")?;
        *self.1.lock().expect("not poisoned") = sent;
        Ok(())
    }
}

#[test]
fn hk6_a_publisher_sees_every_change_in_order() {
    bounded(|| {
        let runtime = running_runtime("hk6");
        let publisher = Publisher::default();
        let recorder = with_hooks(&runtime, publisher.clone());
        for _ in 0..2 {
            for step in 0..1_000 {
                recorder.register_event(Step(step)).expect("accepted");
            }
            recorder.stop().wait().expect("stops");
            assert!(publisher.0.lock().expect("not poisoned").is_none(), "closed");
            recorder.start().wait().expect("starts");
        }
        runtime.shutdown().expect("shuts down");
        let sent = publisher.1.lock().expect("not poisoned").clone();
        assert!(sent.is_empty(), "the last run had no events");
        assert_eq!(Steps::total(&recorder), 2_000);
    });
}

#[test]
fn hk6_the_publisher_of_one_run_gets_exactly_its_changes() {
    bounded(|| {
        let runtime = running_runtime("hk6");
        let publisher = Publisher::default();
        let recorder = with_hooks(&runtime, publisher.clone());
        for step in 0..1_000 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        runtime.shutdown().expect("shuts down");
        assert_eq!(*publisher.1.lock().expect("not poisoned"), (1..=1_000).collect::<Vec<_>>());
    });
}

/// The results of calls inside a hook: the reason code, or `ok`.
type Answers = Arc<Mutex<Vec<(&'static str, &'static str)>>>;

fn reason<T>(result: Result<T, mvx_metrics::MetricsRuntimeError>) -> &'static str {
    result.map_or_else(|error| error.reason(), |_| "ok")
}

fn recorder_reason<T>(result: Result<T, mvx_metrics::MetricsRecorderError>) -> &'static str {
    result.map_or_else(|error| error.reason(), |_| "ok")
}

#[test]
fn hk7_blocking_calls_in_a_hook_are_refused_at_once() {
    bounded(|| {
        let runtime = Arc::new(running_runtime("hk7"));
        let answers = Answers::default();
        let own = Arc::new(OnceLock::<MetricsRecorder>::new());
        let script = Script::new().changed(Act::call({
            let (runtime, answers, own) = (Arc::clone(&runtime), Arc::clone(&answers), Arc::clone(&own));
            move || {
                let own = own.get().expect("it was created before the event");
                answers.lock().expect("not poisoned").extend([
                    ("shutdown", reason(runtime.shutdown())),
                    ("create", reason(runtime.create_recorder("c"))),
                    (
                        "create with hooks",
                        reason(runtime.create_recorder_with(
                            "d",
                            RecorderOptions::new().hooks_and_listener(Script::new()),
                        )),
                    ),
                    ("stop_recorder", reason(runtime.stop_recorder("b"))),
                    ("stop_and_remove", reason(runtime.stop_and_remove_recorder("b"))),
                    ("own stop", recorder_reason(own.stop().wait())),
                    ("own flush", recorder_reason(own.flush().wait())),
                    // The calls from here on do not wait.
                    ("start", reason(runtime.start())),
                    ("get", reason(runtime.get_recorder("b"))),
                    ("try_get", reason(runtime.try_get_recorder("x"))),
                    ("list", reason(runtime.list_recorder_ids())),
                    ("own snapshots", recorder_reason(own.metric_snapshots())),
                    ("own metrics", recorder_reason(own.metrics())),
                ]);
            }
        }));
        let recorder = with_hooks(&runtime, script);
        own.set(recorder.clone()).expect("set once");
        runtime.create_recorder("b").expect("creates");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder stops", || recorder.status() == MetricsRecorderState::Stopped);
        let answers = answers.lock().expect("not poisoned").clone();
        let refused: Vec<_> = answers.iter().filter(|(_, answer)| *answer == "WOULD_DEADLOCK").collect();
        assert_eq!(refused.len(), 7, "{answers:?}");
        assert!(answers[7..].iter().all(|(_, answer)| *answer == "ok"), "{answers:?}");
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["a", "b"]);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hk7_another_recorder_is_read_and_fed_from_a_hook() {
    bounded(|| {
        let runtime = running_runtime("hk7");
        let other = runtime.create_recorder("b").expect("creates");
        other.register_metric(Steps::default()).expect("registers");
        let total = Arc::new(OnceLock::new());
        let script = Script::new().changed(Act::call({
            let (other, total) = (other.clone(), Arc::clone(&total));
            move || {
                other.register_event(Step(1)).expect("accepted");
                total.set(Steps::total(&other)).expect("set once");
            }
        }));
        let recorder = with_hooks(&runtime, script);
        recorder.register_event(Step(1)).expect("accepted");
        recorder.flush().wait().expect("flushes");
        assert_eq!((total.get(), recorder.status()), (Some(&1), Running));
    });
}

#[test]
fn hk7_a_hook_that_awaits_its_own_recorder_is_refused() {
    bounded(|| {
        let runtime = running_runtime("hk7");
        let answers = Answers::default();
        let own = Arc::new(OnceLock::<MetricsRecorder>::new());
        let script = Script::new().changed(Act::run({
            let (answers, own) = (Arc::clone(&answers), Arc::clone(&own));
            async move {
                let own = own.get().expect("it was created before the event");
                let flush = recorder_reason(own.flush().await);
                let stop = recorder_reason(own.stop().await);
                answers.lock().expect("not poisoned").extend([("flush", flush), ("stop", stop)]);
            }
        }));
        let recorder = with_hooks(&runtime, script);
        own.set(recorder.clone()).expect("set once");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder stops", || recorder.status() == MetricsRecorderState::Stopped);
        let expected = [("flush", "WOULD_DEADLOCK"), ("stop", "WOULD_DEADLOCK")];
        assert_eq!(*answers.lock().expect("not poisoned"), expected);
    });
}

#[test]
fn hk7_async_twins_in_a_hook_work_unless_they_wait_for_the_hook() {
    bounded(|| {
        let runtime = Arc::new(running_runtime("hk7"));
        let answers = Answers::default();
        let script = Script::new().changed(Act::run({
            let (answers, runtime) = (Arc::clone(&answers), Arc::clone(&runtime));
            async move {
                let shutdown = reason(runtime.shutdown_async().await);
                let create = reason(runtime.create_recorder_async("c").await);
                let options = RecorderOptions::new().hooks_and_listener(Script::new());
                let create_with = reason(runtime.create_recorder_with_async("d", options).await);
                let stop = reason(runtime.stop_recorder_async("c").await);
                let remove = reason(runtime.stop_and_remove_recorder_async("d").await);
                let own = reason(runtime.stop_recorder_async("a").await);
                answers.lock().expect("not poisoned").extend([
                    ("shutdown", shutdown),
                    ("create", create),
                    ("create with hooks", create_with),
                    ("stop", stop),
                    ("remove", remove),
                    ("stop itself", own),
                ]);
            }
        }));
        let recorder = with_hooks(&runtime, script);
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the hook has run", || answers.lock().expect("not poisoned").len() == 6);
        let expected = [
            ("shutdown", "WOULD_DEADLOCK"),
            ("create", "ok"),
            ("create with hooks", "ok"),
            ("stop", "ok"),
            ("remove", "ok"),
            ("stop itself", "WOULD_DEADLOCK"),
        ];
        assert_eq!(*answers.lock().expect("not poisoned"), expected);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn hk7_dropping_the_runtime_in_a_hook_does_not_hang() {
    bounded(|| {
        let runtime = running_runtime("hk7");
        let place = Arc::new(Mutex::new(None::<MetricsRuntime>));
        let script = Script::new().changed(Act::call({
            let place = Arc::clone(&place);
            move || drop(place.lock().expect("not poisoned").take())
        }));
        let recorder = with_hooks(&runtime, script);
        let other = runtime.create_recorder("b").expect("creates");
        *place.lock().expect("not poisoned") = Some(runtime);
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder ends", || recorder.status() == MetricsRecorderState::Cancelled);
        assert!(other.start().wait().is_err());
        other.emit(Step(1));
        eventually("the other one ends", || other.stats().pending == 0);
    });
}

#[test]
fn hk8_a_failing_cleanup_does_not_hide_the_first_error() {
    bounded(|| {
        for cleanup in [Act::Fail("not closed"), Act::Panic("not closed")] {
            let application = Direct::new();
            let script = Script::new().changed(Act::Fail("not sent")).stopped(cleanup);
            let hook_log = script.hook_log();
            let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_event(Step(1)).expect("accepted");
            eventually("the task ends", || application.tasks() == 0);
            assert_eq!((recorder.status(), hook_log.count("stopped")), (Failure, 1));
            let error = recorder.stop().wait().expect_err("it has failed");
            let cause = error.source().expect("a cause");
            assert_eq!(cause.source().map(ToString::to_string).as_deref(), Some("not sent"));
        }
    });
}
