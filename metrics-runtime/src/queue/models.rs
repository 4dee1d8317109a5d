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
//! Each step of the protocol was broken on purpose, one at a time. What notices (`tests` are those without loom):
//!
//! | broken | noticed by |
//! |---|---|
//! | exchange that reserves: relaxed, or a load and a store; flags ignored; release under `park_lock` missing | `reuse`: `..behind_the_one_that_unparks..` |
//! | position given up when its segment is missing; segment installed without the exchange or release, or found without acquire | the same |
//! | park without `park_lock` or the exchange, or segment removed before it; parked queue entered without `park_lock` | the same |
//! | `fast_limit`: stored or loaded relaxed, in either place | `reuse`: `..relies_on_anothers_look..` |
//! | limit or `fast_limit` too high by one; `fast_limit` beyond the limit | `handoff`: `..within_the_limit`; `tests`: the deque |
//! | event published before it is written, or relaxed, or seen relaxed; `head` relaxed on either side; segment removed early | `reuse`: `a_slot_is_reused..` |
//! | slot not cleared; event not dropped; batch beyond the published events; `head` too far | `reuse`: `..behind_the_one_that_unparks..` |
//! | `head` moved before the events are dropped | `handoff`: `..counts_as_consumed_is_dropped` |
//! | ring a segment too short; ring shown or found relaxed | `reuse`: `a_slot_freed..`; `sleep`: `no_wake_up..` |
//! | segment kept when it is done with, or while parked; PARKED left set, or cleared by `close` | `tests` |
//! | park with events pending or when closed; wake-up not told; CLOSED ignored, set with a store, kept; PARKED lost | `sleep` |
//! | orderings of `park`, `close`, `reopen`; acquire under `park_lock` | nothing: that lock, or `lifecycle`, orders the same |
//! | slot freed before its event is dropped; `head` moved before the segment is removed | nothing: a slot comes back with its segment only, and the ring has an entry to spare (D1) |
//! | acquire of the producer that installs a segment too late | nothing: loom's clock does not tell an allocation from the unlock before it |

mod handoff;
mod reuse;
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
    for slot in batch.slots() {
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
