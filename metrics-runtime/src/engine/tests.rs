//! States between two steps of an operation, which no public call can stop at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use super::drain::DrainEffects;
use super::recorder_inner::RecorderInner;
use super::settings::MetricFailurePolicy;
use super::stall::HELP_TIMEOUT;
use crate::dispatch::{EventHandler, HandleEvent, Metric};
use crate::error::MetricsRecorderError;
use crate::event::MetricEvent;
use crate::hooks::{ChangeListener, HookError, MetricChange, RecorderContext, RecorderHooks};
use crate::queue::ReserveError;
use crate::recorder::{MetricsRecorder, RecorderOptions};
use crate::runtime::MetricsRuntime;
use crate::snapshot::MetricSnapshot;
use crate::state::MetricsRecorderState;

/// An event that says by its count whether it was dropped.
struct Counted(#[expect(dead_code, reason = "its count is what matters")] Arc<()>);

impl MetricEvent for Counted {
    const EVENT_TYPE: &'static str = "counted";
}

/// A running recorder in a tokio runtime that no thread drives.
fn running() -> (Runtime, MetricsRecorder) {
    running_with(RecorderOptions::new())
}

fn running_with(options: RecorderOptions) -> (Runtime, MetricsRecorder) {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    let recorder = {
        let _inside = tokio.enter();
        MetricsRecorder::new("direct", options).expect("inside of a tokio runtime")
    };
    recorder.start().wait().expect("starts");
    (tokio, recorder)
}

#[test]
#[cfg_attr(miri, ignore = "10,000 rounds of waiting take minutes")]
fn an_event_published_after_the_cancellation_is_discarded() {
    for read in [false, true] {
        let (tokio, recorder) = running();
        let token = Arc::new(());
        // The first event unparks the queue, so the next one is reserved in the usual case.
        recorder.register_event(Counted(Arc::clone(&token))).expect("accepted");
        let Ok(permit) = recorder.inner().try_reserve::<Counted>() else {
            panic!("the queue is open, awake and almost empty");
        };
        drop(tokio);
        assert_eq!(recorder.status(), MetricsRecorderState::Cancelled);
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.discarded, stats.pending), (2, 1, 1));
        permit.send(Counted(Arc::clone(&token)));
        if read {
            assert!(recorder.metric_snapshots().expect("reads").is_empty());
        } else {
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.processed, stats.discarded, stats.pending), (2, 0, 2, 0));
        }
        assert_eq!(Arc::strong_count(&token), 1, "both events were dropped");
    }
}

#[test]
#[cfg_attr(miri, ignore = "10,000 rounds of waiting take minutes")]
fn an_event_published_after_the_cancellation_is_dropped_with_the_recorder() {
    let (tokio, recorder) = running();
    let token = Arc::new(());
    recorder.register_event(Counted(Arc::clone(&token))).expect("accepted");
    let core = Arc::clone(recorder.inner());
    let Ok(permit) = core.try_reserve::<Counted>() else {
        panic!("the queue is open, awake and almost empty");
    };
    drop((tokio, recorder));
    permit.send(Counted(Arc::clone(&token)));
    assert_eq!(Arc::strong_count(&token), 2);
    drop(core);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_call_that_found_the_queue_closed_just_before_a_restart_is_accepted() {
    let (_tokio, recorder) = running();
    recorder.stop().wait().expect("stops");
    recorder.start().wait().expect("starts again");
    let token = Arc::new(());
    assert!(recorder.inner().refusal().is_none(), "the producer tries again");
    let answer = recorder.inner().register_slow(Counted(Arc::clone(&token)), ReserveError::AtFastLimit);
    assert!(answer.is_ok(), "the recorder runs");
    recorder.flush().wait().expect("flushes");
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.processed, stats.rejected), (1, 1, 0));
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_call_that_found_the_queue_closed_is_refused_once() {
    let (_tokio, recorder) = running();
    recorder.stop().wait().expect("stops");
    let answer = recorder.inner().register_slow(Counted(Arc::new(())), ReserveError::AtFastLimit);
    let refused = answer.expect_err("the recorder is stopped");
    assert_eq!(refused.error().reason(), "INVALID_RECORDER_STATE");
    let stats = recorder.stats();
    assert_eq!((stats.accepted, stats.rejected), (0, 1));
}

/// A thread that waits for a lock of the recorder would not come back, because this test holds both.
#[test]
fn rs2_a_refused_event_waits_for_no_lock() {
    for cancels in [false, true] {
        let (tokio, recorder) = running();
        if cancels {
            drop(tokio);
        } else {
            recorder.stop().wait().expect("stops");
        }
        let token = Arc::new(());
        let metrics = recorder.inner().metrics.try_lock_as_consumer().expect("no thread has it");
        let lifecycle = recorder.inner().lifecycle();
        let (done, calls) = mpsc::channel();
        let producer = thread::spawn({
            let (recorder, token) = (recorder.clone(), Arc::clone(&token));
            move || {
                recorder.emit(Counted(Arc::clone(&token)));
                let reason =
                    recorder.register_event(Counted(token)).map_err(|refused| refused.error().reason());
                done.send(reason).expect("the test waits");
            }
        });
        let answer = calls.recv_timeout(Duration::from_secs(10)).expect("the producer waits for no lock");
        drop((lifecycle, metrics));
        producer.join().expect("it has ended");
        assert_eq!(answer, Err("INVALID_RECORDER_STATE"));
        assert_eq!((recorder.stats().rejected, Arc::strong_count(&token)), (2, 1));
    }
}

#[test]
fn rs2_the_state_is_published_before_the_queue_is_closed_and_after_it_is_reopened() {
    let (_tokio, recorder) = running();
    let inner = recorder.inner();
    recorder.stop().wait().expect("stops");
    // A restart has reopened the queue and has not published its state yet: a producer is accepted.
    inner.queue.reopen();
    assert!(inner.refusal().is_none());
    inner.queue.close();
    let Some(MetricsRecorderError::InvalidState { state, .. }) = inner.refusal() else {
        panic!("it is stopped");
    };
    assert_eq!(state, MetricsRecorderState::Stopped);
}

#[test]
fn the_end_of_an_older_stop_does_not_end_a_newer_one() {
    let (_tokio, recorder) = running();
    recorder.stop().wait().expect("stops");
    recorder.start().wait().expect("starts again");
    let token = Arc::new(());
    recorder.register_event(Counted(Arc::clone(&token))).expect("accepted");
    let newer = recorder.stop();
    // A thread that had processed the last event before the older stop, and was then preempted.
    recorder.inner().finish_stop(Ok(()));
    assert_eq!(recorder.status(), MetricsRecorderState::Stopping);
    assert!(!newer.is_finished());
    newer.wait().expect("stops");
    assert_eq!(recorder.stats().processed, 1);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_recorder_that_has_stopped_is_parked_and_so_holds_no_segment() {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    for options in [
        RecorderOptions::new(),
        RecorderOptions::new().hooks(Idle),
        RecorderOptions::new().change_listener(Idle),
    ] {
        tokio.block_on(async {
            let recorder = MetricsRecorder::new("direct", options).expect("inside of tokio");
            for processed in 1..3 {
                recorder.start().await.expect("starts");
                recorder.register_event(Counted(Arc::new(()))).expect("accepted");
                assert!(!recorder.inner().queue.is_parked());
                recorder.stop().await.expect("stops");
                // The task of a recorder without hooks ends after its stop.
                tokio::task::yield_now().await;
                assert!(recorder.inner().queue.is_parked());
                assert_eq!(recorder.stats().processed, processed);
            }
        });
    }
}

/// A metric without handlers.
struct NoHandlers;

impl Metric for NoHandlers {
    fn metric_name(&self) -> &'static str {
        "no_handlers"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("no_handlers")
    }
}

#[test]
fn a_call_during_which_the_recorder_ends_completes_the_waiters() {
    let calls: [fn(&MetricsRecorder); 2] =
        [|recorder| drop(recorder.flush()), |recorder| drop(recorder.register_metric(NoHandlers))];
    for call in calls {
        let (tokio, recorder) = running();
        recorder.register_event(Counted(Arc::new(()))).expect("accepted");
        let flush = recorder.flush();
        let held = recorder.inner().metrics.try_lock_as_consumer().expect("no thread has it");
        drop(tokio);
        assert_eq!((recorder.status(), flush.is_finished()), (MetricsRecorderState::Cancelled, false));
        // As if the call had been preempted while it held the lock.
        drop(held);
        call(&recorder);
        assert!(flush.is_finished());
        assert_eq!(flush.wait().expect_err("it was cancelled").reason(), "INVALID_RECORDER_STATE");
    }
}

#[test]
#[cfg_attr(miri, ignore = "it waits for five seconds")]
fn hx6_a_wait_for_an_event_that_is_never_published_ends() {
    let runtime = MetricsRuntime::new("hx6").expect("a valid namespace");
    runtime.start().expect("starts");
    let (_tokio, direct) = running();
    for recorder in [runtime.create_recorder("a").expect("creates"), direct] {
        recorder.register_event(Counted(Arc::new(()))).expect("accepted");
        let Ok(permit) = recorder.inner().try_reserve::<Counted>() else {
            panic!("the queue is open, awake and almost empty");
        };
        let error = recorder.flush().wait().expect_err("the turns of the loop consume nothing");
        assert_eq!(error.reason(), "STALLED");
        permit.send(Counted(Arc::new(())));
        recorder.flush().wait().expect("flushes");
    }
    runtime.shutdown().expect("shuts down");
}

#[test]
fn a_read_completes_the_flushes_whose_events_it_processes() {
    let (_tokio, recorder) = running();
    recorder.register_event(Counted(Arc::new(()))).expect("accepted");
    let flush = recorder.flush();
    assert!(!flush.is_finished());
    recorder.metric_snapshots().expect("reads");
    assert!(flush.is_finished());
}

#[test]
fn an_observer_requests_nothing_when_no_event_is_pending() {
    let (_tokio, recorder) = running();
    assert!(recorder.inner().request_drain().is_none());
    recorder.register_event(Counted(Arc::new(()))).expect("accepted");
    assert!(recorder.inner().request_drain().is_some());
}

#[test]
fn an_observer_waits_until_the_events_are_consumed() {
    let (_tokio, recorder) = running();
    recorder.register_event(Counted(Arc::new(()))).expect("accepted");
    let request = recorder.inner().request_drain().expect("an event is pending");
    let begin = Instant::now();
    let timeout = Duration::from_millis(100);
    recorder.inner().wait_drained(&request, begin + timeout);
    assert!(begin.elapsed() >= timeout);

    // As if the thread that has processed the event had been preempted before it completed the request.
    let mut effects = DrainEffects::default();
    let mut metrics = recorder.inner().metrics.try_lock_as_consumer().expect("no thread has it");
    recorder.inner().drain(&mut metrics, 1, &mut effects);
    drop(metrics);
    let begin = Instant::now();
    recorder.inner().wait_drained(&request, begin + 10 * HELP_TIMEOUT);
    assert!(begin.elapsed() < HELP_TIMEOUT, "it does not wait for the completion");
    recorder.inner().finish_drain(effects);
}

/// An event of another type.
struct Later;

impl MetricEvent for Later {
    const EVENT_TYPE: &'static str = "later";
}

/// Cancels its recorder and panics.
struct Cancels(Weak<RecorderInner>);

impl HandleEvent<Counted> for Cancels {
    fn handle(&mut self, _: &Counted) -> bool {
        self.0.upgrade().expect("it is there").cancel();
        panic!("it breaks");
    }
}

impl Metric for Cancels {
    fn metric_name(&self) -> &'static str {
        "cancels"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Counted>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("cancels")
    }
}

/// Counts the later events.
struct Counts(Arc<AtomicU64>);

impl HandleEvent<Later> for Counts {
    fn handle(&mut self, _: &Later) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

impl Metric for Counts {
    fn metric_name(&self) -> &'static str {
        "counts"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Later>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static("counts")
    }
}

#[test]
fn what_a_drain_applies_after_a_cancellation_counts_as_processed() {
    let options = RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder);
    let (_tokio, recorder) = running_with(options);
    let later = Arc::default();
    recorder.register_metric(Cancels(Arc::downgrade(recorder.inner()))).expect("it runs");
    recorder.register_metric(Counts(Arc::clone(&later))).expect("it runs");
    recorder.register_event(Counted(Arc::new(()))).expect("accepted");
    (0..3).for_each(|_| recorder.register_event(Later).expect("accepted"));
    drop(recorder.metric_snapshots());
    let stats = recorder.stats();
    assert_eq!((recorder.status(), stats.accepted), (MetricsRecorderState::Cancelled, 4));
    assert_eq!((stats.processed, stats.pending), (1 + later.load(Ordering::Relaxed), 0));
}

/// Hooks and a listener that do nothing.
pub(super) struct Idle;

impl RecorderHooks for Idle {}

impl ChangeListener for Idle {
    async fn on_metric_changed(&self, _: MetricChange<'_>) -> Result<(), HookError> {
        Ok(())
    }
}

/// A direct recorder that has started, and has accepted one event.
async fn started(options: RecorderOptions) -> MetricsRecorder {
    let recorder = MetricsRecorder::new("direct", options).expect("inside of tokio");
    recorder.start().await.expect("starts");
    recorder.register_event(Counted(Arc::new(()))).expect("accepted");
    recorder
}

#[test]
fn a_recorder_with_hooks_stops_after_the_last_reserved_event() {
    for options in [RecorderOptions::new().hooks(Idle), RecorderOptions::new().change_listener(Idle)] {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        tokio.block_on(async {
            let recorder = started(options).await;
            let Ok(permit) = recorder.inner().try_reserve::<Counted>() else {
                panic!("the queue is open, awake and almost empty");
            };
            let stop = recorder.stop();
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert!(!stop.is_finished());
            permit.send(Counted(Arc::new(())));
            stop.await.expect("stops");
            assert_eq!(recorder.stats().processed, 2);
            assert!(recorder.inner().queue.is_parked());
        });
    }
}

#[test]
fn a_read_on_the_thread_of_a_recorder_with_a_listener_is_refused_at_once() {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    tokio.block_on(async {
        let recorder = started(RecorderOptions::new().change_listener(Idle)).await;
        let error = recorder.metric_snapshots().expect_err("this thread would have to run the listener");
        assert_eq!(error.reason(), "WOULD_DEADLOCK");
        recorder.stop().await.expect("stops");
    });
}

#[test]
fn hx2_a_read_on_the_thread_of_a_recorder_with_hooks_processes_the_events_itself() {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    tokio.block_on(async {
        let recorder = started(RecorderOptions::new().hooks(Idle)).await;
        assert_eq!(recorder.stats().pending, 1);
        recorder.metric_snapshots().expect("reads");
        assert_eq!(recorder.stats().processed, 1);
        recorder.flush().wait().expect("flushes");
        let stop = recorder.stop();
        let error = stop.clone().wait().expect_err("this thread would have to run `on_stopped`");
        assert_eq!(error.reason(), "WOULD_DEADLOCK");
        stop.await.expect("stops");
    });
}

/// Hooks with a second start that ends when the test says so.
#[derive(Default)]
struct WaitsAtRestart {
    starts: AtomicU64,
    may_end: Notify,
}

impl RecorderHooks for WaitsAtRestart {
    async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        if self.starts.fetch_add(1, Ordering::Relaxed) == 1 {
            self.may_end.notified().await;
        }
        Ok(())
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of events take minutes")]
fn hx2_the_event_loop_gives_no_turns_while_on_starting_runs() {
    const LIMIT: usize = 1_000;

    let runtime = MetricsRuntime::new("hx2").expect("a valid namespace");
    runtime.start().expect("starts");
    let hooks = Arc::new(WaitsAtRestart::default());
    let options = RecorderOptions::new().queue_max_size(LIMIT).hooks(Arc::clone(&hooks));
    let recorder = runtime.create_recorder_with("a", options).expect("creates");
    recorder.register_event(Counted(Arc::new(()))).expect("accepted");
    recorder.flush().wait().expect("flushes");
    recorder.stop().wait().expect("stops");
    // The event loop still polls the recorder.
    let start = recorder.start();
    // More events than the queue takes: producers ask for turns, and find the queue full.
    (0..2 * LIMIT).for_each(|_| recorder.emit(Counted(Arc::new(()))));
    let flush = recorder.flush();
    let is_queued = || recorder.inner().schedule_state.is_queued_hint();
    let deadline = Instant::now() + 10 * HELP_TIMEOUT;
    while is_queued() {
        assert!(Instant::now() < deadline, "the event loop keeps a recorder that it cannot serve");
        std::thread::yield_now();
    }
    recorder.emit(Counted(Arc::new(())));
    assert!(!is_queued());
    assert_eq!((recorder.stats().processed, recorder.stats().pending), (1, LIMIT as u64));

    hooks.may_end.notify_one();
    start.wait().expect("starts");
    flush.wait().expect("flushes");
    assert_eq!(recorder.stats().pending, 0);
    runtime.shutdown().expect("shuts down");
}

#[test]
fn lo8_a_producer_that_begins_to_wait_while_a_restart_is_in_its_hook_gets_the_empty_queue() {
    let runtime = MetricsRuntime::new("lo8").expect("a valid namespace");
    runtime.start().expect("starts");
    let hooks = Arc::new(WaitsAtRestart::default());
    let recorder =
        runtime.create_recorder_with("a", RecorderOptions::new().hooks(Arc::clone(&hooks))).expect("creates");
    recorder.stop().wait().expect("stops");
    assert!(recorder.inner().queue.is_parked());
    let start = recorder.start();
    // A producer had found the queue full, and was preempted until the recorder was stopped and started again.
    let (ticket, room) = recorder.inner().room.enter(None, &recorder.inner().queue);
    recorder.inner().ensure_scheduled();
    hooks.may_end.notify_one();
    start.wait().expect("starts");
    let woken = room.wait_until(Instant::now() + 10 * HELP_TIMEOUT);
    assert!(woken.is_some(), "nobody wakes the producer");
    recorder.inner().room.leave(ticket);
    runtime.shutdown().expect("shuts down");
}

#[test]
fn lo1_a_flush_waits_for_the_line_of_a_drop_that_was_counted_after_the_last_event() {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    let with = RecorderOptions::new;
    for options in [with(), with().hooks(Idle), with().change_listener(Idle)] {
        tokio.block_on(async {
            let recorder = MetricsRecorder::new("direct", options).expect("inside of tokio");
            recorder.start().await.expect("starts");
            let drops = &recorder.inner().counters.drops;
            // A producer that found the queue full was preempted until all events were consumed.
            assert!(drops.count("late"));
            recorder.flush().await.expect("flushes");
            assert!(!drops.is_first_line_pending(), "the line is logged");
            assert!(!drops.count("late"), "within a minute no other line is due");
            recorder.stop().await.expect("stops");
            assert_eq!(recorder.stats().dropped, 2);
        });
    }
}

#[test]
fn lo1_a_flush_of_a_recorder_that_has_ended_waits_for_no_line() {
    let (_tokio, recorder) = running();
    recorder.stop().wait().expect("stops");
    assert!(recorder.inner().counters.drops.count("late"));
    recorder.flush().wait().expect("it has nothing to wait for");
}
