//! `register_event_blocking` and `register_event_async`: both wait for room in the queue.
//! Covers LO4 to LO8.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use mvx_metrics::{
    MetricEvent, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, MetricsRuntime,
    QueueOverflowPolicy, RecorderOptions, RegisterEventError,
};
use mvx_metrics_tests::fixtures::CallsOnce;
use mvx_metrics_tests::{
    Act, Direct, Drops, Fragile, Gate, Gated, HooksAndListener, Journal, Script, Step, Steps, bounded,
    bounded_async, eventually, in_threads, running_runtime,
};

use QueueOverflowPolicy::{Drop as DropEvents, Error as HandBack};

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(30);

fn options(limit: usize) -> RecorderOptions {
    RecorderOptions::new().queue_max_size(limit)
}

/// Fills the queue of a recorder. A handler waits at the gate.
fn fill(recorder: &MetricsRecorder, limit: usize) -> Gate {
    let gate = Gate::new();
    recorder.register_metric(Gated(gate.clone())).expect("registers");
    recorder.register_event(Step(0)).expect("there is room");
    gate.wait_for_arrival();
    for step in 1..limit {
        recorder.register_event(Step(step as u64)).expect("there is room");
    }
    assert_eq!(recorder.stats().pending, limit as u64);
    gate
}

/// A recorder of a runtime with a full queue, and a journal of its steps.
fn full(
    runtime: &MetricsRuntime,
    options: RecorderOptions,
    limit: usize,
) -> (MetricsRecorder, Gate, Journal) {
    let recorder = runtime.create_recorder_with("a", options.queue_max_size(limit)).expect("creates");
    let journal = Journal::new();
    recorder.register_metric(journal.clone()).expect("registers");
    let gate = fill(&recorder, limit);
    (recorder, gate, journal)
}

/// A waker that notes that it was called.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Flag {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn poll<F: Future>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }
}

/// Polls a future once.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn reason<E>(answer: Result<(), RegisterEventError<E>>) -> &'static str {
    answer.map_or_else(|refused| refused.reason(), |()| "ok")
}

/// Checks that every call was accepted, except so many.
#[track_caller]
fn assert_counts(recorder: &MetricsRecorder, accepted: u64, rejected: u64) {
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.rejected, stats.dropped), (accepted, rejected, 0));
}

#[test]
fn lo4_a_future_waits_for_room_under_either_policy() {
    bounded_async(|| async {
        for policy in [DropEvents, HandBack] {
            let runtime = running_runtime("lo4");
            let options = RecorderOptions::new().queue_overflow_policy(policy);
            let (recorder, gate, journal) = full(&runtime, options, 3);
            let mut waiting = pin!(recorder.register_event_async(Step(3)));
            assert!(poll(waiting.as_mut()).is_pending());
            gate.open();
            waiting.await.expect("there is room");
            recorder.flush().await.expect("flushes");
            assert_eq!(journal.numbers(), [0, 1, 2, 3]);
            assert_counts(&recorder, 4, 0);
            runtime.shutdown_async().await.expect("shuts down");
        }
    });
}

#[test]
fn lo4_the_events_of_a_task_keep_their_order() {
    bounded_async(|| async {
        let runtime = running_runtime("lo4");
        let recorder = runtime.create_recorder_with("a", options(16)).expect("creates");
        let journal = Journal::new();
        recorder.register_metric(journal.clone()).expect("registers");
        for step in 0..5_000 {
            recorder.register_event_async(Step(step)).await.expect("accepted");
        }
        recorder.flush().await.expect("flushes");
        assert_eq!(journal.numbers(), (0..5_000).collect::<Vec<_>>());
        assert_counts(&recorder, 5_000, 0);
    });
}

#[test]
fn lo4_producers_get_room_in_the_order_in_which_they_began_to_wait() {
    bounded_async(|| async {
        let runtime = running_runtime("lo4");
        let (recorder, gate, journal) = full(&runtime, RecorderOptions::new(), 1);
        let tasks: Vec<_> = (1..20)
            .map(|step| {
                let recorder = recorder.clone();
                tokio::spawn(async move { recorder.register_event_async(Step(step)).await })
            })
            .collect();
        // Every task is polled once, in this order.
        tokio::task::yield_now().await;
        gate.open();
        for task in tasks {
            task.await.expect("no panic").expect("accepted");
        }
        recorder.flush().await.expect("flushes");
        assert_eq!(journal.numbers(), (0..20).collect::<Vec<_>>());
    });
}

#[test]
fn lo4_a_cancelled_future_counts_nowhere_and_drops_its_event() {
    bounded(|| {
        let runtime = running_runtime("lo4");
        let (recorder, gate, journal) = full(&runtime, RecorderOptions::new(), 2);
        let drops = Drops::new();
        {
            let unpolled = recorder.register_event_async(drops.event());
            let mut waiting = Box::pin(recorder.register_event_async(drops.event()));
            assert!(poll(waiting.as_mut()).is_pending());
            assert_eq!(drops.dropped(), 0);
            drop((unpolled, waiting));
        }
        assert_eq!((drops.made(), drops.dropped()), (2, 2));
        gate.open();
        recorder.flush().wait().expect("flushes");
        assert_eq!(journal.numbers(), [0, 1]);
        assert_counts(&recorder, 2, 0);
    });
}

#[test]
fn lo4_a_future_that_is_cancelled_after_it_was_woken_lets_the_next_one_in() {
    bounded(|| {
        let runtime = running_runtime("lo4");
        let (recorder, gate, journal) = full(&runtime, RecorderOptions::new(), 1);
        let (first, second) = (Arc::<Flag>::default(), Arc::<Flag>::default());
        let mut cancelled = Box::pin(recorder.register_event_async(Step(7)));
        let mut waiting = Box::pin(recorder.register_event_async(Step(8)));
        assert!(first.poll(cancelled.as_mut()).is_pending());
        assert!(second.poll(waiting.as_mut()).is_pending());
        gate.open();
        eventually("there is room for the first", || first.is_set());
        drop(cancelled);
        assert!(second.is_set(), "by the one that leaves");
        assert!(matches!(second.poll(waiting.as_mut()), Poll::Ready(Ok(()))));
        recorder.flush().wait().expect("flushes");
        assert_eq!(journal.numbers(), [0, 8]);
        assert_counts(&recorder, 2, 0);
    });
}

#[test]
fn lo4_a_call_lines_up_behind_those_that_wait() {
    bounded(|| {
        let runtime = running_runtime("lo4");
        let (recorder, gate, journal) = full(&runtime, RecorderOptions::new(), 1);
        let flag = Arc::<Flag>::default();
        let mut first = Box::pin(recorder.register_event_async(Step(1)));
        assert!(flag.poll(first.as_mut()).is_pending());
        let mut second = Box::pin(recorder.register_event_async(Step(2)));
        assert!(poll(second.as_mut()).is_pending());
        gate.open();
        eventually("there is room", || flag.is_set());
        let mut third = Box::pin(recorder.register_event_async(Step(3)));
        assert!(poll(third.as_mut()).is_pending(), "the second is before it");
        assert!(matches!(flag.poll(first.as_mut()), Poll::Ready(Ok(()))));
        let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
        tokio.block_on(second).expect("accepted");
        tokio.block_on(third).expect("accepted");
        recorder.flush().wait().expect("flushes");
        assert_eq!(journal.numbers(), [0, 1, 2, 3]);
    });
}

#[test]
fn lo5_a_blocked_thread_waits_for_room_under_either_policy() {
    bounded(|| {
        for (policy, hooks) in [(DropEvents, false), (HandBack, false), (DropEvents, true)] {
            let runtime = running_runtime("lo5");
            let options = RecorderOptions::new().queue_overflow_policy(policy);
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let (recorder, gate, journal) = full(&runtime, options, 3);
            let waiting = std::thread::spawn({
                let recorder = recorder.clone();
                move || (3..100).try_for_each(|step| recorder.register_event_blocking(Step(step), LONG))
            });
            gate.open();
            waiting.join().expect("no panic").expect("accepted");
            recorder.flush().wait().expect("flushes");
            assert_eq!(journal.numbers(), (0..100).collect::<Vec<_>>());
            assert_counts(&recorder, 100, 0);
            runtime.shutdown().expect("shuts down");
        }
    });
}

#[test]
fn lo5_a_timeout_hands_the_event_back() {
    bounded(|| {
        let runtime = running_runtime("lo5");
        let (recorder, gate, _) = full(&runtime, RecorderOptions::new(), 3);
        for timeout in [Duration::ZERO, Duration::from_millis(5)] {
            let refused = recorder.register_event_blocking(Step(77), timeout).expect_err("it is full");
            assert_eq!(refused.reason(), "QUEUE_OVERFLOW");
            assert_eq!(refused.into_event(), Step(77));
        }
        assert_counts(&recorder, 3, 2);
        gate.open();
        recorder.flush().wait().expect("flushes");
        recorder.register_event_blocking(Step(3), Duration::ZERO).expect("there is room");
        recorder.register_event_blocking(Step(4), Duration::MAX).expect("there is room");
    });
}

#[test]
fn lo5_a_thread_that_gives_up_leaves_its_place_to_the_next() {
    bounded(|| {
        let runtime = running_runtime("lo5");
        let (recorder, gate, journal) = full(&runtime, RecorderOptions::new(), 1);
        let mut before = Box::pin(recorder.register_event_async(Step(1)));
        assert!(poll(before.as_mut()).is_pending());
        let refused = recorder.register_event_blocking(Step(77), Duration::from_millis(5));
        assert_eq!(reason(refused), "QUEUE_OVERFLOW");
        let flag = Arc::<Flag>::default();
        let mut after = Box::pin(recorder.register_event_async(Step(2)));
        assert!(flag.poll(after.as_mut()).is_pending());
        drop(before);
        gate.open();
        eventually("there is room", || flag.is_set());
        assert!(matches!(flag.poll(after.as_mut()), Poll::Ready(Ok(()))));
        recorder.flush().wait().expect("flushes");
        assert_eq!(journal.numbers(), [0, 2]);
    });
}

#[test]
fn lo5_both_calls_start_a_virgin() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(options(1));
        recorder.register_event_blocking(Step(1), LONG).expect("accepted");
        recorder.register_event_blocking(Step(2), LONG).expect("accepted");
        assert_eq!(recorder.status(), MetricsRecorderState::Running);
        let recorder = application.recorder(options(1).hooks_and_listener(Script::new()));
        application.tokio().block_on(async {
            for step in 0..3 {
                recorder.register_event_async(Step(step)).await.expect("accepted");
            }
        });
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.stats().processed, 3);
    });
}

#[test]
fn lo5_a_disabled_recorder_accepts_at_once() {
    let recorder = MetricsRecorder::disabled();
    for _ in 0..3 {
        recorder.register_event_blocking(Step(1), Duration::ZERO).expect("accepted");
        assert!(matches!(poll(pin!(recorder.register_event_async(Step(1)))), Poll::Ready(Ok(()))));
    }
}

#[test]
fn lo5_events_that_do_not_fit_a_slot_wait_too() {
    struct Large([u64; 32]);

    impl MetricEvent for Large {
        const EVENT_TYPE: &'static str = "large";
    }

    bounded(|| {
        let runtime = running_runtime("lo5");
        let (recorder, gate, _) = full(&runtime, RecorderOptions::new(), 2);
        let refused = recorder.register_event_blocking(Large([5; 32]), Duration::ZERO);
        assert_eq!(refused.expect_err("it is full").into_event().0, [5; 32]);
        gate.open();
        for _ in 0..50 {
            recorder.register_event_blocking(Large([5; 32]), LONG).expect("accepted");
        }
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.stats().processed, 52);
    });
}

/// The answers of both calls, made where this code runs.
fn both_answers(recorder: &MetricsRecorder) -> [&'static str; 2] {
    let blocking = reason(recorder.register_event_blocking(Step(7), LONG));
    match poll(pin!(recorder.register_event_async(Step(7)))) {
        Poll::Ready(answer) => [blocking, reason(answer)],
        Poll::Pending => [blocking, "pending"],
    }
}

/// A place for the answers that are given in user code.
type Answers = Arc<Mutex<Vec<[&'static str; 2]>>>;

/// A function that calls the recorder and keeps the answers. It gives its handle up.
fn ask(recorder: &MetricsRecorder, answers: &Answers) -> impl FnOnce() + Send + 'static {
    let (recorder, answers) = (recorder.clone(), Arc::clone(answers));
    move || answers.lock().expect("not poisoned").push(both_answers(&recorder))
}

#[test]
fn lo6_both_calls_would_deadlock_in_a_handler_only_if_the_queue_is_full() {
    bounded(|| {
        for (limit, answer) in [(1, "WOULD_DEADLOCK"), (3, "ok")] {
            let runtime = running_runtime("lo6");
            let recorder = runtime.create_recorder_with("a", options(limit)).expect("creates");
            let answers = Answers::default();
            recorder.register_metric(CallsOnce::new(ask(&recorder, &answers))).expect("registers");
            recorder.register_event(Step(0)).expect("accepted");
            recorder.flush().wait().expect("flushes");
            assert_eq!(*answers.lock().expect("not poisoned"), [[answer; 2]]);
            let rejected = if answer == "ok" { 0 } else { 2 };
            assert_counts(&recorder, 3 - rejected, rejected);
        }
    });
}

#[test]
fn lo6_both_calls_would_deadlock_in_a_hook_of_the_recorder() {
    bounded(|| {
        let runtime = running_runtime("lo6");
        let answers = Answers::default();
        let place = Arc::<Mutex<Option<MetricsRecorder>>>::default();
        let act = Act::call({
            let (place, answers) = (Arc::clone(&place), Arc::clone(&answers));
            move || {
                let recorder = place.lock().expect("not poisoned").take().expect("a recorder");
                ask(&recorder, &answers)();
            }
        });
        let recorder = runtime
            .create_recorder_with("a", options(1).hooks_and_listener(Script::new().changed(act)))
            .expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        *place.lock().expect("not poisoned") = Some(recorder.clone());
        recorder.register_event(Step(0)).expect("accepted");
        recorder.flush().wait().expect("flushes");
        assert_eq!(*answers.lock().expect("not poisoned"), [["WOULD_DEADLOCK"; 2]]);
    });
}

#[test]
fn lo6_on_the_runtimes_thread_a_future_may_wait_and_a_call_may_not_block() {
    bounded(|| {
        let runtime = running_runtime("lo6");
        let full = runtime.create_recorder_with("full", options(1)).expect("creates");
        let answers = Answers::default();
        let task = {
            let (full, answers) = (full.clone(), Arc::clone(&answers));
            async move {
                // This thread alone processes the event, so the queue stays full until this task waits.
                full.register_event(Step(0)).expect("accepted");
                ask(&full, &answers)();
                full.register_event_async(Step(1)).await.expect("accepted");
            }
        };
        let (done, ended) = std::sync::mpsc::channel();
        let spawn = Act::call(move || {
            tokio::spawn(async move {
                task.await;
                done.send(()).expect("the test waits");
            });
        });
        let hooks = Script::new().starting(spawn);
        runtime.create_recorder_with("spawns", RecorderOptions::new().hooks(hooks)).expect("creates");
        ended.recv().expect("the task ends");
        assert_eq!(*answers.lock().expect("not poisoned"), [["WOULD_DEADLOCK", "pending"]]);
        full.flush().wait().expect("flushes");
        assert_counts(&full, 2, 1);
    });
}

#[test]
fn lo6_a_single_threaded_tokio_runtime_is_awaited_and_not_blocked() {
    bounded_async(|| async {
        let recorder = MetricsRecorder::new("", options(1)).expect("inside of tokio");
        recorder.register_event(Step(0)).expect("accepted");
        assert_eq!(both_answers(&recorder), ["WOULD_DEADLOCK", "pending"]);
        recorder.register_event_async(Step(1)).await.expect("accepted");
        recorder.flush().await.expect("flushes");
        assert_counts(&recorder, 2, 1);
    });
}

/// The events of a batch. The release build runs the one of the contract.
const BATCH: u64 = if cfg!(debug_assertions) { 200_000 } else { 8_000_000 };

#[test]
fn lo7_a_batch_of_two_blocking_threads_loses_nothing() {
    bounded(|| {
        let runtime = running_runtime("lo7");
        let recorder = runtime.create_recorder_with("a", options(1_000)).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        in_threads(2, |_| {
            for _ in 0..BATCH / 2 {
                recorder.register_event_blocking(Step(1), LONG).expect("accepted");
            }
        });
        assert_eq!(Steps::total(&recorder), BATCH);
        assert_counts(&recorder, BATCH, 0);
    });
}

#[test]
fn lo7_a_batch_of_two_async_tasks_loses_nothing() {
    bounded(|| {
        let tokio =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a tokio runtime");
        let runtime = running_runtime("lo7");
        let recorder = runtime.create_recorder_with("a", options(1_000)).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        let tasks = [(); 2].map(|()| {
            let recorder = recorder.clone();
            tokio.spawn(async move {
                for _ in 0..BATCH / 2 {
                    recorder.register_event_async(Step(1)).await.expect("accepted");
                }
            })
        });
        for task in tasks {
            tokio.block_on(task).expect("no panic");
        }
        assert_eq!(Steps::total(&recorder), BATCH);
        assert_counts(&recorder, BATCH, 0);
    });
}

#[test]
fn lo7_many_threads_at_the_smallest_limit_lose_nothing() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("lo7");
            let options = if hooks { options(1).hooks_and_listener(Script::new()) } else { options(1) };
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            in_threads(8, |_| {
                for _ in 0..200 {
                    recorder.register_event_blocking(Step(1), LONG).expect("accepted");
                }
            });
            assert_eq!(Steps::total(&recorder), 1_600);
            assert_counts(&recorder, 1_600, 0);
        }
    });
}

/// Runs `end` while a thread and a future wait, and returns their errors.
fn ended_by(recorder: &MetricsRecorder, end: impl FnOnce()) -> [RegisterEventError<Step>; 2] {
    let flag = Arc::<Flag>::default();
    let mut waiting = Box::pin(recorder.register_event_async(Step(8)));
    assert!(flag.poll(waiting.as_mut()).is_pending());
    let thread = std::thread::spawn({
        let recorder = recorder.clone();
        move || recorder.register_event_blocking(Step(9), LONG)
    });
    end();
    let blocked = thread.join().expect("no panic").expect_err("the recorder ends");
    eventually("the future is woken", || flag.is_set());
    let Poll::Ready(Err(awaited)) = flag.poll(waiting.as_mut()) else {
        panic!("the recorder has ended");
    };
    [blocked, awaited]
}

/// Checks that both waits ended with an error of the recorder's state, and gave their events back.
#[track_caller]
fn assert_ended(recorder: &MetricsRecorder, errors: [RegisterEventError<Step>; 2]) {
    let [blocked, awaited] = errors.map(|error| {
        assert_eq!(error.reason(), "INVALID_RECORDER_STATE");
        error.into_event()
    });
    assert_eq!((blocked, awaited), (Step(9), Step(8)));
    assert_eq!(recorder.stats().rejected, 2);
}

#[test]
fn lo8_producers_that_wait_end_with_a_stop() {
    bounded(|| {
        let runtime = running_runtime("lo8");
        let (recorder, gate, _) = full(&runtime, RecorderOptions::new(), 2);
        let mut stop = None;
        let errors = ended_by(&recorder, || stop = Some(recorder.stop()));
        assert_eq!(recorder.status(), MetricsRecorderState::Stopping, "the handler still runs");
        assert_ended(&recorder, errors);
        gate.open();
        stop.expect("there is one").wait().expect("stops");
        assert_eq!(recorder.stats().processed, 2);
    });
}

#[test]
fn lo8_producers_that_wait_end_with_a_failure() {
    bounded(|| {
        let runtime = running_runtime("lo8");
        let options = options(2).metric_failure_policy(MetricFailurePolicy::FailRecorder);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Fragile::at(0)).expect("registers");
        let gate = Gate::new();
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_event(Step(0)).expect("accepted");
        gate.wait_for_arrival();
        recorder.register_event(Step(1)).expect("accepted");
        let errors = ended_by(&recorder, || gate.open());
        assert_ended(&recorder, errors);
        assert_eq!(recorder.status(), MetricsRecorderState::Failure);
    });
}

#[test]
fn lo8_producers_that_wait_end_with_the_shutdown() {
    bounded(|| {
        let runtime = running_runtime("lo8");
        let (recorder, gate, _) = full(&runtime, RecorderOptions::new(), 2);
        std::thread::scope(|scope| {
            let errors = ended_by(&recorder, || {
                scope.spawn(|| runtime.shutdown().expect("shuts down"));
            });
            assert_ended(&recorder, errors);
            gate.open();
        });
        assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
    });
}

#[test]
fn lo8_producers_that_wait_end_with_the_recorders_task() {
    bounded(|| {
        let mut application = Direct::new();
        let recorder = application.recorder(options(2).hooks_and_listener(Script::new().changed(Act::Never)));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(0)).expect("accepted");
        recorder.register_event(Step(1)).expect("accepted");
        let errors = ended_by(&recorder, || application.end());
        assert_ended(&recorder, errors);
        assert_eq!(recorder.status(), MetricsRecorderState::Cancelled);
    });
}

#[test]
fn lo8_a_call_after_the_end_is_refused_at_once() {
    bounded(|| {
        let runtime = running_runtime("lo8");
        let recorder = runtime.create_recorder("a").expect("creates");
        runtime.shutdown().expect("shuts down");
        assert_eq!(both_answers(&recorder), ["INVALID_RECORDER_STATE"; 2]);
        assert_counts(&recorder, 0, 2);
    });
}
