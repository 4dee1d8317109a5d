//! The protocol under loom, which tries every order of the threads' steps and every value a load may see.
//!
//! `RUSTFLAGS="--cfg mvx_loom" cargo test -p mvx-metrics --release --lib queue::models`
//!
//! A segment has three slots here, so that it may be removed while it is in the middle of its use. Loom itself reports a race on an event, a deadlock, and a leaked [`Arc`]; that a reserved
//! slot is free is asserted where it is filled.

use loom::sync::Notify;
use loom::thread;

use super::segment::SEGMENT_SLOTS;
use super::{Accepted, Consumer, Queue, Refusal, SegmentPool};
use crate::event::MetricEvent;
use crate::sync::{Arc, AtomicU64, Ordering};

/// An event of a producer; it holds on to something, so that loom sees when it is dropped twice or never.
struct Told {
    producer: u64,
    number: u64,
    _held: Arc<()>,
}

impl MetricEvent for Told {
    const EVENT_TYPE: &'static str = "told";
}

/// Threads are interrupted at most so often where the orders would be too many otherwise; bugs need few.
const INTERRUPTIONS: usize = 3;

fn model(interruptions: Option<usize>, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = interruptions;
    builder.check(body);
}

fn queue(limit: u64) -> Arc<Queue> {
    Arc::new(Queue::new(limit, Arc::new(SegmentPool::new())))
}

fn push(queue: &Queue, producer: u64, number: u64) -> Result<Accepted, Refusal> {
    queue.push(Told { producer, number, _held: Arc::new(()) }).map_err(|(refusal, _)| refusal)
}

/// Consumes the events that are there, at most `most` at once, and adds them to `taken`.
fn take(queue: &Queue, consumer: &mut Consumer, most: u64, taken: &mut Vec<(u64, u64)>) -> bool {
    let Some(run) = queue.next_run(consumer, most) else {
        return false;
    };
    for slot in run.slots() {
        // SAFETY: all events are of this type, and the run keeps them.
        let event = unsafe { slot.event::<Told>() };
        taken.push((event.producer, event.number));
    }
    run.consume();
    true
}

/// Consumes until so many events were taken.
fn take_until(queue: &Queue, consumer: &mut Consumer, count: usize, taken: &mut Vec<(u64, u64)>) {
    while taken.len() < count {
        if !take(queue, consumer, u64::MAX, taken) {
            thread::yield_now();
        }
    }
}

fn take_all(queue: &Queue, count: usize) -> Vec<(u64, u64)> {
    let mut taken = Vec::new();
    take_until(queue, &mut Consumer::new(), count, &mut taken);
    taken
}

/// Moves an empty queue on by so many positions, before other threads come in.
fn move_on(queue: &Queue, consumer: &mut Consumer, count: u64) {
    for number in 0..count {
        push(queue, 9, number).expect("there is room");
        assert!(take(queue, consumer, 1, &mut Vec::new()));
    }
}

/// Pushes until there is room.
fn push_patiently(queue: &Queue, producer: u64, number: u64) {
    while push(queue, producer, number).is_err() {
        thread::yield_now();
    }
}

#[test]
fn two_producers_reserve_publish_and_are_consumed_in_order() {
    model(Some(INTERRUPTIONS), || {
        let queue = queue(4);
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                for number in 0..2 {
                    push(&queue, 1, number).expect("there is room");
                }
            })
        };
        push(&queue, 0, 0).expect("there is room");
        let mut consumer = Consumer::new();
        let mut taken = Vec::new();
        take(&queue, &mut consumer, u64::MAX, &mut taken);
        other.join().expect("it does not panic");
        while take(&queue, &mut consumer, u64::MAX, &mut taken) {}
        assert_eq!((queue.accepted(), queue.consumed(), taken.len()), (3, 3, 3));
        taken.retain(|told| told.0 == 1);
        assert_eq!(taken, [(1, 0), (1, 1)]);
    });
}

#[test]
fn a_slot_is_reused_only_when_it_is_free() {
    model(Some(INTERRUPTIONS), || {
        let queue = queue(2);
        let (mut consumer, mut taken) = (Consumer::new(), Vec::new());
        move_on(&queue, &mut consumer, 2);
        // Through the rest of the first segment and the second one, to where the ring has come round.
        let producer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..5).for_each(|number| push_patiently(&queue, 0, number)))
        };
        take_until(&queue, &mut consumer, 5, &mut taken);
        assert_eq!(taken, [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]);
        producer.join().expect("it does not panic");
    });
}

#[test]
fn a_producer_that_relies_on_anothers_look_at_the_head_meets_no_old_segment() {
    // The main thread consumes, and has looked at the head for the seventh event when the other one takes its place, where
    // the ring has come round to the entry of the first segment.
    model(Some(2), || {
        let queue = queue(2);
        let (mut consumer, mut taken) = (Consumer::new(), Vec::new());
        move_on(&queue, &mut consumer, 2);
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, 1, 0).is_ok())
        };
        for number in 0..5 {
            if push(&queue, 0, number).is_err() || number % 2 == 1 {
                while take(&queue, &mut consumer, u64::MAX, &mut taken) {}
            }
        }
        other.join().expect("it does not panic");
        while take(&queue, &mut consumer, u64::MAX, &mut taken) {}
        assert_eq!(queue.accepted(), queue.consumed(), "everything is where the consumer looks for it");
    });
}

#[test]
fn a_slot_freed_by_one_producers_look_is_free_for_another() {
    // The producer that sees the head moves the bound on; the other one relies on the bound alone.
    model(Some(2), || {
        let queue = queue(2);
        push(&queue, 0, 0).expect("there is room");
        push(&queue, 0, 1).expect("there is room");
        let producers: Vec<_> = (1..3)
            .map(|producer| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || usize::from(push(&queue, producer, 0).is_ok()))
            })
            .collect();
        let (mut consumer, mut taken) = (Consumer::new(), Vec::new());
        assert!(take(&queue, &mut consumer, u64::MAX, &mut taken));
        let accepted: usize = producers.into_iter().map(|producer| producer.join().expect("no panic")).sum();
        while take(&queue, &mut consumer, u64::MAX, &mut taken) {}
        assert_eq!(taken.len(), 2 + accepted);
    });
}

#[test]
fn two_producers_stay_within_the_limit() {
    model(None, || {
        let queue = queue(1);
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, 0, 0).is_ok())
        };
        let here = push(&queue, 1, 0).is_ok();
        let there = other.join().expect("it does not panic");
        assert!(here != there, "one place, one event");
        assert_eq!(queue.accepted(), 1);
    });
}

#[test]
fn two_producers_stay_within_the_limit_while_it_is_consumed() {
    model(Some(INTERRUPTIONS), || {
        let queue = queue(2);
        push(&queue, 0, 0).expect("there is room");
        let producers: Vec<_> = (1..3)
            .map(|producer| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let accepted = push(&queue, producer, 0).is_ok();
                    // In this order: what is consumed was accepted before.
                    let consumed = queue.consumed();
                    let most = queue.accepted().saturating_sub(consumed);
                    // Others may have come and gone between the two looks, three at most.
                    assert!(most <= 3);
                    accepted
                })
            })
            .collect();
        let mut taken = Vec::new();
        take(&queue, &mut Consumer::new(), 1, &mut taken);
        let accepted = producers.into_iter().map(|producer| producer.join().expect("it does not panic"));
        let accepted = 1 + accepted.filter(|accepted| *accepted).count() as u64;
        assert_eq!(queue.accepted(), accepted);
        assert!(accepted - queue.consumed() <= 2);
        // There was room for one of them at least.
        assert!(accepted >= 2);
    });
}

/// A consumer that sleeps whenever it may, until it has taken so many events.
fn consume_or_sleep(queue: &Queue, bell: &Notify, count: usize) -> Vec<(u64, u64)> {
    let mut consumer = Consumer::new();
    let mut taken = Vec::new();
    loop {
        while take(queue, &mut consumer, u64::MAX, &mut taken) {}
        if taken.len() == count {
            return taken;
        }
        if queue.park(&mut consumer) {
            bell.wait();
        } else {
            thread::yield_now();
        }
    }
}

fn push_and_ring(queue: &Queue, bell: &Notify, producer: u64, number: u64) {
    if push(queue, producer, number).expect("there is room") == Accepted::Unparking {
        bell.notify();
    }
}

#[test]
fn no_wake_up_is_lost() {
    model(Some(INTERRUPTIONS), || {
        let queue = queue(4);
        let bell = Arc::new(Notify::new());
        let producer = {
            let (queue, bell) = (Arc::clone(&queue), Arc::clone(&bell));
            thread::spawn(move || (0..3).for_each(|number| push_and_ring(&queue, &bell, 0, number)))
        };
        assert_eq!(consume_or_sleep(&queue, &bell, 3), [(0, 0), (0, 1), (0, 2)]);
        producer.join().expect("it does not panic");
    });
}

#[test]
fn no_wake_up_is_lost_between_two_producers() {
    model(Some(1), || {
        let queue = queue(4);
        let bell = Arc::new(Notify::new());
        let producers: Vec<_> = (0..2)
            .map(|producer| {
                let (queue, bell) = (Arc::clone(&queue), Arc::clone(&bell));
                thread::spawn(move || push_and_ring(&queue, &bell, producer, 0))
            })
            .collect();
        assert_eq!(consume_or_sleep(&queue, &bell, 2).len(), 2);
        producers.into_iter().for_each(|producer| producer.join().expect("it does not panic"));
    });
}

#[test]
fn a_producer_behind_the_one_that_unparks_meets_no_removed_segment() {
    // The consumer parks in the middle of a segment; the other thread comes right after the exchange that unparks it.
    model(None, || {
        let pool = Arc::new(SegmentPool::new());
        // At this limit the first event moves the bound beyond the third.
        let queue = Arc::new(Queue::new(4 * SEGMENT_SLOTS, Arc::clone(&pool)));
        push(&queue, 0, 0).expect("there is room");
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, 1, 0).expect("there is room"))
        };
        let (mut consumer, mut taken) = (Consumer::new(), Vec::new());
        take(&queue, &mut consumer, 1, &mut taken);
        queue.park(&mut consumer);
        // The removed segment comes into use elsewhere.
        let elsewhere = Queue::new(1, pool);
        push(&elsewhere, 2, 0).expect("there is room");
        push(&queue, 0, 1).expect("there is room");
        other.join().expect("it does not panic");
        while take(&queue, &mut consumer, u64::MAX, &mut taken) {}
        assert_eq!(taken.len(), 3, "everything is where the consumer looks for it");
    });
}

#[test]
fn after_close_nothing_is_accepted_until_it_is_reopened() {
    model(Some(INTERRUPTIONS), || {
        let queue = queue(4);
        let producers: Vec<_> = (0..2)
            .map(|producer| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || push(&queue, producer, 0))
            })
            .collect();
        let accepted = queue.close();
        assert_eq!(push(&queue, 2, 0), Err(Refusal::Closed));
        let results: Vec<_> =
            producers.into_iter().map(|producer| producer.join().expect("it does not panic")).collect();
        assert_eq!(results.iter().filter(|result| result.is_ok()).count() as u64, accepted);
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(Refusal::Closed))));
        assert_eq!(queue.accepted(), accepted);
        assert_eq!(take_all(&queue, usize::try_from(accepted).expect("few")).len() as u64, accepted);
        let mut consumer = Consumer::new();
        assert!(!queue.park(&mut consumer), "there is an end to be made");
        queue.reopen();
        assert_eq!(push(&queue, 2, 0), Ok(Accepted::Unparking));
    });
}

#[test]
fn the_consumer_may_park_while_the_queue_is_closed_and_reopened() {
    model(Some(INTERRUPTIONS), || {
        let queue = queue(4);
        let producer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || [push(&queue, 0, 0), push(&queue, 0, 1)])
        };
        queue.close();
        let mut consumer = Consumer::new();
        queue.park(&mut consumer);
        queue.reopen();
        let results = producer.join().expect("it does not panic");
        let accepted = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(queue.accepted(), accepted as u64);
        assert_eq!(take_all(&queue, accepted).len(), accepted);
    });
}

#[test]
fn an_event_that_counts_as_consumed_is_dropped() {
    struct Noted(Arc<AtomicU64>);

    impl Drop for Noted {
        fn drop(&mut self) {
            self.0.store(1, Ordering::Relaxed);
        }
    }

    impl MetricEvent for Noted {
        const EVENT_TYPE: &'static str = "noted";
    }

    model(None, || {
        let (queue, dropped) = (queue(4), Arc::new(AtomicU64::new(0)));
        assert!(queue.push(Noted(Arc::clone(&dropped))).is_ok());
        let consumer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.next_run(&mut Consumer::new(), 1).expect("one is pending").consume())
        };
        // A flush that sees it returns.
        if queue.consumed() == 1 {
            assert_eq!(dropped.load(Ordering::Relaxed), 1);
        }
        consumer.join().expect("it does not panic");
    });
}

#[test]
fn events_left_are_dropped_once() {
    model(None, || {
        let queue = queue(4);
        let producer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                push(&queue, 0, 0).expect("there is room");
                push(&queue, 0, 1).expect("there is room");
            })
        };
        push(&queue, 1, 0).expect("there is room");
        let mut taken = Vec::new();
        take(&queue, &mut Consumer::new(), 1, &mut taken);
        producer.join().expect("it does not panic");
        // Loom reports what an event held if nobody drops it.
    });
}

#[test]
fn two_producers_install_one_segment() {
    model(Some(INTERRUPTIONS), || {
        let queue = queue(5);
        // Both of the next positions are in the second segment.
        (0..3).for_each(|number| assert!(push(&queue, 0, number).is_ok()));
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, 1, 0).expect("there is room"))
        };
        push(&queue, 2, 0).expect("there is room");
        other.join().expect("it does not panic");
        assert_eq!(take_all(&queue, 5).len(), 5);
    });
}

#[test]
fn a_producer_that_is_late_to_install_a_segment_sees_the_other_one_as_it_is() {
    // The segment that is installed meanwhile was in use elsewhere until a moment ago.
    model(Some(INTERRUPTIONS), || {
        let pool = Arc::new(SegmentPool::new());
        let elsewhere = Queue::new(SEGMENT_SLOTS, Arc::clone(&pool));
        let queue = Arc::new(Queue::new(4 * SEGMENT_SLOTS, pool));
        for number in 0..SEGMENT_SLOTS {
            push(&elsewhere, 0, number).expect("there is room");
            push(&queue, 0, number).expect("there is room");
        }
        let late = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, 1, 0).expect("there is room"))
        };
        assert!(take(&elsewhere, &mut Consumer::new(), u64::MAX, &mut Vec::new()));
        push(&queue, 2, 0).expect("there is room");
        late.join().expect("it does not panic");
        assert_eq!(take_all(&queue, 5).len(), 5);
    });
}
