//! The queue between the producers and the consumer of a recorder: bounded, many producers, one consumer.
//!
//! # Memory
//!
//! Each accepted event has a *position*, counted from 0 for the life of the recorder. Position `p` lives in slot
//! `p % SEGMENT_SLOTS` of a segment. The segments of pending positions are a list. A producer appends a segment before the
//! first position in it is reserved; so producers need only the last segment. The consumer needs only the first one. It
//! removes that when all its events are consumed, or when it parks. Segments come from a pool and go back to it. So the memory
//! of a queue grows with the events that are pending, not with its limit, and a parked queue has none.
//!
//! # Algorithm
//!
//! One word, `tail`, holds the next position and two flags. The flags are its highest bits. So a producer needs one
//! comparison with `fast_limit` in the usual case. A lower tail means: the queue is open, the consumer is not parked,
//! there is room, and the last segment has the position. One compare-exchange then reserves it. The producer writes
//! its event into the slot and publishes it by storing a pointer to the metadata of its type. The consumer reads
//! published slots in order of position, clears them, and moves `head`.
//!
//! The slow path serves the other cases. A closed or full queue refuses the event without a lock. At a checkpoint, at the
//! first position of a segment, and when the consumer is parked, the producer takes `park_lock` for a few instructions.
//!
//! Nothing allocates or frees between reserving and publishing, or under a lock. The producer first boxes an event that
//! does not fit a slot, and first takes a segment from the pool. So a producer that is held up in the allocator holds
//! up no other thread, and an allocator may push. A signal handler must not push: it may have interrupted a thread that
//! holds a lock.
//!
//! # Speed
//!
//! The cost of a handoff is moving cache lines between cores; instructions matter less. A locked instruction waits for
//! all stores before it. So a slot that is still in the consumer's cache would delay the *next* exchange. Producers
//! therefore fetch slots for writing ahead of use. The consumer does the same, because it clears the slots. `tail` has
//! a cache line of its own; fields that producers only read are on another one. A producer that loses an exchange backs
//! off: each event costs more when two producers exchange at the same time.
//!
//! Positions are 64 bits wide, so the crate needs a target with 64-bit atomics.
//!
//! # Invariants
//!
//! * Q1: `head <= tail.position <= head + limit`. A producer reserves only below `fast_limit`, or below a `head + limit` that
//!   it has read itself. `fast_limit` never exceeds a `head + limit` that was read before, and `head` only grows.
//! * Q2: One producer reserves a position, writes and publishes it once; the consumer then consumes it once.
//! * Q3: A slot is freed before `head` moves past it. A segment is removed under `park_lock` only, by the consumer, when all of
//!   its slots are free and no position in it can be reserved. So a segment goes back to the pool with free slots, and a
//!   producer that installs it meets nothing of former events.
//! * Q4: PARKED is set only under `park_lock` while `tail.position == head`. Only a reservation clears it, also under
//!   `park_lock`; `close` and `reopen` leave it alone. While it is set no position is reserved, so the consumer may remove
//!   the last segment.
//! * Q5: The producer that clears PARKED learns it from [`WakeHint::Unpark`] and wakes the consumer. By Q4 a parked queue
//!   comes to hold an event in no other way, so no wake-up is lost.
//! * Q6: While CLOSED is set, no position is reserved: each reservation is an exchange from a tail without that flag.
//! * Q7: The producer that reserves a position finds its segment as `last`. Segments are installed and `fast_limit` is
//!   written under `park_lock` only. A segment is installed before the exchange that reserves its first position or
//!   clears PARKED. `fast_limit` never exceeds the end of the segment that was installed last. So `last` changes only while no
//!   tail without PARKED is below `fast_limit`: at the end of a segment, or in a parked queue.
//! * Q8: `fast_limit` only grows. A position at or above it is reserved under `park_lock` only, before `fast_limit` moves
//!   beyond that position.
//! * Q9: To the consumer, `first` is null or the segment of `head`. A segment is installed as `first` only when everything
//!   before it is consumed. Its successor takes its place before `head` moves past its end.

#![allow(
    unsafe_code,
    reason = "events are stored in place and shared between threads; Q1 to Q9 make it sound"
)]

pub(crate) mod barrier;
mod consumer;
mod pool;
mod producer;
pub(crate) mod ring;
pub(crate) mod rings;
mod segment;
pub(crate) mod slot;

#[cfg(all(test, mvx_loom))]
mod models;
#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::ptr;

use crate::queue::segment::{Installed, SEGMENT_SLOTS, Segment};
use crate::sync::{Arc, AtomicPtr, AtomicU64, Mutex, Ordering};

pub(crate) use crate::queue::consumer::{Batch, Consumer, PendingEvent, Published};
pub(crate) use crate::queue::pool::SegmentPool;
pub(crate) use crate::queue::producer::{Permit, PushError, ReserveError, WakeHint};
pub(crate) use crate::queue::segment::OwnedSegment;

/// The queue is closed to new events.
const CLOSED: u64 = 1 << 63;
/// The consumer is parked; the next producer wakes it.
const PARKED: u64 = 1 << 62;
const FLAGS: u64 = CLOSED | PARKED;
/// Positions have the 62 bits below the flags: enough for a billion events a second during 146 years.
const POSITION: u64 = !FLAGS;

/// Gives a value a cache line of its own. Processors like to fetch lines in pairs; keeping pairs apart gained nothing
/// for two producers and cost each recorder 192 bytes.
#[repr(align(64))]
struct CachePadded<T>(T);

pub(crate) struct Queue {
    /// The next position, CLOSED and PARKED.
    tail: CachePadded<AtomicU64>,
    producers: CachePadded<ProducerLine>,
    consumer: CachePadded<ConsumerLine>,
}

/// Fields that producers read for each event and seldom write.
struct ProducerLine {
    /// A producer may reserve any tail below it at once. Such a tail has no flag, there is room (Q1), the segment is
    /// installed (Q7), and no checkpoint is due. Written under `park_lock` only.
    fast_limit: AtomicU64,
    /// The segment that was installed last; null while none is installed. Written under `park_lock` only.
    last: AtomicPtr<Segment>,
    limit: u64,
    /// The distance between checkpoints, where a producer looks how much is pending.
    stride: u64,
    pool: Arc<SegmentPool>,
}

struct ConsumerLine {
    /// All positions before it are consumed. Written by the consumer only.
    head: AtomicU64,
    /// The segment of `head` (Q9); null while none is installed. Written under `park_lock` only.
    first: AtomicPtr<Segment>,
    /// Orders parking, unparking, installing and removing segments, and moving `fast_limit`. Held for a few instructions.
    park_lock: Mutex<Installed>,
}

impl Queue {
    /// An open queue with a parked consumer.
    pub(crate) fn new(limit: u64, pool: Arc<SegmentPool>) -> Self {
        debug_assert!(limit > 0);
        let line = ProducerLine {
            fast_limit: AtomicU64::new(0),
            last: AtomicPtr::new(ptr::null_mut()),
            limit,
            // A quarter of the limit, so that some checkpoint finds between a quarter and half of the limit pending.
            stride: (limit / 4).clamp(1, SEGMENT_SLOTS),
            pool,
        };
        let consumer = ConsumerLine {
            head: AtomicU64::new(0),
            first: AtomicPtr::new(ptr::null_mut()),
            park_lock: Mutex::new(Installed::NOTHING),
        };
        Self {
            tail: CachePadded(AtomicU64::new(PARKED)),
            producers: CachePadded(line),
            consumer: CachePadded(consumer),
        }
    }

    fn tail(&self) -> &AtomicU64 {
        &self.tail.0
    }

    fn line(&self) -> &ProducerLine {
        &self.producers.0
    }

    fn head(&self) -> &AtomicU64 {
        &self.consumer.0.head
    }

    fn park_lock(&self) -> &Mutex<Installed> {
        &self.consumer.0.park_lock
    }

    pub(crate) fn limit(&self) -> u64 {
        self.line().limit
    }

    /// How many events were accepted so far, which is the position of the next one.
    ///
    /// It is no less than a result of [`consumed`](Self::consumed) that the caller has read before.
    pub(crate) fn accepted(&self) -> u64 {
        // Relaxed: each exchange on `tail` happens before the consumption of its event. A caller that has acquired that
        // consumption in `consumed` reads this exchange or a later one.
        self.tail().load(Ordering::Relaxed) & POSITION
    }

    /// How many events were consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        // Acquire: pairs with `Batch::consume`; the effects of all consumed events are visible.
        self.head().load(Ordering::Acquire)
    }

    /// Refuses events from now on.
    pub(crate) fn close(&self) {
        // AcqRel: orders the pushes before it and the state change after it, as the recorder's `lifecycle` lock also does.
        self.tail().fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Accepts events again.
    pub(crate) fn reopen(&self) {
        // AcqRel: as in `close`.
        self.tail().fetch_and(!CLOSED, Ordering::AcqRel);
    }

    /// Whether the queue refuses events.
    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: as in `close`.
        self.tail().load(Ordering::Acquire) & CLOSED != 0
    }

    /// Whether the consumer is parked and no producer has unparked it.
    pub(crate) fn is_parked(&self) -> bool {
        // Acquire: pairs with the exchanges of `park` and `advance_locked`.
        self.tail().load(Ordering::Acquire) & PARKED != 0
    }

    /// Whether more than a quarter of the limit is pending. Producers check the same at a checkpoint.
    pub(crate) fn is_above_watermark(&self) -> bool {
        // In this order, so that the difference is not negative: see `accepted`.
        let consumed = self.consumed();
        self.accepted() - consumed > self.limit() / 4
    }

    /// Whether the queue is open and nothing is pending.
    pub(crate) fn is_idle(&self) -> bool {
        // Relaxed: a hint; the caller asks again later.
        let head = self.head().load(Ordering::Relaxed);
        let tail = self.tail().load(Ordering::Relaxed);
        tail & !PARKED == head
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut consumer = Consumer::new();
        while let Some(batch) = self.next_batch(&mut consumer, SEGMENT_SLOTS) {
            batch.consume();
        }
        // Gives the last segment back to the pool.
        self.park(&mut consumer);
    }
}
