//! User code that calls its recorder or runtime back: from handlers, `Drop` of events, hooks and ending threads.
//! Covers RC17, RC18, HK7, FL4, FL5, `RT_C8`.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    EventHandler, HandleEvent, Metric, MetricEvent, MetricSnapshot, MetricsRecorder, MetricsRecorderState,
    QueueOverflowPolicy, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Drops, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded, eventually,
    running_runtime,
};

/// The results of calls: `ok`, or the reason code.
type Answers = Arc<Mutex<Vec<&'static str>>>;

fn answer<T>(result: Result<T, mvx_metrics::MetricsRecorderError>) -> &'static str {
    result.map_or_else(|error| error.reason(), |_| "ok")
}

/// An event that calls its recorder when it is dropped.
struct CallsOnDrop {
    recorder: MetricsRecorder,
    answers: Answers,
}

impl MetricEvent for CallsOnDrop {
    const EVENT_TYPE: &'static str = "calls_on_drop";
}

impl Drop for CallsOnDrop {
    fn drop(&mut self) {
        self.recorder.emit(Step(1));
        let answers = [
            answer(self.recorder.metric_snapshots()),
            answer(self.recorder.register_metric(Steps::default())),
            answer(self.recorder.flush().wait()),
            answer(self.recorder.stop().wait()),
        ];
        self.answers.lock().expect("not poisoned").extend(answers);
    }
}

#[test]
fn fl4_an_event_that_calls_its_recorder_in_its_drop_is_answered() {
    bounded(|| {
        for hooks in [false, true] {
            let application = Direct::new();
            let runtime = running_runtime("fl4");
            let options = || {
                if hooks {
                    RecorderOptions::new().hooks_and_listener(Script::new())
                } else {
                    RecorderOptions::new()
                }
            };
            let created = runtime.create_recorder_with("a", options()).expect("creates");
            for recorder in [created, application.recorder(options())] {
                recorder.register_metric(Steps::default()).expect("registers");
                recorder.start().wait().ok();
                let answers = Answers::default();
                let event = CallsOnDrop { recorder: recorder.clone(), answers: Arc::clone(&answers) };
                recorder.register_event(event).expect("accepted");
                eventually("the recorder stops", || recorder.status() == MetricsRecorderState::Stopped);
                assert_eq!(*answers.lock().expect("not poisoned"), ["WOULD_DEADLOCK"; 4]);
                assert_eq!(Steps::total(&recorder), 1, "the event that it handed over before the stop");
                let stats = recorder.stats();
                assert_eq!((stats.accepted, stats.processed), (2, 2));
            }
        }
    });
}

#[test]
fn fl4_a_dropped_event_may_call_its_recorder_on_the_producers_thread() {
    bounded(|| {
        let runtime = running_runtime("fl4");
        let policy = QueueOverflowPolicy::Drop;
        let options = RecorderOptions::new().queue_max_size(1).queue_overflow_policy(policy);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_event(Step(0)).expect("accepted");
        gate.wait_for_arrival();
        let answers = Answers::default();
        gate.open();
        // If the queue has room, the event loop drops the event, else the producer does. In both cases its calls are answered.
        for _ in 0..10 {
            let event = CallsOnDrop { recorder: recorder.clone(), answers: Arc::clone(&answers) };
            recorder.emit(event);
        }
        eventually("all calls are answered", || answers.lock().expect("not poisoned").len() == 40);
    });
}

#[test]
fn fl5_a_metric_may_emit_to_its_own_recorder() {
    /// Drops its recorder at the last event, because a metric that owns its recorder keeps both alive.
    struct EmitsToItself(Option<MetricsRecorder>);

    impl HandleEvent<Step> for EmitsToItself {
        fn handle(&mut self, event: &Step) -> bool {
            if event.0 > 0 {
                let recorder = self.0.as_ref().expect("this is not the last event");
                recorder.emit(Step(event.0 - 1));
            } else {
                self.0 = None;
            }
            true
        }
    }

    impl Metric for EmitsToItself {
        fn metric_name(&self) -> &'static str {
            "emits_to_itself"
        }
        fn handlers() -> &'static [EventHandler<Self>] {
            const { &[EventHandler::of::<Step>()] }
        }
        fn snapshot(&self) -> MetricSnapshot {
            MetricSnapshot::of_static("emits_to_itself")
        }
    }

    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("fl5");
            let options = RecorderOptions::new().queue_max_size(4);
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_metric(EmitsToItself(Some(recorder.clone()))).expect("registers");
            recorder.register_event(Step(1_000)).expect("accepted");
            eventually("the last event is processed", || recorder.stats().processed == 1_001);
            assert_eq!(Steps::total(&recorder), 1_001);
            runtime.shutdown().expect("shuts down");
        }
    });
}

#[test]
fn fl5_an_event_whose_drop_panics_while_the_thread_unwinds_harms_nothing() {
    struct PanicsOnDrop(Drops);

    impl MetricEvent for PanicsOnDrop {
        const EVENT_TYPE: &'static str = "panics_on_drop";
    }

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            drop(self.0.event());
            panic!("the drop of the event panics");
        }
    }

    /// A guard that emits in its `Drop`.
    struct Guard(MetricsRecorder, Drops);

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.emit(PanicsOnDrop(self.1.clone()));
            self.0.emit(Step(1));
        }
    }

    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        recorder.register_metric(Steps::default()).expect("registers");
        let drops = Drops::new();
        for stopped in [false, true] {
            let guard = Guard(recorder.clone(), drops.clone());
            let unwound = std::panic::catch_unwind(move || {
                let _guard = guard;
                panic!("the component panics");
            });
            unwound.expect_err("it panicked");
            assert_eq!(Steps::total(&recorder), 1);
            if !stopped {
                recorder.stop().wait().expect("stops");
            }
        }
        assert_eq!((drops.dropped(), recorder.stats().rejected), (2, 2));
    });
}

#[test]
fn rc18_all_calls_succeed_in_thread_locals_destructors() {
    struct CallsAtThreadExit(MetricsRecorder, Answers);

    impl Drop for CallsAtThreadExit {
        fn drop(&mut self) {
            self.0.emit(Step(1));
            let answers = [
                answer(self.0.register_metric(Steps::named("late"))),
                answer(self.0.flush().wait()),
                answer(self.0.metric_snapshots()),
                answer(self.0.stop().wait()),
                answer(self.0.start().wait()),
            ];
            self.1.lock().expect("not poisoned").extend(answers);
        }
    }

    thread_local! {
        static AT_THREAD_EXIT: RefCell<Option<CallsAtThreadExit>> = const { RefCell::new(None) };
    }

    bounded(|| {
        let application = Direct::new();
        let runtime = running_runtime("rc18");
        let options = RecorderOptions::new().hooks_and_listener(Script::new());
        let recorders = [
            application.recorder(RecorderOptions::new()),
            application.recorder(RecorderOptions::new().hooks_and_listener(Script::new())),
            runtime.create_recorder("plain").expect("creates"),
            runtime.create_recorder_with("hooked", options).expect("creates"),
        ];
        for recorder in recorders {
            recorder.start().wait().ok();
            recorder.register_metric(Steps::default()).expect("registers");
            let answers = Answers::default();
            let calls = CallsAtThreadExit(recorder.clone(), Arc::clone(&answers));
            let thread = std::thread::spawn(move || {
                AT_THREAD_EXIT.with(|place| *place.borrow_mut() = Some(calls));
            });
            thread.join().expect("the thread ends");
            assert_eq!(*answers.lock().expect("not poisoned"), ["ok"; 5]);
            assert_eq!(Steps::total(&recorder), 1);
        }
    });
}

#[test]
fn rc18_handles_are_send_sync_and_unwind_safe() {
    fn goes_anywhere<T: Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static>() {}

    goes_anywhere::<MetricsRecorder>();
    goes_anywhere::<mvx_metrics::MetricsRuntime>();
    goes_anywhere::<mvx_metrics::LifecycleHandle>();
    goes_anywhere::<mvx_metrics::testing::CaptureRecorder>();
}

#[test]
fn rc17_clones_of_a_handle_wait_for_the_same_operation() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(mvx_metrics_tests::Act::Wait(gate.clone()));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let handle = recorder.start();
        let others: Vec<_> = (0..4).map(|_| handle.clone()).collect();
        assert!(others.iter().all(|other| !other.is_finished()));
        gate.open();
        handle.wait().expect("starts");
        for other in others {
            assert!(other.is_finished());
            application.tokio().block_on(other).expect("has started");
        }
    });
}

#[test]
fn hk7_calls_of_a_stopping_recorder_in_its_hook_are_answered() {
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
        let recorder = runtime
            .create_recorder_with("a", RecorderOptions::new().hooks_and_listener(script))
            .expect("creates");
        *own.lock().expect("not poisoned") = Some(recorder);
        runtime.stop_recorder("a").expect("stops");
        let state = "INVALID_RECORDER_STATE";
        assert_eq!(
            *answers.lock().expect("not poisoned"),
            [state, state, "WOULD_DEADLOCK", "ok", state, "ok"]
        );
        assert_eq!(runtime.get_recorder("a").expect("it stays").status(), MetricsRecorderState::Stopped);
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
fn fl5_waiting_calls_of_a_metric_are_refused_and_others_answered() {
    bounded(|| {
        let runtime = Arc::new(running_runtime("fl5"));
        let answers = Arc::<Mutex<Vec<&'static str>>>::default();
        let recorder = runtime.create_recorder("a").expect("creates");
        let calls = {
            let (runtime, answers) = (Arc::clone(&runtime), Arc::clone(&answers));
            move || {
                let hooks = RecorderOptions::new().hooks_and_listener(Script::new());
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
