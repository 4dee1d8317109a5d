//! The run queue under loom, together with a recorder's queue and the line of producers that wait for room: no request for a turn
//! is lost, and no producer waits for ever.
//!
//! `RUSTFLAGS="--cfg mvx_loom" cargo test -p mvx-metrics --release --lib models`
//!
//! A lost request leaves the loop asleep with an event pending, which loom reports as a deadlock. Each step was broken on
//! purpose, one at a time:
//!
//! | broken | noticed by |
//! |---|---|
//! | `deschedule` without the second look, or the look before the swap | `no_request_is_lost..` |
//! | `queued` cleared by a store instead of a swap | `no_request_is_lost..` |
//! | `request` does not wake a parked loop; `try_sleep` ignores requests | `no_request_is_lost..` |
//! | `request` drops an urgent request for a recorder that the loop has; `in_priority` is never cleared | `an_urgent_request..` |
//! | a sleep until the timer is not interrupted by an urgent request | `an_urgent_request..` |
//! | `clear_turn_pending` after the look at the watermark, or missing | `a_queue_above_its_watermark..` |
//! | `turn_pending` stored or loaded instead of swapped | `a_queue_above_its_watermark..` |
//! | a producer that waits for room requests no turn, or requests it before it enters the line (L1) | `no_producer_waits..` |
//! | `take_due` knows no drained queue | `no_producer_waits..` |
//! | a producer leaves the line and wakes no other (L2) | `a_producer_that_is_cancelled..` |

use std::time::{Duration, Instant};

use loom::sync::Notify;
use loom::thread;

use super::run_queue::{Requested, RunQueue, ScheduleState, Sleep};
use crate::engine::room::RoomLine;
use crate::event::MetricEvent;
use crate::queue::{Consumer, Queue, SegmentPool, WakeHint};
use crate::sync::{AtomicU64, Ordering};

/// How often loom interrupts threads. With more there are too many orders, and bugs need few interruptions.
const MAX_INTERRUPTIONS: usize = 3;

struct Event;

impl MetricEvent for Event {
    const EVENT_TYPE: &'static str = "event";
}

/// A recorder, as far as the run queue and its own queue are concerned, and its event loop.
struct Model {
    queue: Queue,
    /// `None` in the models in which no producer waits: each load makes more orders.
    room: Option<RoomLine>,
    state: std::sync::Arc<ScheduleState>,
    run_queue: RunQueue<std::sync::Arc<ScheduleState>>,
    wake: Notify,
    /// How many events the loop's turns have consumed.
    consumed: AtomicU64,
}

impl Model {
    fn new(limit: u64) -> Self {
        Self {
            queue: Queue::new(limit, crate::sync::Arc::new(SegmentPool::new())),
            room: None,
            state: std::sync::Arc::default(),
            run_queue: RunQueue::new(),
            wake: Notify::new(),
            consumed: AtomicU64::new(0),
        }
    }

    /// A model in which producers wait for room in a queue for one event.
    fn with_room() -> Self {
        Self { room: Some(RoomLine::default()), ..Self::new(1) }
    }

    fn room(&self) -> &RoomLine {
        self.room.as_ref().expect("the model has it")
    }

    fn request(&self, urgent: bool) {
        let interval = || Duration::from_hours(1);
        if self.run_queue.request(&self.state, urgent, || self.state.clone(), interval) == Requested::MustWake
        {
            self.wake.notify();
        }
    }

    /// A producer's call, as in `RecorderInner::push_slow` and `after_accepting`. Answers `false` when the queue is full.
    fn try_emit(&self) -> bool {
        match self.queue.push(Event) {
            Ok(WakeHint::Early) if self.state.set_turn_pending() => self.request(true),
            Ok(WakeHint::Unpark) => self.request(false),
            Ok(WakeHint::None | WakeHint::Early) => {}
            Err(_) => return false,
        }
        true
    }

    fn emit(&self) {
        while !self.try_emit() {
            // The queue is full: the loop has work.
            thread::yield_now();
        }
    }

    /// A producer's call that waits for room, as in `RecorderInner::register_event_blocking`.
    fn emit_blocking(&self) {
        let mut ticket = None;
        let mut done = self.try_emit();
        while !done {
            let (place, room) = self.room().enter(ticket, &self.queue);
            ticket = Some(place);
            self.request(true);
            room.wait_until(Instant::now() + Duration::from_hours(1)).expect("loom has no time");
            done = self.try_emit();
            self.leave_line(place);
        }
    }

    /// A producer leaves the line, as in `RecorderInner::leave_line`.
    fn leave_line(&self, place: u64) {
        self.room().leave(place);
        self.wake_producers();
    }

    fn wake_producers(&self) {
        for producer in self.room().take_due(&self.queue) {
            producer.complete(());
        }
    }

    /// A turn: consumes the pending events.
    fn turn(&self, consumer: &mut Consumer) {
        let target = self.queue.accepted();
        while self.queue.consumed() < target {
            match self.queue.next_batch(consumer, target - self.queue.consumed()) {
                Some(batch) => batch.consume(),
                None => thread::yield_now(),
            }
        }
        self.consumed.store(self.queue.consumed(), Ordering::Relaxed);
        if self.room.is_some() {
            self.wake_producers();
        }
    }

    /// The loop with a poll interval of zero, until it has consumed so many events.
    fn run_without_timer(&self, events: u64) {
        let (mut consumer, mut requests, mut has_recorder) = (Consumer::new(), Vec::new(), false);
        loop {
            self.run_queue.take_requests(&mut requests, |state| state);
            has_recorder |= !requests.is_empty();
            requests.clear();
            if has_recorder {
                self.turn(&mut consumer);
                if self.queue.park(&mut consumer) {
                    has_recorder = self.state.deschedule(|| !self.queue.is_parked());
                }
            }
            if self.queue.consumed() == events {
                return;
            }
            if !has_recorder && self.run_queue.try_sleep(Sleep::Parked) {
                self.wake.wait();
            } else {
                thread::yield_now();
            }
        }
    }

    /// The loop with a timer that never fires, until it has consumed so many events. Urgent requests alone wake it.
    fn run_with_timer(&self, events: u64) {
        let (mut consumer, mut requests) = (Consumer::new(), Vec::new());
        loop {
            self.run_queue.take_requests(&mut requests, |state| state);
            if !requests.is_empty() {
                requests.clear();
                self.turn(&mut consumer);
                self.state.clear_turn_pending();
                while self.queue.is_above_watermark() {
                    self.turn(&mut consumer);
                    self.state.clear_turn_pending();
                }
            }
            if self.queue.consumed() >= events {
                return;
            }
            let length = Duration::from_mins(1);
            if self.run_queue.try_sleep(Sleep::Until { time: Instant::now() + length, length }) {
                self.wake.wait();
            } else {
                thread::yield_now();
            }
        }
    }
}

fn check(interruptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.check(body);
}

#[test]
fn no_request_is_lost_when_the_recorder_parks() {
    check(MAX_INTERRUPTIONS, || {
        let model = loom::sync::Arc::new(Model::new(4));
        let producer = {
            let model = loom::sync::Arc::clone(&model);
            thread::spawn(move || (0..2).for_each(|_| model.emit()))
        };
        model.run_without_timer(2);
        producer.join().expect("no panic");
    });
}

#[test]
fn no_request_is_lost_between_two_producers() {
    check(2, || {
        let model = loom::sync::Arc::new(Model::new(4));
        let producers = [(); 2].map(|()| {
            let model = loom::sync::Arc::clone(&model);
            thread::spawn(move || model.emit())
        });
        model.run_without_timer(2);
        producers.into_iter().for_each(|producer| producer.join().expect("no panic"));
    });
}

#[test]
fn an_urgent_request_gets_a_turn_before_the_timer_fires() {
    check(MAX_INTERRUPTIONS, || {
        let model = loom::sync::Arc::new(Model::new(16));
        // The loop has the recorder, which is idle, and polls it later.
        model.emit();
        let reader = {
            let model = loom::sync::Arc::clone(&model);
            thread::spawn(move || {
                for _ in 0..2 {
                    model.emit();
                    model.request(true);
                }
            })
        };
        model.run_with_timer(3);
        reader.join().expect("no panic");
    });
}

#[test]
fn a_queue_above_its_watermark_gets_a_turn_before_the_timer_fires() {
    check(2, || {
        let model = loom::sync::Arc::new(Model::new(4));
        model.emit();
        let producer = {
            let model = loom::sync::Arc::clone(&model);
            thread::spawn(move || (0..4).for_each(|_| model.emit()))
        };
        // The last event may stay below the watermark and wait for the timer.
        model.run_with_timer(4);
        producer.join().expect("no panic");
    });
}

#[test]
fn no_producer_waits_for_ever_at_a_full_queue() {
    check(2, || {
        let model = loom::sync::Arc::new(Model::with_room());
        model.emit();
        let producer = {
            let model = loom::sync::Arc::clone(&model);
            thread::spawn(move || model.emit_blocking())
        };
        model.run_without_timer(2);
        producer.join().expect("no panic");
    });
}

#[test]
fn a_producer_that_is_cancelled_leaves_its_room_to_the_next() {
    check(MAX_INTERRUPTIONS, || {
        let model = loom::sync::Arc::new(Model::with_room());
        model.emit();
        let (cancelled, _) = model.room().enter(None, &model.queue);
        let (place, room) = model.room().enter(None, &model.queue);
        model.request(true);
        let event_loop = {
            let model = loom::sync::Arc::clone(&model);
            thread::spawn(move || model.run_without_timer(2))
        };
        model.leave_line(cancelled);
        room.wait_until(Instant::now() + Duration::from_hours(1)).expect("loom has no time");
        assert!(model.try_emit(), "no other producer takes the room");
        model.leave_line(place);
        event_loop.join().expect("no panic");
    });
}
