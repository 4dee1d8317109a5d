//! What the loop keeps while it cannot run, and what wakes it. The tests take the steps of the loop themselves.

// Miri needs minutes for the rounds of a busy loop, and the loop has no unsafe code.
#![cfg(not(miri))]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::poll_timer::{MANY_RECORDERS, MAX_EMPTY_LOOKS};
use super::run_queue::MAX_WAITING_REQUESTS;
use super::{EventLoop, MAX_EVENTS_PER_TURN, Rounds, Sleep};
use crate::engine::placement::LoopPlacement;
use crate::engine::{Handoff, MetricFailurePolicy, Placement, QueueOverflowPolicy, RecorderInner, Settings};
use crate::event::MetricEvent;
use crate::hooks::Hooks;
use crate::log::LogPolicy;
use crate::queue::WakeHint;
use crate::recorder::MetricsRecorder;
use crate::state::MetricsRecorderState;

const LIMIT: u64 = 16;

struct Tick;

impl MetricEvent for Tick {
    const EVENT_TYPE: &'static str = "tick";
}

/// A recorder without a poll interval.
fn running_recorder(event_loop: &Arc<EventLoop>) -> MetricsRecorder {
    polled_recorder(event_loop, Duration::ZERO)
}

fn polled_recorder(event_loop: &Arc<EventLoop>, poll_interval: Duration) -> MetricsRecorder {
    limited_recorder(event_loop, poll_interval, LIMIT)
}

fn limited_recorder(event_loop: &Arc<EventLoop>, poll_interval: Duration, limit: u64) -> MetricsRecorder {
    let settings = Settings {
        recorder_id: None,
        entity_id: Arc::from("a"),
        namespace: Arc::from("test"),
        queue_max_size: limit,
        overflow: QueueOverflowPolicy::Drop,
        handoff: Handoff::Ordered,
        log_policy: LogPolicy::Silent,
        metric_failure: MetricFailurePolicy::Quarantine,
        poll_interval,
        hook_timeout: Duration::MAX,
    };
    let placement = Placement::Loop(LoopPlacement { event_loop: Arc::clone(event_loop), tokio: None });
    let recorder = MetricsRecorder::from_inner(RecorderInner::new(settings, Hooks::default(), placement));
    recorder.start().wait().expect("starts");
    recorder
}

/// Runs the loop to its end. Until then the loop and the recorders it has keep each other.
fn run_to_the_end(event_loop: &EventLoop) {
    event_loop.end();
    let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    tokio.block_on(event_loop.run());
}

impl<'a> Rounds<'a> {
    fn beginning_now(event_loop: &'a EventLoop) -> Self {
        Rounds::new(event_loop, Instant::now())
    }

    /// Takes the requests, polls, and gives all turns of the next round.
    fn give_round(&mut self) {
        self.give_round_at(Instant::now());
    }

    fn give_round_at(&mut self, now: Instant) {
        assert!(self.event_loop.begin_round(self, now), "the loop goes on");
        EventLoop::give_priority_turns(self);
        EventLoop::give_turns(self);
    }

    /// How many recorders are busy, ask for a turn, and are polled.
    fn lens(&self) -> (usize, usize, usize) {
        (self.busy.len(), self.priority.len(), self.polls.polled())
    }

    /// Puts the loop to sleep, as after a round.
    fn sleep(&self) {
        let until = |time| Sleep::Until { time, length: time - self.now };
        let sleep = self.polls.next().map_or(Sleep::Parked, until);
        assert!(self.event_loop.run_queue.try_sleep(sleep), "there are no requests");
    }
}

/// A sleep for that long from now.
fn asleep_for(length: Duration) -> Sleep {
    Sleep::Until { time: Instant::now() + length, length }
}

#[test]
fn a_loop_that_is_held_up_keeps_one_priority_request_of_each_recorder() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..3).map(|_| running_recorder(&event_loop)).collect();
    for _ in 0..1_000 {
        for recorder in &recorders {
            recorder.inner().schedule(true);
        }
    }
    assert_eq!(event_loop.run_queue.priority_requests(), 3);

    let mut rounds = Rounds::beginning_now(&event_loop);
    assert!(event_loop.take_requests(&mut rounds));
    assert_eq!(rounds.lens(), (3, 3, 0));
    // The turns of the requests above may be over already.
    recorders[0].inner().schedule(true);
    assert_eq!(event_loop.run_queue.priority_requests(), 1);
}

#[test]
fn a_recorder_that_is_started_again_and_again_is_tracked_once() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..3).map(|_| running_recorder(&event_loop)).collect();
    for _ in 0..1_000 {
        for recorder in &recorders {
            recorder.stop().wait().expect("stops");
            recorder.start().wait().expect("starts again");
        }
    }
    assert_eq!(event_loop.restarted.lock().recorders.len(), 3);
    run_to_the_end(&event_loop);
}

#[test]
fn a_recorder_that_is_started_again_while_the_loop_ends_does_not_outlive_it() {
    for _ in 0..2_000 {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = running_recorder(&event_loop);
        recorder.stop().wait().expect("stops");
        let mut rounds = Rounds::beginning_now(&event_loop);
        rounds.give_round();
        assert_eq!(rounds.lens(), (0, 0, 0), "the loop does not have it any more");
        let both = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                event_loop.end();
                both.wait();
                drop(rounds);
            });
            both.wait();
            // Whatever the start answers, the state at the end counts.
            drop(recorder.start().wait());
        });
        assert_ne!(recorder.status(), MetricsRecorderState::Running);
    }
}

#[test]
fn a_recorder_that_stops_while_a_call_is_about_to_start_it_is_tracked() {
    for _ in 0..2_000 {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = running_recorder(&event_loop);
        let both = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                both.wait();
                while recorder.start().wait().is_err() {}
            });
            both.wait();
            recorder.stop().wait().expect("stops");
        });
        assert_eq!(recorder.status(), MetricsRecorderState::Running);
        assert_eq!(event_loop.restarted.lock().recorders.len(), 1, "it would outlive the loop");
        run_to_the_end(&event_loop);
        assert_eq!(recorder.status(), MetricsRecorderState::Cancelled);
    }
}

#[test]
fn a_restart_before_the_turn_of_the_stop_is_scheduled() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = running_recorder(&event_loop);
    recorder.emit(Tick);
    let mut rounds = Rounds::beginning_now(&event_loop);
    rounds.give_round();
    recorder.emit(Tick);
    drop(recorder.stop());
    // The stop ends on another thread than the loop's, which did not park the queue.
    let mut state = recorder.inner().metrics.try_lock_as_consumer().expect("no thread has it");
    let mut consumer = state.consumer.take().expect("no task has it");
    recorder.inner().queue.next_batch(&mut consumer, 1).expect("the second event").consume();
    state.consumer = Some(consumer);
    drop(state);
    recorder.inner().finish_stop(Ok(()));
    assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
    // As if the stopping thread had been preempted before its request.
    let mut requests = Vec::new();
    event_loop.run_queue.take_requests(&mut requests, |recorder| recorder.schedule_state());
    for request in requests {
        assert!(!request.recorder.schedule_state().deschedule(|| false));
    }
    recorder.start().wait().expect("starts again");
    recorder.emit(Tick);
    rounds.give_round();
    assert_eq!(recorder.stats().pending, 0, "the event did not unpark the queue, and has its turn");
}

/// Whether the loop was woken since the last call.
fn was_woken(event_loop: &EventLoop) -> bool {
    pin!(event_loop.wake.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn with_interval_zero_a_recorder_parks_at_once_and_each_lone_event_wakes_the_loop() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = running_recorder(&event_loop);
    let mut rounds = Rounds::beginning_now(&event_loop);
    for _ in 0..10 {
        assert!(event_loop.run_queue.try_sleep(Sleep::Parked), "there are no requests");
        recorder.emit(Tick);
        assert!(was_woken(&event_loop));
        rounds.give_round();
        assert_eq!((recorder.stats().pending, rounds.lens()), (0, (0, 0, 0)));
    }
}

#[test]
fn while_traffic_is_recent_an_event_wakes_the_loop_only_above_the_watermark() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = polled_recorder(&event_loop, Duration::from_hours(1));
    let mut rounds = Rounds::beginning_now(&event_loop);
    assert!(event_loop.run_queue.try_sleep(Sleep::Parked), "there are no requests");
    recorder.emit(Tick);
    assert!(was_woken(&event_loop), "the first event wakes it");
    for _ in 0..100 {
        rounds.give_round();
        assert_eq!((recorder.stats().pending, rounds.lens()), (0, (0, 0, 1)));
        let sleep = asleep_for(Duration::from_hours(1));
        assert!(event_loop.run_queue.try_sleep(sleep), "there are no requests");
        (0..LIMIT / 4).for_each(|_| recorder.emit(Tick));
        assert!(!was_woken(&event_loop), "the timer is early enough");
        assert_eq!(event_loop.run_queue.sleep(), sleep);
        (LIMIT / 4..=LIMIT / 2).for_each(|_| recorder.emit(Tick));
        assert!(was_woken(&event_loop), "half of the limit is pending");
        (LIMIT / 2 + 1..LIMIT).for_each(|_| recorder.emit(Tick));
        assert!(!was_woken(&event_loop), "once is enough");
        assert_eq!(recorder.stats().dropped, 0);
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// A time at which polling has been of no use for long.
fn long_after(event_loop_began: Instant) -> Instant {
    event_loop_began + Duration::from_hours(1)
}

#[test]
fn events_far_apart_cost_one_turn_each_and_no_poll() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = polled_recorder(&event_loop, MILLISECOND);
    let mut rounds = Rounds::beginning_now(&event_loop);
    let mut now = long_after(rounds.began);
    for _ in 0..10 {
        rounds.sleep();
        assert_eq!(event_loop.run_queue.sleep(), Sleep::Parked, "no timer is set");
        recorder.emit(Tick);
        assert!(was_woken(&event_loop));
        recorder.emit(Tick);
        assert!(!was_woken(&event_loop), "once is enough");
        let turns = event_loop.progress_counter();
        rounds.give_round_at(now);
        assert_eq!(event_loop.progress_counter(), turns + 1);
        assert_eq!((recorder.stats().pending, rounds.lens()), (0, (0, 0, 0)), "the recorder is parked");
        now += Duration::from_millis(5);
    }
}

#[test]
fn events_close_together_are_polled_and_the_first_poll_without_one_parks_the_recorder() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = polled_recorder(&event_loop, MILLISECOND);
    let mut rounds = Rounds::beginning_now(&event_loop);
    let mut now = long_after(rounds.began);
    for polled in [0, 1] {
        rounds.sleep();
        recorder.emit(Tick);
        assert!(was_woken(&event_loop));
        rounds.give_round_at(now);
        assert_eq!(rounds.lens(), (0, 0, polled));
        now += MILLISECOND;
    }
    for _ in 0..10 {
        rounds.sleep();
        recorder.emit(Tick);
        assert!(!was_woken(&event_loop), "the timer is early enough");
        // The timer fires a little late.
        now += MILLISECOND;
        rounds.give_round_at(now);
        assert_eq!((recorder.stats().pending, rounds.lens()), (0, (0, 0, 1)));
    }
    let turns = event_loop.progress_counter();
    rounds.give_round_at(now + 2 * MILLISECOND);
    assert_eq!(event_loop.progress_counter(), turns, "a poll without an event is no turn");
    assert_eq!(rounds.lens(), (0, 0, 0), "the recorder costs nothing any more");
    rounds.sleep();
    assert_eq!(event_loop.run_queue.sleep(), Sleep::Parked);
    recorder.emit(Tick);
    assert!(was_woken(&event_loop), "no timer is set");
}

#[test]
fn requests_that_come_often_are_taken_on_the_timer_and_cost_no_poll_of_a_recorder() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..60).map(|_| polled_recorder(&event_loop, MILLISECOND)).collect();
    let mut rounds = Rounds::beginning_now(&event_loop);
    let mut now = long_after(rounds.began);
    for (round, recorders) in recorders.chunks(10).enumerate() {
        rounds.sleep();
        for recorder in recorders {
            recorder.emit(Tick);
        }
        assert_eq!(was_woken(&event_loop), round < 2, "round {round}");
        let turns = event_loop.progress_counter();
        rounds.give_round_at(now);
        assert_eq!(event_loop.progress_counter(), turns + 10, "a turn for each event, and nothing else");
        assert_eq!(rounds.lens(), (0, 0, 0), "each recorder is parked");
        now += 2 * MILLISECOND;
    }
    // One time without a request.
    rounds.give_round_at(now);
    rounds.sleep();
    assert_eq!(event_loop.run_queue.sleep(), Sleep::Parked);
}

#[test]
fn many_recorders_whose_events_are_a_few_intervals_apart_do_not_park_for_each() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..MANY_RECORDERS).map(|_| polled_recorder(&event_loop, MILLISECOND)).collect();
    let mut rounds = Rounds::beginning_now(&event_loop);
    let mut now = long_after(rounds.began);
    for burst in 0..5 {
        for recorder in &recorders {
            recorder.emit(Tick);
        }
        for _ in 0..10 {
            rounds.give_round_at(now);
            now += MILLISECOND;
        }
        let polled = if burst == 0 { 0 } else { MANY_RECORDERS };
        assert_eq!(rounds.lens(), (0, 0, polled), "burst {burst}");
    }
    for _ in 0..=MAX_EMPTY_LOOKS {
        rounds.give_round_at(now);
        now += MILLISECOND;
    }
    assert_eq!(rounds.lens(), (0, 0, 0), "each recorder is parked");
    assert!(recorders.iter().all(|recorder| recorder.stats().processed == 5));
}

#[test]
fn a_sleeping_loop_is_woken_when_many_recorders_have_requests() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> =
        (0..MAX_WAITING_REQUESTS).map(|_| polled_recorder(&event_loop, Duration::from_hours(1))).collect();
    assert!(event_loop.run_queue.try_sleep(asleep_for(Duration::from_mins(1))), "there are no requests");
    for (number, recorder) in recorders.iter().enumerate() {
        recorder.emit(Tick);
        assert_eq!(was_woken(&event_loop), number + 1 == MAX_WAITING_REQUESTS, "request {number}");
    }
    run_to_the_end(&event_loop);
}

#[test]
fn recorders_with_different_intervals_are_polled_each_at_its_own() {
    let event_loop = Arc::new(EventLoop::new());
    let intervals = [7, 1, 100, 20].map(Duration::from_millis);
    let recorders = intervals.map(|interval| polled_recorder(&event_loop, interval));
    let mut rounds = Rounds::beginning_now(&event_loop);
    let began = long_after(rounds.began);
    for now in [began, began + MILLISECOND] {
        for recorder in &recorders {
            recorder.emit(Tick);
        }
        rounds.give_round_at(now);
    }
    assert_eq!(rounds.lens(), (0, 0, 4));
    for recorder in &recorders {
        recorder.emit(Tick);
    }
    let mut processed = Vec::new();
    while let Some(next) = rounds.polls.next().filter(|next| *next <= began + Duration::from_millis(101)) {
        rounds.give_round_at(next);
        for (recorder, interval) in recorders.iter().zip(intervals) {
            if recorder.stats().pending == 0 && !processed.contains(&interval) {
                assert_eq!(next, began + MILLISECOND + interval);
                processed.push(interval);
            }
        }
    }
    assert_eq!(processed, [1, 7, 20, 100].map(Duration::from_millis));
}

#[test]
fn a_polled_recorder_that_a_reader_holds_is_polled_again() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = polled_recorder(&event_loop, MILLISECOND);
    let mut rounds = Rounds::beginning_now(&event_loop);
    let mut now = long_after(rounds.began);
    for _ in 0..2 {
        recorder.emit(Tick);
        rounds.give_round_at(now);
        now += MILLISECOND;
    }
    let metrics = recorder.inner().metrics.try_lock_as_consumer().expect("no thread has it");
    for _ in 0..3 {
        now += MILLISECOND;
        rounds.give_round_at(now);
        assert_eq!(rounds.lens(), (0, 0, 1), "it cannot park, and has no event");
    }
    drop(metrics);
    rounds.give_round_at(now + MILLISECOND);
    assert_eq!(rounds.lens(), (0, 0, 0));
}

#[test]
fn a_sleeping_loop_is_woken_by_an_event_that_may_not_wait_that_long() {
    const INTERVAL: Duration = Duration::from_mins(1);
    for (poll_interval, wakes) in [(Duration::ZERO, true), (INTERVAL, true), (10 * INTERVAL, false)] {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = polled_recorder(&event_loop, poll_interval);
        assert!(event_loop.run_queue.try_sleep(asleep_for(2 * INTERVAL)), "there are no requests");
        recorder.emit(Tick);
        assert_eq!(was_woken(&event_loop), wakes, "{poll_interval:?}");
        run_to_the_end(&event_loop);
    }
}

#[test]
fn a_loop_with_a_priority_request_does_not_sleep() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = polled_recorder(&event_loop, Duration::from_hours(1));
    let mut rounds = Rounds::beginning_now(&event_loop);
    recorder.emit(Tick);
    rounds.give_round();
    assert_eq!(rounds.lens(), (0, 0, 1));
    // A reader asks while the loop is awake, after the loop took its requests.
    recorder.inner().schedule(true);
    let sleep = asleep_for(Duration::from_hours(1));
    assert!(!event_loop.run_queue.try_sleep(sleep), "the reader does not wait for the timer");
}

/// While it is dropped, in its recorder's turn, it emits further events.
struct EmitsOnDrop(MetricsRecorder);

impl MetricEvent for EmitsOnDrop {
    const EVENT_TYPE: &'static str = "emits_on_drop";
}

impl Drop for EmitsOnDrop {
    fn drop(&mut self) {
        (0..LIMIT).for_each(|_| self.0.emit(Tick));
    }
}

#[test]
fn a_queue_that_fills_up_during_a_turn_is_not_left_to_the_timer() {
    for has_priority in [false, true] {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = polled_recorder(&event_loop, Duration::from_hours(1));
        let mut rounds = Rounds::beginning_now(&event_loop);
        recorder.emit(Tick);
        rounds.give_round();
        assert_eq!((recorder.stats().pending, rounds.lens()), (0, (0, 0, 1)));

        recorder.emit(EmitsOnDrop(recorder.clone()));
        if has_priority {
            (0..LIMIT / 2).for_each(|_| recorder.emit(Tick));
            rounds.give_round();
        } else {
            rounds.give_round_at(Instant::now() + Duration::from_hours(2));
        }
        assert!(recorder.stats().pending > LIMIT / 4, "the turn ends with what was pending when it began");
        assert_eq!(event_loop.run_queue.priority_requests(), 0, "the turn was pending all the time");
        let expected = if has_priority { (0, 1, 1) } else { (1, 0, 0) };
        assert_eq!(rounds.lens(), expected);

        rounds.give_round();
        assert_eq!(recorder.stats().pending, 0);
        assert_eq!((rounds.busy.len(), rounds.priority.len()), (0, 0));
    }
}

/// It is handed from one recorder to the other while it is dropped, in the turn of its recorder.
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
fn a_loop_with_a_request_in_every_round_lets_the_tasks_of_its_thread_run() {
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

/// A producer that has reserved a position and does not publish.
#[test]
fn rs4_rounds_that_consume_nothing_are_no_progress() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = running_recorder(&event_loop);
    let mut rounds = Rounds::beginning_now(&event_loop);
    recorder.emit(Tick);
    let Ok(permit) = recorder.inner().try_reserve::<Tick>() else {
        panic!("the queue is awake and has room");
    };
    rounds.give_round();
    assert_eq!(recorder.stats().pending, 1);
    rounds.number += 1;
    assert!(!EventLoop::give_turns(&mut rounds), "the second round consumed nothing");
    assert_eq!(rounds.lens(), (1, 0, 0));
    permit.send(Tick);
    rounds.number += 1;
    assert!(EventLoop::give_turns(&mut rounds));
    assert_eq!(recorder.stats().pending, 0);
}

/// A producer that was preempted between the event that unparked its recorder and its request for a turn.
fn unparked_without_a_request(event_loop: &Arc<EventLoop>) -> MetricsRecorder {
    let recorder = polled_recorder(event_loop, Duration::from_hours(1));
    let hint = recorder.inner().queue.push(Tick).ok().expect("there is room");
    assert_eq!(hint, WakeHint::Unpark);
    recorder
}

#[test]
fn rs5_a_queue_that_fills_up_is_drained_although_the_first_producer_was_preempted() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = unparked_without_a_request(&event_loop);
    let mut rounds = Rounds::beginning_now(&event_loop);
    for _ in 0..3 {
        (0..2 * LIMIT).for_each(|_| recorder.emit(Tick));
        rounds.give_round();
        assert_eq!(recorder.stats().pending, 0);
    }
}

#[test]
fn rs5_a_full_queue_asks_for_a_turn_although_two_producers_were_preempted() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = unparked_without_a_request(&event_loop);
    let mut rounds = Rounds::beginning_now(&event_loop);
    // The second one was preempted above the watermark, after it had noted that a turn is pending.
    assert!(recorder.inner().schedule_state.set_turn_pending());
    (0..2 * LIMIT).for_each(|_| recorder.emit(Tick));
    rounds.give_round();
    assert_eq!(recorder.stats().pending, 0);
}

#[test]
fn rs5_a_recorder_that_parked_leaves_no_turn_pending() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = running_recorder(&event_loop);
    let mut rounds = Rounds::beginning_now(&event_loop);
    (0..LIMIT).for_each(|_| recorder.emit(Tick));
    rounds.give_round();
    rounds.give_round();
    assert_eq!(rounds.lens(), (0, 0, 0), "the recorder is parked");
    assert!(recorder.inner().schedule_state.set_turn_pending());
}

#[test]
fn loops_are_told_apart() {
    let [one, other] = [(); 2].map(|()| EventLoop::new());
    assert_ne!(one.identity(), other.identity());
}

#[test]
fn a_loop_counts_its_turns() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = running_recorder(&event_loop);
    let mut rounds = Rounds::beginning_now(&event_loop);
    let before = event_loop.progress_counter();
    recorder.emit(Tick);
    rounds.give_round();
    assert_eq!(event_loop.progress_counter(), before + 1);
}

#[test]
fn the_loop_tracks_each_of_many_restarted_recorders() {
    let event_loop = Arc::new(EventLoop::new());
    let recorders: Vec<_> = (0..20).map(|_| running_recorder(&event_loop)).collect();
    for recorder in &recorders {
        recorder.stop().wait().expect("stops");
        recorder.start().wait().expect("starts again");
    }
    assert_eq!(event_loop.restarted.lock().recorders.len(), 20);
    run_to_the_end(&event_loop);
    assert!(recorders.iter().all(|recorder| recorder.status() == MetricsRecorderState::Cancelled));
}

#[test]
fn the_first_event_of_a_tiny_queue_does_not_wait_for_the_timer() {
    for (limit, wakes) in [(1, true), (3, true), (4, false)] {
        let event_loop = Arc::new(EventLoop::new());
        let recorder = limited_recorder(&event_loop, Duration::from_hours(1), limit);
        let sleep = asleep_for(Duration::from_mins(1));
        assert!(event_loop.run_queue.try_sleep(sleep), "there are no requests");
        recorder.emit(Tick);
        assert_eq!(was_woken(&event_loop), wakes, "limit {limit}");
        run_to_the_end(&event_loop);
    }
}

#[test]
fn a_recorder_is_not_polled_before_its_time() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = polled_recorder(&event_loop, Duration::from_hours(1));
    let mut rounds = Rounds::beginning_now(&event_loop);
    recorder.emit(Tick);
    rounds.give_round();
    recorder.emit(Tick);
    rounds.give_round_at(Instant::now() + Duration::from_mins(59));
    assert_eq!((recorder.stats().pending, rounds.lens()), (1, (0, 0, 1)));
}

#[test]
fn a_loop_that_makes_progress_does_not_pause() {
    const EVENTS: u64 = 100 * MAX_EVENTS_PER_TURN;
    let event_loop = Arc::new(EventLoop::new());
    let recorder = limited_recorder(&event_loop, Duration::ZERO, 2 * EVENTS);
    (0..EVENTS).for_each(|_| recorder.emit(Tick));
    let (here, there) = (recorder.clone(), recorder.clone());
    recorder.emit(Ball { here, there, hops: 0, ends: Arc::clone(&event_loop) });
    // Without a timer, a pause would panic.
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    tokio.block_on(event_loop.run());
    assert_eq!(recorder.stats().processed, EVENTS + 1);
}

#[test]
fn a_loop_without_a_due_poll_sleeps() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = polled_recorder(&event_loop, Duration::from_hours(1));
    recorder.emit(Tick);
    let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    let mut rounds = 0;
    let mut run = pin!(event_loop.run());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            event_loop.end();
        });
        tokio.block_on(poll_fn(|task| {
            rounds += 1;
            run.as_mut().poll(task)
        }));
    });
    assert!(rounds < 10, "{rounds} rounds");
}

#[test]
fn a_turn_that_leaves_events_pending_is_progress() {
    let event_loop = Arc::new(EventLoop::new());
    let recorder = limited_recorder(&event_loop, Duration::ZERO, 4 * MAX_EVENTS_PER_TURN);
    (0..=MAX_EVENTS_PER_TURN).for_each(|_| recorder.emit(Tick));
    let mut rounds = Rounds::beginning_now(&event_loop);
    assert!(event_loop.take_requests(&mut rounds), "the loop goes on");
    rounds.number += 1;
    assert!(EventLoop::give_turns(&mut rounds));
    assert_eq!((recorder.stats().pending, rounds.busy.len()), (1, 1));
}
