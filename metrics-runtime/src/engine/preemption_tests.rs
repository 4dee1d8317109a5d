//! A producer is preempted between the event that unparks a direct recorder and the start of the recorder. The other threads
//! do what that producer has not yet done. The same for a recorder of an event loop is in `scheduler/tests`. Covers RS5.

use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::tests::Idle;
use crate::event::MetricEvent;
use crate::queue::WakeHint;
use crate::recorder::{MetricsRecorder, RecorderOptions};
use crate::state::MetricsRecorderState;

const LIMIT: usize = 16;

struct Fact;

impl MetricEvent for Fact {
    const EVENT_TYPE: &'static str = "fact";
}

/// What a recorder has.
#[derive(Clone, Copy, PartialEq)]
enum Has {
    Nothing,
    Hooks,
    Listener,
}

const ALL: [Has; 3] = [Has::Nothing, Has::Hooks, Has::Listener];

impl Has {
    fn options(self) -> RecorderOptions {
        match self {
            Self::Nothing => RecorderOptions::new(),
            Self::Hooks => RecorderOptions::new().hooks(Idle),
            Self::Listener => RecorderOptions::new().change_listener(Idle),
        }
    }
}

/// The thread of the tokio runtime runs when a test blocks on a future.
fn tokio_runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a tokio runtime")
}

/// A recorder in VIRGIN with one event. Its producer has not yet looked at what the queue asks of it.
fn unparked_virgin(tokio: &Runtime, options: RecorderOptions) -> MetricsRecorder {
    let _inside = tokio.enter();
    let options = options.queue_max_size(LIMIT);
    let recorder = MetricsRecorder::new("direct", options).expect("inside of a tokio runtime");
    let hint = recorder.inner().queue.push(Fact).ok().expect("there is room");
    assert_eq!((hint, recorder.status()), (WakeHint::Unpark, MetricsRecorderState::Virgin));
    recorder
}

/// A recorder in RUNNING with one event. Its producer has not yet woken the recorder's task, which sleeps.
fn unparked_running(tokio: &Runtime, has: Has) -> MetricsRecorder {
    let recorder = unparked_virgin(tokio, has.options());
    tokio.block_on(recorder.flush()).expect("flushes");
    tokio.block_on(let_the_task_run());
    let hint = recorder.inner().queue.push(Fact).ok().expect("there is room");
    assert_eq!((hint, recorder.status()), (WakeHint::Unpark, MetricsRecorderState::Running));
    tokio.block_on(let_the_task_run());
    assert_eq!(recorder.stats().pending, 1, "no call has woken the task");
    recorder
}

/// What a thread of its own gets, which is in no tokio runtime.
fn in_thread<R: Send>(call: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(call).join().expect("no panic"))
}

/// A task with hooks may yield after each event, because a turn of it is limited by time.
async fn let_the_task_run() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn rs5_a_read_contains_the_readers_own_events_although_the_first_producer_was_preempted() {
    let tokio = tokio_runtime();
    let recorder = unparked_virgin(&tokio, RecorderOptions::new());
    in_thread(|| {
        recorder.emit(Fact);
        recorder.metric_snapshots().expect("reads");
    });
    let stats = recorder.stats();
    assert_eq!((stats.processed, stats.pending), (2, 0));
    assert_eq!(recorder.status(), MetricsRecorderState::Running);
}

#[test]
fn rs5_an_observer_sees_the_events_although_the_first_producer_was_preempted() {
    let tokio = tokio_runtime();
    let recorder = unparked_virgin(&tokio, RecorderOptions::new());
    let request = in_thread(|| recorder.inner().request_drain().expect("an event is pending"));
    tokio.block_on(let_the_task_run());
    drop(request);
    assert_eq!(recorder.inner().observe().stats.processed, 1);
}

#[test]
fn rs5_a_flush_flushes_although_the_first_producer_was_preempted() {
    let tokio = tokio_runtime();
    let recorder = unparked_virgin(&tokio, RecorderOptions::new());
    in_thread(|| recorder.flush().wait().expect("flushes"));
    assert_eq!(recorder.stats().processed, 1);
}

#[test]
fn rs5_a_stop_stops_although_the_first_producer_was_preempted() {
    let tokio = tokio_runtime();
    let recorder = unparked_virgin(&tokio, RecorderOptions::new());
    in_thread(|| recorder.stop().wait().expect("stops"));
    assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
    assert_eq!(recorder.stats().processed, 1);
}

#[test]
fn rs5_the_preempted_producer_may_go_on_after_others_have_started_and_stopped_the_recorder() {
    let tokio = tokio_runtime();
    let recorder = unparked_virgin(&tokio, RecorderOptions::new());
    in_thread(|| recorder.stop().wait().expect("stops"));
    recorder.inner().ensure_started();
    recorder.inner().schedule(false);
    tokio.block_on(let_the_task_run());
    assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
}

#[test]
fn rs5_a_queue_that_fills_up_starts_its_recorder_although_the_first_producer_was_preempted() {
    for has in ALL {
        let tokio = tokio_runtime();
        let recorder = unparked_virgin(&tokio, has.options());
        in_thread(|| (0..2 * LIMIT).for_each(|_| recorder.emit(Fact)));
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.pending), (LIMIT as u64, LIMIT as u64));
        tokio.block_on(let_the_task_run());
        assert_eq!(recorder.stats().pending, 0);
        in_thread(|| recorder.register_event(Fact).expect("there is room"));
    }
}

#[test]
fn rs5_with_hooks_a_flush_and_a_stop_work_although_the_first_producer_was_preempted() {
    for has in [Has::Hooks, Has::Listener] {
        let tokio = tokio_runtime();
        let recorder = unparked_virgin(&tokio, has.options());
        let flush = in_thread(|| recorder.flush());
        assert_eq!(recorder.status(), MetricsRecorderState::Starting);
        tokio.block_on(flush).expect("flushes");
        assert_eq!(recorder.stats().processed, 1);

        let recorder = unparked_virgin(&tokio, has.options());
        // As after the start by an event whose producer was not preempted.
        let error = in_thread(|| recorder.stop().wait().expect_err("`on_starting` has not run"));
        assert!(error.to_string().contains("STARTING"), "{error}");
        tokio.block_on(recorder.start()).expect("joins the start of the event");
        tokio.block_on(recorder.stop()).expect("stops");
        assert_eq!(recorder.stats().processed, 1);
    }
}

#[test]
fn rs5_a_sleeping_task_is_woken_although_the_first_producer_was_preempted() {
    for has in ALL {
        let calls: [fn(&MetricsRecorder); 3] = [
            |recorder| drop(recorder.flush()),
            |recorder| drop(recorder.stop()),
            |recorder| (0..2 * LIMIT).for_each(|_| recorder.emit(Fact)),
        ];
        for call in calls {
            let tokio = tokio_runtime();
            let recorder = unparked_running(&tokio, has);
            in_thread(|| call(&recorder));
            tokio.block_on(let_the_task_run());
            assert_eq!(recorder.stats().pending, 0);
        }
    }
}

#[test]
fn rs5_with_a_listener_a_read_wakes_the_task_although_the_first_producer_was_preempted() {
    let tokio = tokio_runtime();
    let recorder = unparked_running(&tokio, Has::Listener);
    thread::scope(|scope| {
        let reader = scope.spawn(|| recorder.metric_snapshots().map(drop));
        while !reader.is_finished() {
            tokio.block_on(let_the_task_run());
        }
        reader.join().expect("no panic").expect("reads");
    });
    assert_eq!(recorder.stats().processed, 2);
}
