//! RC, FL: user code that calls back, from wherever it runs.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use mvx_metrics::{
    EventHandler, HandleEvent, Metric, MetricEvent, MetricSnapshot, MetricsRecorder, MetricsRecorderState,
    QueueOverflowPolicy, RecorderOptions,
};
use mvx_metrics_tests::{
    Direct, Drops, Gate, Gated, Script, Step, Steps, bounded, eventually, running_runtime,
};

/// What calls answered: `ok`, or the reason.
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
fn fl4_an_event_that_calls_its_recorder_when_it_is_dropped() {
    bounded(|| {
        for hooks in [false, true] {
            let application = Direct::new();
            let runtime = running_runtime("fl4");
            let options =
                || if hooks { RecorderOptions::new().hooks(Script::new()) } else { RecorderOptions::new() };
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
fn fl4_a_dropped_event_calls_its_recorder_on_the_producers_thread() {
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
        // Whether there is room already or not: the calls are the producer's or the loop's, and all of them are answered.
        for _ in 0..10 {
            let event = CallsOnDrop { recorder: recorder.clone(), answers: Arc::clone(&answers) };
            recorder.emit(event);
        }
        eventually("all calls are answered", || answers.lock().expect("not poisoned").len() == 40);
    });
}

#[test]
fn fl5_a_metric_that_hands_events_to_its_own_recorder() {
    /// Gives the recorder up with the last event: as long as it holds it, each keeps the other.
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
            let options = if hooks { options.hooks(Script::new()) } else { options };
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
fn fl5_an_event_that_panics_in_its_drop_while_the_thread_unwinds() {
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

    /// States in its drop what has happened, as guards do.
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
fn rc18_all_calls_from_a_thread_that_is_about_to_end() {
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
        let options = RecorderOptions::new().hooks(Script::new());
        let recorders = [
            application.recorder(RecorderOptions::new()),
            application.recorder(RecorderOptions::new().hooks(Script::new())),
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
fn rc18_handles_go_to_other_threads_and_through_unwinding() {
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
        let recorder = application.recorder(RecorderOptions::new().hooks(script));
        let handle = recorder.start();
        let others: Vec<_> = (0..4).map(|_| handle.clone()).collect();
        assert!(others.iter().all(|other| !other.is_over()));
        gate.open();
        handle.wait().expect("starts");
        for other in others {
            assert!(other.is_over());
            application.tokio().block_on(other).expect("has started");
        }
    });
}
