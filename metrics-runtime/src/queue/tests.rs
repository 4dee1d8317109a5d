//! The queue against a plain model in one thread. Loom and the stress test check it with several threads.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::prelude::*;

use super::segment::{Directory, SEGMENT_SLOTS, Spare};
use super::slot::Slot;
use super::{Consumer, PushError, Queue, SegmentPool, WakeHint};
use crate::event::MetricEvent;

/// Fits a slot. Its reference count shows whether it was dropped.
struct InPlace(u64, #[expect(dead_code, reason = "held")] Arc<()>);

/// Larger than a slot.
struct Boxed([u64; 20], #[expect(dead_code, reason = "held")] Arc<()>);

/// Aligned more strictly than a slot's payload.
#[repr(align(128))]
struct Aligned(u64, #[expect(dead_code, reason = "held")] Arc<()>);

/// An event without bytes.
struct Nothing;

impl MetricEvent for InPlace {
    const EVENT_TYPE: &'static str = "in_place";
}

impl MetricEvent for Boxed {
    const EVENT_TYPE: &'static str = "boxed";
}

impl MetricEvent for Aligned {
    const EVENT_TYPE: &'static str = "aligned";
}

impl MetricEvent for Nothing {
    const EVENT_TYPE: &'static str = "nothing";
}

/// An event as the model knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ModelEvent {
    InPlace(u64),
    Boxed(u64),
    Aligned(u64),
    Nothing,
}

impl ModelEvent {
    fn of(number: u64) -> Self {
        match number % 4 {
            0 => Self::InPlace(number),
            1 => Self::Boxed(number),
            2 => Self::Aligned(number),
            _ => Self::Nothing,
        }
    }

    fn push(self, queue: &Queue, held: &Arc<()>) -> Result<WakeHint, PushError> {
        let held = Arc::clone(held);
        match self {
            Self::InPlace(number) => queue.push(InPlace(number, held)).map_err(|refused| refused.0),
            Self::Boxed(number) => queue.push(Boxed([number; 20], held)).map_err(|refused| refused.0),
            Self::Aligned(number) => queue.push(Aligned(number, held)).map_err(|refused| refused.0),
            Self::Nothing => queue.push(Nothing).map_err(|refused| refused.0),
        }
    }

    fn holds(self) -> usize {
        usize::from(self != Self::Nothing)
    }
}

fn queue(limit: u64) -> Queue {
    Queue::new(limit, Arc::new(SegmentPool::new()))
}

/// Consumes one batch of at most `most` events, and returns its events.
fn take(queue: &Queue, consumer: &mut Consumer, most: u64) -> Vec<ModelEvent> {
    let Some(mut batch) = queue.next_batch(consumer, most) else {
        return Vec::new();
    };
    let mut events = Vec::new();
    let length = batch.published().slots().len();
    {
        let first = batch.first();
        let view = first.view();
        let event = if let Some(event) = view.downcast_ref::<InPlace>() {
            ModelEvent::InPlace(event.0)
        } else if let Some(event) = view.downcast_ref::<Boxed>() {
            assert!(event.0.iter().all(|number| *number == event.0[0]), "a boxed event is whole");
            ModelEvent::Boxed(event.0[0])
        } else if let Some(event) = view.downcast_ref::<Aligned>() {
            assert_eq!(std::ptr::from_ref(event).addr() % 128, 0, "an aligned event is aligned");
            ModelEvent::Aligned(event.0)
        } else {
            assert!(view.is::<Nothing>());
            ModelEvent::Nothing
        };
        events.resize(length, event);
    }
    batch.consume();
    events
}

#[derive(Debug, Clone)]
enum Action {
    Push(u64),
    Take(u64),
    Park,
    Close,
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0_u64..1_000).prop_map(Action::Push),
        3 => (1_u64..2_000).prop_map(Action::Take),
        1 => Just(Action::Park),
        1 => Just(Action::Close),
        1 => Just(Action::Reopen),
    ]
}

proptest! {
    #[test]
    fn a_queue_does_what_a_bounded_deque_does(
        limit in prop_oneof![1_u64..10, 250_u64..600],
        actions in prop::collection::vec((action(), 1_usize..80), 1..if cfg!(miri) { 6 } else { 120 }),
    ) {
        let (queue, mut consumer, held) = (queue(limit), Consumer::new(), Arc::new(()));
        let (mut model, mut open, mut accepted) = (VecDeque::new(), true, 0);
        for (action, times) in actions {
            for _ in 0..times {
                match action {
                    Action::Push(number) => {
                        let event = ModelEvent::of(number);
                        let expected = match (open, (model.len() as u64) < limit) {
                            (false, _) => Err(PushError::Closed),
                            (true, false) => Err(PushError::Full),
                            (true, true) => Ok(()),
                        };
                        prop_assert_eq!(event.push(&queue, &held).map(|_| ()), expected);
                        if expected.is_ok() {
                            model.push_back(event);
                            accepted += 1;
                        }
                    }
                    Action::Take(most) => {
                        for event in take(&queue, &mut consumer, most) {
                            // A batch has one type; `take` looks only at its first event.
                            let expected = model.pop_front().expect("a taken event was pushed");
                            prop_assert_eq!(std::mem::discriminant(&event), std::mem::discriminant(&expected));
                        }
                    }
                    Action::Park => {
                        let parks = queue.park(&mut consumer);
                        prop_assert_eq!(parks, open && model.is_empty());
                        prop_assert_eq!(queue.is_parked() && !model.is_empty(), false);
                    }
                    Action::Close => {
                        queue.close();
                        open = false;
                    }
                    Action::Reopen => {
                        queue.reopen();
                        open = true;
                    }
                }
                prop_assert_eq!(queue.accepted(), accepted);
                prop_assert_eq!(queue.accepted() - queue.consumed(), model.len() as u64);
            }
        }
        let pending: usize = model.iter().map(|event| event.holds()).sum();
        prop_assert_eq!(Arc::strong_count(&held), 1 + pending, "consumed events are dropped, pending ones are not");
        drop(queue);
        prop_assert_eq!(Arc::strong_count(&held), 1, "everything is dropped with the queue");
    }
}

#[test]
fn events_come_out_in_order_over_many_segments() {
    let (queue, mut consumer, held) = (queue(3 * SEGMENT_SLOTS), Consumer::new(), Arc::new(()));
    let (mut pushed, mut taken) = (0, 0);
    while taken < if cfg!(miri) { 4 } else { 20 } * SEGMENT_SLOTS {
        while queue.push(InPlace(pushed, Arc::clone(&held))).is_ok() {
            pushed += 1;
        }
        while let Some(mut batch) = queue.next_batch(&mut consumer, 1) {
            let number = batch.first().view().downcast_ref::<InPlace>().map(|event| event.0);
            assert_eq!(number, Some(taken));
            taken += 1;
            batch.consume();
        }
    }
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn an_event_that_panics_on_drop_frees_its_slot_like_any_other() {
    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    impl MetricEvent for PanicsOnDrop {
        const EVENT_TYPE: &'static str = "panics_on_drop";
    }

    let (queue, mut consumer) = (queue(3), Consumer::new());
    for _ in 0..3 {
        assert!(queue.push(PanicsOnDrop).is_ok());
    }
    queue.next_batch(&mut consumer, 3).expect("three are pending").consume();
    assert_eq!((queue.accepted(), queue.consumed()), (3, 3));
    assert!(queue.push(Nothing).is_ok(), "there is room again");
}

#[test]
fn an_early_wake_hint_comes_before_half_of_the_queue_is_full() {
    for limit in [4, 100, if cfg!(miri) { 1_000 } else { 10_000 }] {
        let queue = queue(limit);
        let told = (0..limit).find(|_| queue.push(Nothing).is_ok_and(|accepted| accepted == WakeHint::Early));
        let told = told.expect("the queue fills up");
        assert!((limit / 4..=limit / 2).contains(&told), "{told} of {limit}");
    }
}

#[test]
fn events_of_one_thread_stay_in_order_and_none_is_lost() {
    const EACH: u64 = if cfg!(miri) { 300 } else { 20_000 };
    const PRODUCERS: usize = 3;
    struct Numbered(usize, u64);

    impl MetricEvent for Numbered {
        const EVENT_TYPE: &'static str = "numbered";
    }

    let queue = queue(2 * SEGMENT_SLOTS + 7);
    let mut next = [0; PRODUCERS];
    std::thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let queue = &queue;
            scope.spawn(move || {
                for number in 0..EACH {
                    while queue.push(Numbered(producer, number)).is_err() {
                        std::thread::yield_now();
                    }
                }
            });
        }
        let mut consumer = Consumer::new();
        while next.iter().any(|next| *next < EACH) {
            let Some(batch) = queue.next_batch(&mut consumer, u64::MAX) else {
                // The consumer parks when it can, so that producers take the slow path.
                if !queue.park(&mut consumer) {
                    std::thread::yield_now();
                }
                continue;
            };
            for slot in batch.published().slots() {
                // SAFETY: all events are of this type, and the batch keeps them.
                let Numbered(producer, number) = unsafe { slot.event() };
                assert_eq!(*number, next[*producer]);
                next[*producer] += 1;
            }
            batch.consume();
        }
    });
    assert_eq!(queue.accepted(), EACH * PRODUCERS as u64);
}

#[test]
fn the_first_event_after_parking_asks_to_wake_the_consumer() {
    let (queue, mut consumer) = (queue(10), Consumer::new());
    assert_eq!(queue.push(Nothing).map_err(|refused| refused.0), Ok(WakeHint::Unpark));
    assert_ne!(queue.push(Nothing).map_err(|refused| refused.0), Ok(WakeHint::Unpark));
    while !take(&queue, &mut consumer, 10).is_empty() {}
    assert!(queue.park(&mut consumer));
    assert_eq!(queue.push(Nothing).map_err(|refused| refused.0), Ok(WakeHint::Unpark));
}

#[test]
fn segments_go_back_to_the_pool_when_they_are_consumed_and_when_the_consumer_parks() {
    let pool = Arc::new(SegmentPool::new());
    let (queue, mut consumer) = (Queue::new(4 * SEGMENT_SLOTS, Arc::clone(&pool)), Consumer::new());
    for round in 0..if cfg!(miri) { 2 } else { 10 } {
        for _ in 0..2 * SEGMENT_SLOTS + 10 {
            assert!(queue.push(Nothing).is_ok(), "there is room");
        }
        assert_eq!(pool.free_segments(), 0, "in round {round} all are in use again");
        take(&queue, &mut consumer, SEGMENT_SLOTS - 1);
        assert_eq!(pool.free_segments(), 0);
        take(&queue, &mut consumer, 1);
        assert_eq!(pool.free_segments(), 1);
        while !take(&queue, &mut consumer, 10).is_empty() {}
        assert_eq!(pool.free_segments(), 2);
        assert!(queue.park(&mut consumer));
        assert_eq!(pool.free_segments(), 3, "an idle recorder holds none");
        // Goes on to the start of a segment.
        while !queue.consumed().is_multiple_of(SEGMENT_SLOTS) {
            assert!(queue.push(Nothing).is_ok(), "there is room");
            take(&queue, &mut consumer, 1);
        }
    }
}

#[test]
fn a_queue_that_is_dropped_with_pending_events_gives_its_segments_back() {
    let pool = Arc::new(SegmentPool::new());
    let queue = Queue::new(4 * SEGMENT_SLOTS, Arc::clone(&pool));
    for _ in 0..SEGMENT_SLOTS + 3 {
        assert!(queue.push(Nothing).is_ok(), "there is room");
    }
    queue.close();
    drop(queue);
    assert_eq!(pool.free_segments(), 2);
}

#[test]
fn a_pool_keeps_at_most_a_mebibyte() {
    let pool = Arc::new(SegmentPool::new());
    let (queue, mut consumer) = (Queue::new(100 * SEGMENT_SLOTS, Arc::clone(&pool)), Consumer::new());
    while queue.push(Nothing).is_ok() {}
    while !take(&queue, &mut consumer, SEGMENT_SLOTS).is_empty() {}
    assert_eq!(pool.free_segments() * size_of::<Slot>() * 256, 1 << 20);
}

#[test]
fn a_spare_segment_that_was_not_needed_goes_back_to_the_pool() {
    let pool = SegmentPool::new();
    let mut spare = Spare::new(&pool);
    spare.prepare(&Directory::new(10), 0);
    assert_eq!(pool.free_segments(), 0);
    drop(spare);
    assert_eq!(pool.free_segments(), 1);
}

#[test]
fn a_queue_is_above_its_watermark_when_more_than_a_quarter_is_pending() {
    let queue = queue(16);
    (0..4).for_each(|_| drop(queue.push(Nothing)));
    assert!(!queue.is_above_watermark());
    drop(queue.push(Nothing));
    assert!(queue.is_above_watermark());
}
