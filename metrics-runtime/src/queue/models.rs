//! The protocol under loom, which tries every interleaving of the threads and every value that a load may return.
//!
//! `RUSTFLAGS="--cfg mvx_loom" cargo test -p mvx-metrics --release --lib queue::models`
//!
//! A segment has three slots here, so that the consumer can park in the middle of one and two producers can go on in it.
//! Loom itself reports a race on an event, a deadlock, and a leaked [`Arc`]. The slot asserts that it is free when an event is
//! written into it.
//!
//! # Proofs
//!
//! Each step of the protocol was broken on purpose, one at a time. The second column names a model that fails then; `tests` are
//! those without loom.
//!
//! | broken | noticed by |
//! |---|---|
//! | exchange of `advance_locked` relaxed; `park` or `advance_locked` without the lock; segment removed before parking or outside of the lock; unparking installs no segment | `reuse`: `..behind_the_one_that_unparks..` |
//! | first position of a segment reserved without installing one | `reuse`: `..installs_a_segment_while..` |
//! | `fast_limit` beyond the segment's end or stored before the exchange; `advance_locked` goes on below `fast_limit` | `reuse`: `two_producers_install..`; `handoff` |
//! | limit checked too late or not at all under the lock | `handoff`: `..within_the_limit` |
//! | `fast_limit` beyond `head + limit` | `tests` |
//! | event published before it is written, relaxed, or seen relaxed; segment removed early | `handoff`: `..consumed_in_order` |
//! | `head` stored or loaded relaxed, or moved before the events are dropped | `handoff`: `..counts_as_consumed_is_dropped` |
//! | slot not cleared; event not dropped; batch beyond the published slots; `head` too far | `reuse`: `..behind_the_one_that_unparks..` |
//! | tail loaded relaxed; `last` loaded before the tail; segments still count as installed after parking; successor not linked | loom ends with a crash |
//! | a segment installed over one that a closed queue has kept; successor not made the first; segment removed without the lock | `reuse`: `a_slot_is_reused..` |
//! | `last` kept when its segment is removed | `reuse`: `..behind_the_one_that_unparks..` |
//! | segment kept when it is consumed or while parked; PARKED left set, or cleared by `close`; last segment kept by a dropped queue | `tests` |
//! | park with events pending or when closed; wake hint lost; CLOSED ignored under the lock, set with a store, kept; a failed exchange under the lock ignored; PARKED lost | `sleep` |
//! | metadata that forgets the box of a large event | `tests/allocator` |
//!
//! The handoff by threads. Where a ring of the model has no slots, a process that ends by a signal notices.
//!
//! | broken | noticed by |
//! |---|---|
//! | no light barrier, no heavy one in a cut; epoch not moved; mark ignored; `seen` read before the tail; nothing set aside, or folded in spite of it | `rings`: `pt3_..` |
//! | event published or seen relaxed; `head` stored relaxed, or before the events are dropped; room not checked | `rings`: `pt1_..`, `pt2_..` |
//! | park without barrier, look or lock; unparking without lock, or in the same epoch; nothing announced; announcement ignored or left; `control` not compared | `rings`: `pt1_no_event_is_left_behind..`, or a signal |
//! | closed without barrier; CLOSED ignored | `rings`: `pt6_..` |
//! | ring removed before it is absorbed, or kept | `rings`: `pt4_..` |
//! | wake hint lost; the target of a reader is the running cut | `rings`: `pt1_two_producers..`; `pt3_a_reader..` |
//! | generation of a part ignored | `tests` of `rings` |
//!
//! Nothing notices these, for the reasons given:
//!
//! | broken | reason |
//! |---|---|
//! | mark stored after `seen` | loom does not try the order in which an event is published before the reader counts |
//! | `head` of a ring read relaxed | in the models the light barrier is a full fence, which orders it too |
//! | orderings of `park`, `close`, `reopen` | `park_lock`, or the recorder's `lifecycle`, orders the same |
//! | `fast_limit` stored or loaded relaxed | loom runs the steps of a thread in program order; only the language's model lets an exchange come before the load it depends on |
//! | segment installed relaxed, or found relaxed by the consumer | loom does not check that the slots' own initialisation is visible |
//! | `fast_limit` stored also when the tail is below it | the same or a larger limit that keeps Q1 and Q7 |
//! | `check_room` without CLOSED or the limit | it only spares the lock, where both are checked again |
//! | slot freed before its event is dropped; `head` moved before the segment is removed | a slot is reused with its segment only, and the segment through the pool |

mod handoff;
mod reuse;
mod rings;
mod sleep;

use loom::thread;

use super::{Consumer, PushError, Queue, SegmentPool, WakeHint};
use crate::event::MetricEvent;
use crate::sync::Arc;

/// An event of a producer. It holds an [`Arc`], so that loom reports when it is dropped twice or never.
struct Numbered {
    producer: u64,
    number: u64,
    _held: Arc<()>,
}

impl MetricEvent for Numbered {
    const EVENT_TYPE: &'static str = "numbered";
}

/// How often loom preempts threads in models that have too many interleavings. Bugs need few preemptions.
const MAX_PREEMPTIONS: usize = 3;

fn model(max_preemptions: Option<usize>, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = max_preemptions;
    builder.check(body);
}

fn queue(limit: u64) -> Arc<Queue> {
    Arc::new(Queue::new(limit, Arc::new(SegmentPool::new())))
}

fn push(queue: &Queue, producer: u64, number: u64) -> Result<WakeHint, PushError> {
    queue.push(Numbered { producer, number, _held: Arc::new(()) }).map_err(|(refusal, _)| refusal)
}

/// Consumes one batch of at most `most` events and adds them to `taken`; `false` when there is none.
fn take(queue: &Queue, consumer: &mut Consumer, most: u64, taken: &mut Vec<(u64, u64)>) -> bool {
    let Some(batch) = queue.next_batch(consumer, most) else {
        return false;
    };
    for slot in batch.published().slots() {
        // SAFETY: all events are of this type, and the batch keeps them.
        let event = unsafe { slot.event::<Numbered>() };
        taken.push((event.producer, event.number));
    }
    batch.consume();
    true
}

/// Consumes until `taken` has `count` events.
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

/// Moves an empty queue on by `count` positions, before other threads use it.
fn move_on(queue: &Queue, consumer: &mut Consumer, count: u64) {
    for number in 0..count {
        push(queue, 9, number).expect("there is room");
        assert!(take(queue, consumer, 1, &mut Vec::new()));
    }
}

/// Pushes again until the queue accepts it.
fn push_patiently(queue: &Queue, producer: u64, number: u64) {
    while push(queue, producer, number).is_err() {
        thread::yield_now();
    }
}
