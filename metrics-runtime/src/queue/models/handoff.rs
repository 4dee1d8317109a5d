//! Reserving, publishing and consuming; the limit.

use loom::thread;

use super::{MAX_PREEMPTIONS, model, push, queue, take};
use crate::event::MetricEvent;
use crate::queue::Consumer;
use crate::sync::{Arc, AtomicU64, Ordering};

#[test]
fn two_producers_reserve_publish_and_are_consumed_in_order() {
    model(Some(MAX_PREEMPTIONS), || {
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
    model(Some(MAX_PREEMPTIONS), || {
        let queue = queue(2);
        push(&queue, 0, 0).expect("there is room");
        let producers: Vec<_> = (1..3)
            .map(|producer| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let accepted = push(&queue, producer, 0).is_ok();
                    // In this order: a consumed event was accepted before.
                    let consumed = queue.consumed();
                    let most = queue.accepted().saturating_sub(consumed);
                    // Between the two reads at most three events were accepted and consumed.
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

#[test]
fn an_event_that_counts_as_consumed_is_dropped() {
    struct FlagsDrop(Arc<AtomicU64>);

    impl Drop for FlagsDrop {
        fn drop(&mut self) {
            self.0.store(1, Ordering::Relaxed);
        }
    }

    impl MetricEvent for FlagsDrop {
        const EVENT_TYPE: &'static str = "flags_drop";
    }

    model(None, || {
        let (queue, dropped) = (queue(4), Arc::new(AtomicU64::new(0)));
        assert!(queue.push(FlagsDrop(Arc::clone(&dropped))).is_ok());
        let reader = {
            let (queue, dropped) = (Arc::clone(&queue), Arc::clone(&dropped));
            thread::spawn(move || {
                // Looks once: after a yield loom would hide old values of `dropped`.
                if queue.consumed() == 1 {
                    assert_eq!(dropped.load(Ordering::Relaxed), 1);
                }
            })
        };
        queue.next_batch(&mut Consumer::new(), 1).expect("one is pending").consume();
        reader.join().expect("it does not panic");
    });
}

#[test]
fn events_left_are_dropped_once() {
    model(Some(MAX_PREEMPTIONS), || {
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
        // Loom reports an event that is not dropped.
    });
}
