//! Parking and waking; closing and reopening.

use loom::sync::Notify;
use loom::thread;

use super::{MAX_PREEMPTIONS, model, push, queue, take, take_all};
use crate::queue::{Consumer, PushError, Queue, WakeHint};
use crate::sync::Arc;

/// A consumer that sleeps whenever it can, until it has taken `count` events.
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
    if push(queue, producer, number).expect("there is room") == WakeHint::Unpark {
        bell.notify();
    }
}

#[test]
fn no_wake_up_is_lost() {
    model(Some(MAX_PREEMPTIONS), || {
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
fn after_close_nothing_is_accepted_until_it_is_reopened() {
    model(Some(MAX_PREEMPTIONS), || {
        let queue = queue(4);
        let producers: Vec<_> = (0..2)
            .map(|producer| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || push(&queue, producer, 0))
            })
            .collect();
        queue.close();
        let accepted = queue.accepted();
        assert_eq!(push(&queue, 2, 0), Err(PushError::Closed));
        let results: Vec<_> =
            producers.into_iter().map(|producer| producer.join().expect("it does not panic")).collect();
        assert_eq!(results.iter().filter(|result| result.is_ok()).count() as u64, accepted);
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(PushError::Closed))));
        assert_eq!(queue.accepted(), accepted);
        assert_eq!(take_all(&queue, usize::try_from(accepted).expect("few")).len() as u64, accepted);
        let mut consumer = Consumer::new();
        assert!(!queue.park(&mut consumer), "the stop is still to be finished");
        queue.reopen();
        assert_eq!(push(&queue, 2, 0), Ok(WakeHint::Unpark));
    });
}

#[test]
fn the_consumer_may_park_while_the_queue_is_closed_and_reopened() {
    model(Some(MAX_PREEMPTIONS), || {
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
