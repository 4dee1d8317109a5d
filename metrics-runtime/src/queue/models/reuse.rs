//! Slots and segments that are used again.

use loom::thread;

use super::{MAX_PREEMPTIONS, model, move_on, push, push_patiently, queue, take, take_all, take_until};
use crate::queue::segment::SEGMENT_SLOTS;
use crate::queue::{Consumer, Queue, SegmentPool};
use crate::sync::Arc;

#[test]
fn a_slot_is_reused_only_when_it_is_free() {
    model(Some(MAX_PREEMPTIONS), || {
        let queue = queue(2);
        let (mut consumer, mut taken) = (Consumer::new(), Vec::new());
        move_on(&queue, &mut consumer, 2);
        // Through the rest of the first segment and the second one, until the first one is in use again.
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
fn a_slot_is_free_for_a_producer_that_has_not_read_the_head_itself() {
    // One producer reads `head` and moves `fast_limit` on; the other one relies on `fast_limit` alone.
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
fn a_producer_behind_the_one_that_unparks_meets_no_removed_segment() {
    // The consumer parks in the middle of a segment. The other thread pushes right after the exchange that unparks it.
    model(None, || {
        let pool = Arc::new(SegmentPool::new());
        // At this limit the first event moves `fast_limit` beyond the third.
        let queue = Arc::new(Queue::new(4 * SEGMENT_SLOTS, Arc::clone(&pool)));
        push(&queue, 0, 0).expect("there is room");
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || push(&queue, 1, 0).expect("there is room"))
        };
        let (mut consumer, mut taken) = (Consumer::new(), Vec::new());
        take(&queue, &mut consumer, 1, &mut taken);
        queue.park(&mut consumer);
        // Another queue uses the removed segment.
        let elsewhere = Queue::new(1, pool);
        push(&elsewhere, 2, 0).expect("there is room");
        push(&queue, 0, 1).expect("there is room");
        other.join().expect("it does not panic");
        while take(&queue, &mut consumer, u64::MAX, &mut taken) {}
        assert_eq!(taken.len(), 3, "the consumer finds every event");
    });
}

#[test]
fn two_producers_install_one_segment() {
    model(Some(MAX_PREEMPTIONS), || {
        // At this limit the checkpoint at position 2 would move `fast_limit` beyond the first segment.
        let queue = queue(8);
        (0..3).for_each(|number| assert!(push(&queue, 0, number).is_ok()));
        // The next positions are in the second segment. The second event of this thread needs no lock.
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..2).for_each(|number| assert!(push(&queue, 1, number).is_ok())))
        };
        push(&queue, 2, 0).expect("there is room");
        other.join().expect("it does not panic");
        assert_eq!(take_all(&queue, 6).len(), 6);
    });
}

#[test]
fn a_producer_installs_a_segment_while_the_consumer_parks() {
    model(Some(MAX_PREEMPTIONS), || {
        let pool = Arc::new(SegmentPool::new());
        let queue = Arc::new(Queue::new(4 * SEGMENT_SLOTS, Arc::clone(&pool)));
        let (mut consumer, mut taken) = (Consumer::new(), Vec::new());
        // The next position is the first of the second segment, and the queue is not parked.
        move_on(&queue, &mut consumer, SEGMENT_SLOTS);
        let producer = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..2).for_each(|number| assert!(push(&queue, 0, number).is_ok())))
        };
        queue.park(&mut consumer);
        take(&queue, &mut consumer, 1, &mut taken);
        queue.park(&mut consumer);
        // Another queue uses a segment that `park` has removed.
        let elsewhere = Queue::new(1, pool);
        push(&elsewhere, 2, 0).expect("there is room");
        producer.join().expect("it does not panic");
        while take(&queue, &mut consumer, u64::MAX, &mut taken) {}
        assert_eq!(taken, [(0, 0), (0, 1)]);
    });
}
