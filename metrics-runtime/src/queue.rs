//! The handoff: a bounded queue of events with many producers and one consumer.
//!
//! # Memory
//!
//! Each accepted event has a *position*, counted from 0 for the life of the recorder. Position `p` lives in slot
//! `p % SEGMENT_SLOTS` of segment `p / SEGMENT_SLOTS`; the [`Directory`] finds the segment. Segments are allocated when
//! a producer first needs one and go back to the pool when the consumer is done with them.
//!
//! # Algorithm
//!
//! One word, `tail`, carries the next position and two flags. The flags stand above the position, so that
//! one comparison with `fast_limit` tells a producer all it must know in the usual case: the queue is
//! open, its consumer is awake, there is room, and no checkpoint is due. One compare-exchange then makes the position its
//! own. The producer writes its event into the slot and publishes it by storing the pointer to the type's metadata. The
//! consumer reads published slots in order of position, clears them, and moves `head`.
//!
//! # Speed
//!
//! What a handoff costs is the way of cache lines between cores, not instructions. A locked instruction waits for all
//! stores before it, so a slot that still lies in the consumer's cache would hold up the *next* event's exchange:
//! producers fetch slots for writing ahead of their use, and so does the consumer, which will clear
//! them. `tail` is alone on its line, and what producers only read is on another one. A producer that loses an exchange
//! stays away for a while, because two that take the line from each other at every event cost more than one that waits.
//!
//! # Invariants
//!
//! * Q1: `head <= tail.position <= head + limit`. A producer reserves only after it has seen `position < bound`, `fast_limit`
//!   never exceeds a `head + limit` that was seen before, and `head` only grows.
//! * Q2: a position is reserved by one producer, written once, published once, and consumed once, after it was published.
//! * Q3: when `head` reaches `p + limit` for the first time, slot `p` is free; when it passes the end of a segment, that
//!   segment has left the directory. Both happen before the release store of `head`; with Q1 a producer that may
//!   reserve `p + limit` therefore never meets what is left of `p`.
//! * Q4: PARKED is set only while `tail.position == head` and under `park_lock`, and is cleared only under `park_lock`; a producer
//!   that finds it goes through `park_lock`. While it is set no position is reserved, so the consumer may take the last
//!   segment away before it lets go of `park_lock`.
//! * Q5: whoever clears PARKED learns so and wakes the consumer; there is no other way from "nothing pending" to
//!   "something pending", so no wake-up is lost.
//! * Q6: after CLOSED is set no position is reserved until it is cleared again.

#![allow(unsafe_code, reason = "events are stored in place and shared without locks; Q1 to Q6 make it sound")]

mod consumer;
mod producer;
mod segment;
pub(crate) mod slot;

#[cfg(all(test, mvx_loom))]
mod models;
#[cfg(all(test, not(mvx_loom)))]
mod tests;

use crate::queue::segment::{Directory, SEGMENT_SLOTS};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

pub(crate) use crate::queue::consumer::{Batch, Consumer, PendingEvent};
pub(crate) use crate::queue::producer::{PushError, ReserveError, WakeHint};
pub(crate) use crate::queue::segment::SegmentPool;

/// The queue is closed to new events.
const CLOSED: u64 = 1 << 63;
/// The consumer has gone to sleep; the next producer wakes it.
const PARKED: u64 = 1 << 62;
const FLAGS: u64 = CLOSED | PARKED;
/// Positions stand below the flags: 62 bits, which a billion events a second fill in 146 years.
const POSITION: u64 = !FLAGS;

/// Keeps a value on a cache line of its own. Pairs of lines, which processors like to fetch, made no difference to two
/// producers and 192 bytes to each recorder.
#[repr(align(64))]
struct CachePadded<T>(T);

pub(crate) struct Queue {
    /// The next position, CLOSED and PARKED.
    tail: CachePadded<AtomicU64>,
    producers: CachePadded<ProducerLine>,
    consumer: CachePadded<ConsumerLine>,
}

/// What producers read for each event and seldom write.
struct ProducerLine {
    /// A tail below it may be moved on without further questions: no flag is set, a `head` that was seen leaves room (Q1),
    /// and it is not yet time to look whether the consumer is asleep at its post.
    fast_limit: AtomicU64,
    directory: Directory,
    limit: u64,
    /// The next checkpoint is that many positions ahead.
    stride: u64,
    pool: Arc<SegmentPool>,
}

struct ConsumerLine {
    /// All positions before it are consumed. Written by the consumer only.
    head: AtomicU64,
    park_lock: Mutex<()>,
}

impl Queue {
    /// An open queue whose consumer is parked.
    pub(crate) fn new(limit: u64, pool: Arc<SegmentPool>) -> Self {
        debug_assert!(limit > 0);
        let line = ProducerLine {
            fast_limit: AtomicU64::new(0),
            directory: Directory::new(limit),
            limit,
            // Often enough to be seen between a quarter of the limit and half of it.
            stride: (limit / 4).clamp(1, SEGMENT_SLOTS),
            pool,
        };
        Self {
            tail: CachePadded(AtomicU64::new(PARKED)),
            producers: CachePadded(line),
            consumer: CachePadded(ConsumerLine { head: AtomicU64::new(0), park_lock: Mutex::new(()) }),
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

    pub(crate) fn limit(&self) -> u64 {
        self.line().limit
    }

    /// The position of the next event: how many were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        // Acquire: not older than a `head` that was read before it.
        self.tail().load(Ordering::Acquire) & POSITION
    }

    /// How many events were consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        // Acquire: the effects of all consumed events are seen.
        self.head().load(Ordering::Acquire)
    }

    /// Refuses events from now on; returns how many were accepted.
    pub(crate) fn close(&self) -> u64 {
        // AcqRel: ordered with the pushes before it and the state change that follows it.
        self.tail().fetch_or(CLOSED, Ordering::AcqRel) & POSITION
    }

    /// Accepts events again.
    pub(crate) fn reopen(&self) {
        // AcqRel, as in `close`.
        self.tail().fetch_and(!CLOSED, Ordering::AcqRel);
    }

    /// Whether the consumer has parked and nobody has unparked it.
    pub(crate) fn is_parked(&self) -> bool {
        // Acquire: ordered with the exchange that unparks.
        self.tail().load(Ordering::Acquire) & PARKED != 0
    }

    /// Whether a good part of the limit is pending, as a producer finds at a checkpoint.
    pub(crate) fn is_above_watermark(&self) -> bool {
        let consumed = self.consumed();
        self.accepted() - consumed > self.limit() / 4
    }

    /// Whether nothing is pending and the queue is open.
    pub(crate) fn is_idle(&self) -> bool {
        // Relaxed: a look, to be repeated if it comes too early.
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
    }
}
