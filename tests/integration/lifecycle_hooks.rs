//! Recorders with lifecycle hooks and without a listener: the event loop processes their events in batches, and the hooks run
//! before the first event and after the last one, whatever happens. Covers HX2.

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mvx_metrics::{
    EventBatch, EventHandler, HandleEvent, HookError, Metric, MetricFailurePolicy, MetricSnapshot,
    MetricsRecorder, MetricsRecorderError, MetricsRecorderState, MetricsRuntime, MetricsRuntimeError,
    MetricsRuntimeState, RecorderContext, RecorderHooks, RecorderOptions,
};
use mvx_metrics_tests::{
    Act, Direct, Drops, Fragile, Gate, Gated, HookLog, Journal, Script, Step, Steps, bounded, eventually,
    running_runtime,
};

use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Stopped, Stopping};

/// Where a recorder lives.
enum Home {
    Runtime(MetricsRuntime),
    Direct(Direct),
}

impl Home {
    fn both() -> [Self; 2] {
        [Self::Runtime(running_runtime("hx2")), Self::Direct(Direct::new())]
    }

    /// A started recorder that counts steps. The start may be in progress.
    fn recorder(&self, options: RecorderOptions) -> MetricsRecorder {
        let recorder = match self {
            Self::Runtime(runtime) => runtime.create_recorder_with("a", options).expect("creates"),
            Self::Direct(application) => {
                let recorder = application.recorder(options);
                recorder.start().wait().expect("starts");
                recorder
            }
        };
        recorder.register_metric(Steps::default()).expect("registers");
        recorder
    }
}

fn emit(recorder: &MetricsRecorder, steps: u64) {
    (0..steps).for_each(|step| recorder.emit(Step(step)));
}

/// Keeps the sizes of the batches it gets.
#[derive(Clone, Default)]
struct Batches(Arc<Mutex<Vec<usize>>>);

impl HandleEvent<Step> for Batches {
    fn handle(&mut self, _: &Step) -> bool {
        panic!("the recorder goes event by event");
    }

    fn handle_batch(&mut self, batch: EventBatch<'_, Step>) {
        self.0.lock().expect("not poisoned").push(batch.count());
    }
}

impl Metric for Batches {
    fn metric_name(&self) -> &'static str {
        "batches"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("batches")
    }
}

#[test]
fn hx2_events_are_applied_in_batches() {
    bounded(|| {
        let runtime = running_runtime("hx2");
        let gate = Gate::new();
        let blocker = runtime.create_recorder("blocker").expect("creates");
        blocker.register_metric(Gated(gate.clone())).expect("registers");
        let options = RecorderOptions::new().hooks(Script::new());
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        let batches = Batches::default();
        recorder.register_metric(batches.clone()).expect("registers");
        // The runtime's thread is busy until all events are there.
        blocker.emit(Step(0));
        gate.wait_for_arrival();
        emit(&recorder, 200);
        gate.open();
        recorder.flush().wait().expect("flushes");
        assert_eq!(batches.0.lock().expect("not poisoned").iter().sum::<usize>(), 200);
        assert!(*batches.0.lock().expect("not poisoned").iter().max().expect("a batch") > 50);
    });
}

#[test]
fn hx2_no_event_is_applied_before_on_starting_has_ended_and_other_recorders_go_on() {
    bounded(|| {
        // More than a quarter of the queue is pending meanwhile, so that producers ask for turns.
        for pending in [5, 900] {
            let gate = Gate::new();
            let runtime = Arc::new(running_runtime("hx2"));
            let script = Script::new().starting(Act::Pass).starting(Act::Wait(gate.clone()));
            let options = RecorderOptions::new().queue_max_size(1_000).hooks(script);
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            let journal = Journal::new();
            recorder.register_metric(journal.clone()).expect("registers");
            // The recorder has events just before its restart, so the event loop still has it.
            emit(&recorder, 3);
            recorder.stop().wait().expect("stops");
            let start = recorder.start();
            gate.wait_for_arrival();
            emit(&recorder, pending);

            let other = runtime.create_recorder("b").expect("creates");
            other.register_metric(Steps::default()).expect("registers");
            emit(&other, 10);
            assert_eq!(Steps::total(&other), 10);
            // A read does not wait for the hook, and processes nothing.
            assert_eq!(Steps::total(&recorder), 3);
            let stats = recorder.stats();
            assert_eq!((recorder.status(), stats.processed, stats.pending), (Starting, 3, pending));
            let flush = recorder.flush();
            assert!(!flush.is_finished());

            gate.open();
            start.wait().expect("starts");
            // No other thread has to ask for it.
            eventually("the event loop processes the events", || recorder.stats().pending == 0);
            flush.wait().expect("flushes");
            assert_eq!(journal.numbers(), (0..3).chain(0..pending).collect::<Vec<_>>());
        }
    });
}

#[test]
fn hx2_a_full_queue_drops_events_while_on_starting_runs() {
    bounded(|| {
        for home in Home::both() {
            let gate = Gate::new();
            let script = Script::new().starting(Act::Pass).starting(Act::Wait(gate.clone()));
            let recorder = home.recorder(RecorderOptions::new().queue_max_size(10).hooks(script));
            recorder.stop().wait().expect("stops");
            let start = recorder.start();
            (0..30).for_each(|step| recorder.emit(Step(step)));
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.dropped + stats.rejected, stats.pending), (10, 20, 10));
            gate.open();
            start.wait().expect("starts");
            recorder.flush().wait().expect("flushes");
            assert_eq!(Steps::total(&recorder), 10);
        }
    });
}

#[test]
fn hx2_a_reader_processes_the_events_itself_while_the_runtimes_thread_is_blocked() {
    bounded(|| {
        let gate = Gate::new();
        let runtime = running_runtime("hx2");
        let blocker = runtime.create_recorder("blocker").expect("creates");
        blocker.register_metric(Gated(gate.clone())).expect("registers");
        let script = Script::new();
        let hook_log = script.hook_log();
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        blocker.emit(Step(0));
        gate.wait_for_arrival();
        emit(&recorder, 10);
        assert_eq!(Steps::total(&recorder), 10);
        // Its hook runs on the runtime's thread only.
        let stop = recorder.stop();
        assert_eq!((recorder.status(), hook_log.count("stopped")), (Stopping, 0));
        gate.open();
        stop.wait().expect("stops");
        assert_eq!(hook_log.count("stopped"), 1);
    });
}

#[test]
fn hx2_on_stopped_runs_once_after_the_last_event_and_the_stop_waits_for_it() {
    bounded(|| {
        for home in Home::both() {
            let gate = Gate::new();
            let script = Script::new().stopped(Act::Wait(gate.clone()));
            let hook_log = script.hook_log();
            let recorder = home.recorder(RecorderOptions::new().hooks(script));
            emit(&recorder, 1_000);
            let stop = recorder.stop();
            gate.wait_for_arrival();
            assert_eq!((recorder.status(), recorder.stats().processed), (Stopping, 1_000));
            // Reads, flushes and further stops see the state as it is.
            assert_eq!(Steps::total(&recorder), 1_000);
            recorder.flush().wait().expect("nothing is pending");
            let second = recorder.stop();
            assert!(!stop.is_finished() && !second.is_finished());
            assert!(recorder.register_event(Step(1)).is_err());
            gate.open();
            stop.wait().expect("stops");
            second.wait().expect("joins the stop");
            assert_eq!(
                (recorder.status(), hook_log.entries()),
                (Stopped, vec!["starting".into(), "stopped".into()])
            );
            // A second run has its own calls.
            recorder.start().wait().expect("starts again");
            emit(&recorder, 10);
            recorder.stop().wait().expect("stops again");
            assert_eq!((Steps::total(&recorder), hook_log.count("stopped")), (1_010, 2));
        }
    });
}

#[test]
fn hx2_a_recorder_is_started_and_stopped_many_times_with_events_in_between() {
    bounded(|| {
        for home in Home::both() {
            let script = Script::new();
            let hook_log = script.hook_log();
            let recorder = home.recorder(RecorderOptions::new().hooks(script));
            let journal = Journal::new();
            recorder.register_metric(journal.clone()).expect("registers");
            for round in 0..200 {
                // The first event of a run comes while `on_starting` may still run.
                recorder.register_event(Step(2 * round)).expect("accepted");
                while recorder.status() != Running {
                    std::thread::yield_now();
                }
                recorder.register_event(Step(2 * round + 1)).expect("accepted");
                recorder.stop().wait().expect("stops");
                assert_eq!(recorder.stats().pending, 0);
                drop(recorder.start());
            }
            assert_eq!(journal.numbers(), (0..400).collect::<Vec<_>>());
            assert_eq!(hook_log.count("stopped"), 200);
        }
    });
}

#[test]
fn hx2_dropping_the_last_handle_runs_on_stopped_after_the_events_also_while_starting() {
    bounded(|| {
        for while_starting in [false, true] {
            let runtime = running_runtime("hx2");
            let application = Direct::new();
            let gate = Gate::new();
            let drops = Drops::new();
            for in_runtime in [true, false] {
                let script = Script::new();
                let script = if while_starting { script.starting(Act::Wait(gate.clone())) } else { script };
                let hook_log = script.hook_log();
                let options = RecorderOptions::new().hooks(script);
                let recorder = if in_runtime && !while_starting {
                    let recorder = runtime.create_recorder_with("a", options).expect("creates");
                    drop(runtime.stop_and_remove_recorder("a").expect("removes"));
                    recorder.start().wait().expect("starts again");
                    recorder
                } else {
                    application.recorder(options)
                };
                let stops = hook_log.count("stopped");
                let journal = Journal::new();
                recorder.register_metric(journal.clone()).expect("registers");
                (0..100).for_each(|_| recorder.emit(drops.event()));
                emit(&recorder, 100);
                drop(recorder);
                gate.open();
                eventually("it stops", || hook_log.count("stopped") == stops + 1);
                assert_eq!(journal.numbers().len(), 100);
            }
            eventually("the events are dropped", || drops.dropped() == drops.made());
            eventually("the tasks end", || application.tasks() == 0);
        }
    });
}

type Answers = Arc<Mutex<Vec<&'static str>>>;

#[test]
fn hx2_blocking_calls_in_lifecycle_hooks_are_refused_and_reads_work() {
    /// It takes its recorder when it is called, so it does not keep the recorder that keeps it.
    struct Calls {
        runtime: Arc<MetricsRuntime>,
        own: Arc<Mutex<Option<MetricsRecorder>>>,
        answers: Answers,
    }

    fn reason<T>(result: Result<T, MetricsRecorderError>) -> &'static str {
        result.map_or_else(|error| error.reason(), |_| "ok")
    }

    fn of_runtime(result: Result<(), MetricsRuntimeError>) -> &'static str {
        result.map_or_else(|error| error.reason(), |()| "ok")
    }

    impl RecorderHooks for Calls {
        async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
            let own = self.own.lock().expect("not poisoned").take().ok_or("set before the stop")?;
            let answers = [
                of_runtime(self.runtime.shutdown()),
                of_runtime(self.runtime.stop_recorder("b")),
                reason(own.stop().wait()),
                reason(own.stop().await),
                reason(own.metric_snapshots()),
                reason(own.flush().wait()),
                of_runtime(self.runtime.stop_recorder_async("b").await),
            ];
            self.answers.lock().expect("not poisoned").extend(answers);
            Ok(())
        }
    }

    bounded(|| {
        let runtime = Arc::new(running_runtime("hx2"));
        let (own, answers) = (Arc::default(), Answers::default());
        let calls =
            Calls { runtime: Arc::clone(&runtime), own: Arc::clone(&own), answers: Arc::clone(&answers) };
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(calls)).expect("creates");
        runtime.create_recorder("b").expect("creates");
        *own.lock().expect("not poisoned") = Some(recorder.clone());
        emit(&recorder, 10);
        runtime.stop_and_remove_recorder("a").expect("stops");
        let deadlock = "WOULD_DEADLOCK";
        let expected = [deadlock, deadlock, deadlock, deadlock, "ok", "ok", "ok"];
        assert_eq!(*answers.lock().expect("not poisoned"), expected);
    });
}

#[test]
fn hx2_an_on_starting_that_fails_fails_the_start_and_is_cleaned_up() {
    bounded(|| {
        for (act, text) in
            [(Act::Fail("not opened"), "not opened"), (Act::Panic("not opened"), "panicked: not opened")]
        {
            let runtime = running_runtime("hx2");
            let script = Script::new().starting(act);
            let hook_log = script.hook_log();
            let options = RecorderOptions::new().hooks(script);
            let error = runtime.create_recorder_with("a", options).expect_err("the hook fails");
            assert_eq!(error.reason(), "RECORDER_STARTUP_ERROR");
            let hook = error.source().expect("a cause").source().expect("the error of the hook");
            assert_eq!(hook.to_string(), text);
            eventually("the cleanup runs", || hook_log.count("stopped") == 1);
            runtime.create_recorder("a").expect("the id is free");
            runtime.shutdown().expect("shuts down");
            assert_eq!(hook_log.count("stopped"), 1);
        }
    });
}

#[test]
fn hx2_a_restart_whose_on_starting_fails_discards_the_events_accepted_meanwhile() {
    bounded(|| {
        for home in Home::both() {
            let gate = Gate::new();
            let script =
                Script::new().starting(Act::Pass).starting(Act::WaitAndFail(gate.clone(), "not opened"));
            let hook_log = script.hook_log();
            let recorder = home.recorder(RecorderOptions::new().hooks(script));
            emit(&recorder, 5);
            recorder.stop().wait().expect("stops");
            let start = recorder.start();
            let drops = Drops::new();
            (0..7).for_each(|_| recorder.emit(drops.event()));
            let flush = recorder.flush();
            gate.open();
            assert_eq!(start.wait().expect_err("the hook fails").reason(), "ON_STARTING_HOOK_FAILED");
            assert_eq!(
                flush.wait().expect_err("the events are discarded").reason(),
                "INVALID_RECORDER_STATE"
            );
            eventually("the cleanup runs", || hook_log.count("stopped") == 2);
            let stats = recorder.stats();
            assert_eq!((stats.processed, stats.discarded, drops.dropped()), (5, 7, 7));
            assert_eq!((recorder.status(), Steps::total(&recorder)), (Failure, 5));
        }
    });
}

#[test]
fn hx2_an_on_stopped_that_fails_fails_the_stop() {
    bounded(|| {
        for (act, text) in
            [(Act::Fail("not closed"), "not closed"), (Act::Panic("not closed"), "panicked: not closed")]
        {
            let runtime = running_runtime("hx2");
            let script = Script::new().stopped(act);
            let hook_log = script.hook_log();
            let recorder =
                runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            emit(&recorder, 100);
            let error = recorder.stop().wait().expect_err("the hook fails");
            assert_eq!(error.reason(), "ON_STOPPED_HOOK_FAILED");
            assert_eq!(error.source().map(ToString::to_string).as_deref(), Some(text));
            assert_eq!((recorder.status(), Steps::total(&recorder)), (Failure, 100));
            assert_eq!(hook_log.count("stopped"), 1);
        }
    });
}

#[test]
fn hx2_a_failing_metric_is_cleaned_up_once_also_when_the_stop_waits_for_its_events() {
    bounded(|| {
        for (home, stops) in
            Home::both().into_iter().zip([true, true]).chain(Home::both().into_iter().zip([false, false]))
        {
            let gate = Gate::new();
            let script = Script::new().stopped(Act::Fail("not closed"));
            let hook_log = script.hook_log();
            let options =
                RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder).hooks(script);
            let recorder = home.recorder(options);
            recorder.register_metric(Gated(gate.clone())).expect("registers");
            recorder.register_metric(Fragile::at(1)).expect("registers");
            emit(&recorder, 3);
            gate.wait_for_arrival();
            emit(&recorder, 3);
            let stop = stops.then(|| recorder.stop());
            gate.open();
            if let Some(stop) = stop {
                // The error of the cleanup does not replace it.
                assert_eq!(stop.wait().expect_err("a metric fails").reason(), "METRIC_FAILED");
            }
            eventually("the cleanup runs", || hook_log.count("stopped") == 1);
            let stats = recorder.stats();
            assert_eq!((recorder.status(), stats.pending), (Failure, 0));
            let cause = recorder.stop().wait().expect_err("it has failed");
            assert!(cause.source().expect("a cause").to_string().contains("fragile"), "{cause:?}");
            assert_eq!(hook_log.count("stopped"), 1);
        }
    });
}

/// A runtime whose hooks may take a second, in which a recorder starts and stops on any machine.
fn hasty_runtime() -> MetricsRuntime {
    let timeout = Duration::from_secs(1);
    let runtime = MetricsRuntime::builder("hx2").startup_timeout(timeout).shutdown_timeout(timeout);
    let runtime = runtime.build().expect("valid options");
    runtime.start().expect("starts");
    runtime
}

fn stopped_names(result: Result<(), MetricsRuntimeError>) -> Vec<String> {
    match result {
        Err(MetricsRuntimeError::Shutdown { recorders, timed_out: false }) => {
            recorders.into_iter().map(|(id, _)| id).collect()
        }
        other => panic!("one recorder does not stop: {other:?}"),
    }
}

fn cancelled_with(hook_log: &HookLog, recorder: &MetricsRecorder, entries: &[&str]) {
    eventually("it is cancelled", || recorder.status() == Cancelled);
    assert_eq!(hook_log.entries(), entries);
    assert_eq!(recorder.stats().pending, 0);
}

#[test]
fn hx2_an_on_starting_that_never_ends_is_given_up_and_ends_with_the_runtime() {
    bounded(|| {
        let runtime = hasty_runtime();
        let script = Script::new().starting(Act::Never);
        let hooks = Arc::new(script);
        let options = RecorderOptions::new().hooks(Arc::clone(&hooks));
        let error = runtime.create_recorder_with("a", options).expect_err("the hook takes too long");
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.contains("to start"), "{cause}");
        runtime.shutdown().expect("no recorder is registered");
        drop(runtime);
        eventually("the hooks are dropped", || Arc::strong_count(&hooks) == 1);
    });
}

#[test]
fn hx2_a_shutdown_while_the_on_starting_of_a_restart_hangs_names_the_recorder() {
    bounded(|| {
        let runtime = hasty_runtime();
        let script = Script::new().starting(Act::Pass).starting(Act::Never);
        let hook_log = script.hook_log();
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        recorder.stop().wait().expect("stops");
        let start = recorder.start();
        emit(&recorder, 10);
        assert_eq!(stopped_names(runtime.shutdown()), ["a"]);
        cancelled_with(&hook_log, &recorder, &["starting", "stopped", "starting"]);
        assert_eq!(start.wait().expect_err("it is cancelled").reason(), "DISPATCHER_UNEXPECTEDLY_CANCELLED");
        assert_eq!(recorder.stats().discarded, 10);
    });
}

#[test]
fn hx2_a_shutdown_while_on_stopped_hangs_names_the_recorder() {
    bounded(|| {
        let runtime = hasty_runtime();
        let script = Script::new().stopped(Act::Never);
        let hook_log = script.hook_log();
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        emit(&recorder, 10);
        let stop = recorder.stop();
        assert_eq!(stopped_names(runtime.shutdown()), ["a"]);
        cancelled_with(&hook_log, &recorder, &["starting", "stopped"]);
        assert_eq!(stop.wait().expect_err("it is cancelled").reason(), "DISPATCHER_UNEXPECTEDLY_CANCELLED");
        assert_eq!(Steps::total(&recorder), 10);
        assert_eq!(recorder.start().wait().expect_err("it is final").reason(), "INVALID_RECORDER_STATE");
    });
}

#[test]
fn hx2_a_cleanup_that_hangs_delays_nothing_but_itself() {
    bounded(|| {
        let runtime = hasty_runtime();
        let script = Arc::new(Script::new().stopped(Act::Never));
        let hook_log = script.hook_log();
        let options = RecorderOptions::new()
            .metric_failure_policy(MetricFailurePolicy::FailRecorder)
            .hooks(Arc::clone(&script));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Fragile::at(0)).expect("registers");
        emit(&recorder, 1);
        eventually("the cleanup runs", || hook_log.count("stopped") == 1);
        let other = runtime.create_recorder("b").expect("creates");
        other.register_metric(Steps::default()).expect("registers");
        emit(&other, 10);
        assert_eq!((Steps::total(&other), recorder.status()), (10, Failure));
        assert_eq!(stopped_names(runtime.shutdown()), ["a"]);
        drop((recorder, runtime));
        eventually("the hooks are dropped", || Arc::strong_count(&script) == 1);
    });
}

#[test]
fn hx2_a_shutdown_waits_for_the_cleanup_of_a_recorder_that_has_failed() {
    bounded(|| {
        let (runtime, gate) = (running_runtime("hx2"), Gate::new());
        let script = Script::new();
        let hook_log = script.hook_log();
        let cleanup = {
            let (gate, hook_log) = (gate.clone(), hook_log.clone());
            async move {
                gate.pass().await;
                hook_log.write("cleaned up");
            }
        };
        let options = RecorderOptions::new()
            .metric_failure_policy(MetricFailurePolicy::FailRecorder)
            .hooks(script.stopped(Act::run(cleanup)));
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Fragile::at(0)).expect("registers");
        emit(&recorder, 1);
        gate.wait_for_arrival();
        thread::scope(|scope| {
            let shutdown = scope.spawn(|| stopped_names(runtime.shutdown()));
            eventually("the shutdown begins", || runtime.status() != MetricsRuntimeState::Running);
            gate.open();
            assert_eq!(shutdown.join().expect("no panic"), ["a"]);
        });
        assert_eq!(hook_log.entries(), ["starting", "stopped", "cleaned up"]);
    });
}

#[test]
fn hx2_the_end_of_the_applications_tokio_runtime_ends_a_recorder_in_its_hooks() {
    bounded(|| {
        for (script, entries) in [
            (Script::new().starting(Act::Never), &["starting"][..]),
            (Script::new().stopped(Act::Never), &["starting", "stopped"]),
        ] {
            let mut application = Direct::new();
            let hook_log = script.hook_log();
            let recorder = application.recorder(RecorderOptions::new().hooks(script));
            let start = recorder.start();
            let stop = (entries.len() == 2).then(|| {
                start.clone().wait().expect("starts");
                recorder.stop()
            });
            eventually("the hook runs", || hook_log.entries().len() == entries.len());
            application.end();
            let ongoing = stop.unwrap_or(start);
            assert_eq!(
                ongoing.wait().expect_err("it is cancelled").reason(),
                "DISPATCHER_UNEXPECTEDLY_CANCELLED"
            );
            cancelled_with(&hook_log, &recorder, entries);
        }
    });
}

#[test]
fn hx2_a_runtime_that_is_dropped_in_a_hook_cancels_the_recorder() {
    bounded(|| {
        let place = Arc::new(Mutex::new(None::<MetricsRuntime>));
        let script = Script::new().stopped(Act::call({
            let place = Arc::clone(&place);
            move || drop(place.lock().expect("not poisoned").take())
        }));
        let runtime = running_runtime("hx2");
        let recorder =
            runtime.create_recorder_with("a", RecorderOptions::new().hooks(script)).expect("creates");
        let other = runtime.create_recorder("b").expect("creates");
        *place.lock().expect("not poisoned") = Some(runtime);
        drop(recorder.stop());
        eventually("it ends", || [Stopped, Cancelled].contains(&recorder.status()));
        eventually("the other one ends", || other.start().wait().is_err());
    });
}

#[test]
fn hx2_in_a_single_threaded_tokio_runtime_reads_and_flushes_work_and_a_blocking_stop_is_refused() {
    mvx_metrics_tests::bounded_async(|| async {
        let options = RecorderOptions::new().hooks(Script::new());
        let recorder = MetricsRecorder::new("direct", options).expect("inside of tokio");
        recorder.register_metric(Steps::default()).expect("registers");
        let start = recorder.start();
        assert_eq!(start.clone().wait().expect_err("this thread runs the hook").reason(), "WOULD_DEADLOCK");
        emit(&recorder, 1);
        let flush = recorder.flush();
        assert_eq!(flush.wait().expect_err("`on_starting` comes first").reason(), "WOULD_DEADLOCK");
        start.await.expect("starts");
        emit(&recorder, 9);
        assert_eq!(Steps::total(&recorder), 10);
        recorder.flush().wait().expect("flushes");
        let stop = recorder.stop();
        assert_eq!(stop.clone().wait().expect_err("this thread runs the hook").reason(), "WOULD_DEADLOCK");
        stop.await.expect("stops");
    });
}
