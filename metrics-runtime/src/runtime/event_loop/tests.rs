//! What a loop keeps while it cannot run, and who wakes it. The tests take its steps themselves.

// Miri needs minutes for the rounds of a busy loop, and the loop has no unsafe code.
#![cfg(not(miri))]

use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::{EventLoop, QUIET_INTERVALS, Sleep, give_visits};
use crate::event::MetricEvent;
use crate::log::LogPolicy;
use crate::queue::Queue;
use crate::recorder::{
    Home, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, QueueOverflowPolicy, RecorderCore,
    Settings,
};

const LIMIT: u64 = 16;

struct Fact;

impl MetricEvent for Fact {
    const EVENT_TYPE: &'static str = "fact";
}

fn running_recorder(event_loop: &Arc<EventLoop>) -> MetricsRecorder {
    recorder_looked_at_after(event_loop, Duration::ZERO)
}

fn recorder_looked_at_after(event_loop: &Arc<EventLoop>, poll_interval: Duration) -> MetricsRecorder {
    let settings = Settings {
        entity_id: Arc::from("a"),
        namespace: Arc::from("test"),
        overflow: QueueOverflowPolicy::Drop,
        log_policy: LogPolicy::Silent,
        metric_failure: MetricFailurePolicy::Quarantine,
        poll_interval,
    };
    let queue = Queue::new(LIMIT, event_loop.pool.clone());
    let home = Home::in_loop(Arc::clone(event_loop));
    let recorder = MetricsRecorder::from_core(RecorderCore::new(queue, settings, None, home));
    recorder.start().wait().expect("starts");
    recorder
}

/// Runs the loop to its end: until then it and the recorders on its list keep each other.
fn run_to_the_end(event_loop: &EventLoop) {
    event_loop.end();
    let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    tokio.block_on(event_loop.run());
}

#[test]
fn a_loop_that_is_held_up_keeps_one_visit_of_each_recorder() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..3).map(|_| running_recorder(&event_loop)).collect();
    for _ in 0..1_000 {
        for recorder in &recorders {
            recorder.core().home.schedule(recorder.core(), true);
        }
    }
    assert_eq!(event_loop.lock().visits.len(), 3);

    let (mut busy, mut visits) = (Vec::new(), Vec::new());
    assert!(event_loop.admit(&mut busy, &mut visits));
    assert_eq!((busy.len(), visits.len()), (3, 3));
    // The visits of before may be over already.
    recorders[0].core().home.schedule(recorders[0].core(), true);
    assert_eq!(event_loop.lock().visits.len(), 1);
    run_to_the_end(&event_loop);
}

#[test]
fn a_recorder_that_is_started_again_and_again_is_remembered_once() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..3).map(|_| running_recorder(&event_loop)).collect();
    for _ in 0..1_000 {
        for recorder in &recorders {
            recorder.stop().wait().expect("stops");
            recorder.start().wait().expect("starts again");
        }
    }
    assert_eq!(event_loop.lock().restarted.len(), 3);
    run_to_the_end(&event_loop);
}

#[test]
fn a_recorder_that_is_started_again_while_the_loop_ends_does_not_outlive_it() {
    for _ in 0..2_000 {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = running_recorder(&event_loop);
        recorder.stop().wait().expect("stops");
        let (mut busy, mut visits) = (Vec::new(), Vec::new());
        assert!(event_loop.admit(&mut busy, &mut visits));
        event_loop.give_turns(1, &mut busy, &mut BinaryHeap::new());
        assert!(busy.is_empty(), "the loop does not know it any more");
        let both = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
                event_loop.end();
                both.wait();
                tokio.block_on(event_loop.run());
            });
            both.wait();
            // Whatever it says: what counts is how it ends.
            drop(recorder.start().wait());
        });
        assert_ne!(recorder.status(), MetricsRecorderState::Running);
    }
}

/// Whether anybody has woken the loop since the last call.
fn was_woken(event_loop: &EventLoop) -> bool {
    pin!(event_loop.wake.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_recorder_whose_events_wait_for_nothing_parks_at_once_and_each_lone_event_wakes_the_loop() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = running_recorder(&event_loop);
    let (mut busy, mut visits, mut quiet) = (Vec::new(), Vec::new(), BinaryHeap::new());
    for round in 1..10 {
        assert!(event_loop.falls_asleep(Sleep::Parked), "nothing is asked of it");
        recorder.emit(Fact);
        assert!(was_woken(&event_loop));
        assert!(event_loop.admit(&mut busy, &mut visits));
        event_loop.give_turns(round, &mut busy, &mut quiet);
        assert_eq!((recorder.stats().pending, busy.len(), quiet.len()), (0, 0, 0));
    }
    run_to_the_end(&event_loop);
}

#[test]
fn while_traffic_is_recent_an_event_wakes_the_loop_only_when_the_queue_fills_up() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = recorder_looked_at_after(&event_loop, Duration::from_hours(1));
    let (mut busy, mut visits, mut quiet) = (Vec::new(), Vec::new(), BinaryHeap::new());
    assert!(event_loop.falls_asleep(Sleep::Parked), "nothing is asked of it");
    recorder.emit(Fact);
    assert!(was_woken(&event_loop), "the first event wakes it");
    for round in 1..100 {
        assert!(event_loop.admit(&mut busy, &mut visits));
        // A visit is a turn, too, and the recorder stays where it is.
        give_visits(round, &mut visits);
        event_loop.give_turns(round, &mut busy, &mut quiet);
        assert_eq!((recorder.stats().pending, busy.len(), quiet.len()), (0, 0, 1));
        let dozes = Sleep::Dozing { until: Instant::now() + Duration::from_hours(1) };
        assert!(event_loop.falls_asleep(dozes), "nothing is asked of it");
        (0..LIMIT / 4).for_each(|_| recorder.emit(Fact));
        assert!(!was_woken(&event_loop), "the timer will do");
        assert_eq!(event_loop.lock().sleep, dozes);
        (LIMIT / 4..=LIMIT / 2).for_each(|_| recorder.emit(Fact));
        assert!(was_woken(&event_loop), "half of the limit is pending");
        (LIMIT / 2 + 1..LIMIT).for_each(|_| recorder.emit(Fact));
        assert!(!was_woken(&event_loop), "once is enough");
        assert_eq!(recorder.stats().dropped, 0);
    }
    run_to_the_end(&event_loop);
}

#[test]
fn after_a_quiet_time_the_recorder_parks_and_one_event_wakes_the_loop() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = recorder_looked_at_after(&event_loop, Duration::from_nanos(1));
    let (mut busy, mut visits, mut quiet) = (Vec::new(), Vec::new(), BinaryHeap::new());
    for round in 1..10 {
        assert!(event_loop.falls_asleep(Sleep::Parked), "nothing is asked of it");
        recorder.emit(Fact);
        assert!(was_woken(&event_loop), "nobody else would look");
        recorder.emit(Fact);
        assert!(!was_woken(&event_loop), "once is enough");
        assert!(event_loop.admit(&mut busy, &mut visits));
        event_loop.give_turns(round, &mut busy, &mut quiet);
        let mut looks = 0;
        while !quiet.is_empty() {
            looks += u32::from(event_loop.look_at_quiet(&mut busy, &mut quiet));
        }
        assert_eq!(looks, QUIET_INTERVALS + 1);
        assert!(busy.is_empty(), "it costs nothing any more");
    }
    run_to_the_end(&event_loop);
}

#[test]
fn a_loop_that_dozes_is_woken_by_an_event_that_may_not_wait_for_as_long() {
    const MOMENT: Duration = Duration::from_mins(1);
    let until = Instant::now() + 2 * MOMENT;
    for (poll_interval, wakes) in [(Duration::ZERO, true), (MOMENT, true), (10 * MOMENT, false)] {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = recorder_looked_at_after(&event_loop, poll_interval);
        assert!(event_loop.falls_asleep(Sleep::Dozing { until }), "nothing is asked of it");
        recorder.emit(Fact);
        assert_eq!(was_woken(&event_loop), wakes, "{poll_interval:?}");
        run_to_the_end(&event_loop);
    }
}

/// While it is dropped, which is in its recorder's turn, other events come.
struct Herald(MetricsRecorder);

impl MetricEvent for Herald {
    const EVENT_TYPE: &'static str = "herald";
}

impl Drop for Herald {
    fn drop(&mut self) {
        (0..LIMIT).for_each(|_| self.0.emit(Fact));
    }
}

#[test]
fn a_queue_that_fills_up_during_a_turn_is_not_left_to_the_timer() {
    for asked_for in [false, true] {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = recorder_looked_at_after(&event_loop, Duration::from_nanos(1));
        let (mut busy, mut visits, mut quiet) = (Vec::new(), Vec::new(), BinaryHeap::new());
        recorder.emit(Fact);
        assert!(event_loop.admit(&mut busy, &mut visits));
        event_loop.give_turns(1, &mut busy, &mut quiet);
        assert_eq!((recorder.stats().pending, busy.len(), quiet.len()), (0, 0, 1));

        recorder.emit(Herald(recorder.clone()));
        if asked_for {
            (0..LIMIT / 2).for_each(|_| recorder.emit(Fact));
            assert!(event_loop.admit(&mut busy, &mut visits));
            give_visits(2, &mut visits);
        } else {
            assert!(event_loop.look_at_quiet(&mut busy, &mut quiet));
            event_loop.give_turns(2, &mut busy, &mut quiet);
        }
        assert!(recorder.stats().pending > LIMIT / 4, "the turn ends with what was pending when it began");
        assert!(event_loop.lock().visits.is_empty(), "nobody asks while the turn is on its way");
        assert_eq!((visits.len(), busy.len()), (usize::from(asked_for), usize::from(!asked_for)));

        give_visits(3, &mut visits);
        event_loop.give_turns(3, &mut busy, &mut quiet);
        assert_eq!((recorder.stats().pending, visits.len(), busy.len()), (0, 0, 0));
        run_to_the_end(&event_loop);
    }
}

/// When it is dropped, in the turn of one recorder, it goes to the other one.
struct Ball {
    here: MetricsRecorder,
    there: MetricsRecorder,
    hops: u64,
    ends: Arc<EventLoop>,
}

impl MetricEvent for Ball {
    const EVENT_TYPE: &'static str = "ball";
}

impl Drop for Ball {
    fn drop(&mut self) {
        let Self { here, there, hops, ends } = self;
        match hops.checked_sub(1) {
            Some(hops) => {
                let ball = Self { here: there.clone(), there: here.clone(), hops, ends: Arc::clone(ends) };
                there.emit(ball);
            }
            None => ends.end(),
        }
    }
}

#[test]
fn a_loop_that_is_always_asked_for_something_lets_the_tasks_of_its_thread_run() {
    const HOPS: u64 = 1_000;
    let event_loop = Arc::new(EventLoop::new());
    let [here, there] = [(); 2].map(|()| running_recorder(&event_loop));
    let turns = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&turns);
    let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    tokio.spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    here.emit(Ball { here: here.clone(), there: there.clone(), hops: HOPS, ends: Arc::clone(&event_loop) });
    tokio.block_on(event_loop.run());
    assert!(turns.load(Ordering::Relaxed) >= HOPS, "{turns:?} turns");
}
