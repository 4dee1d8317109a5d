//! Accounting: where every event that was offered to a recorder went.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// What became of the events that were offered to a recorder.
///
/// Every call counts once: `calls == accepted + dropped + rejected`. At rest `accepted == processed + discarded`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Events taken into the queue.
    pub accepted: u64,
    /// Accepted events that were applied to the metrics listening to them.
    pub processed: u64,
    /// Events dropped because the queue was full and the policy is [`Drop`](crate::QueueOverflowPolicy::Drop).
    pub dropped: u64,
    /// The same by event type.
    pub dropped_by_type: BTreeMap<&'static str, u64>,
    /// Events handed back with an error.
    pub rejected: u64,
    /// Accepted events that were lost to a failure.
    pub discarded: u64,
    /// Accepted events not yet processed, never more than `queue_max_size`.
    pub pending: u64,
}

/// The counts that the queue does not keep itself.
#[derive(Default)]
pub(super) struct Counters {
    rejected: AtomicU64,
    discarded: AtomicU64,
    /// As many entries as there are types of events that were ever dropped.
    dropped: Mutex<Vec<(&'static str, u64)>>,
}

impl Counters {
    pub(super) fn count_rejected(&self) {
        // Relaxed here and below: a count orders nothing.
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Must be called before the events leave the queue, so that `processed` never counts them.
    pub(super) fn count_discarded(&self, events: u64) {
        self.discarded.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn count_dropped(&self, event_type: &'static str) {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        match dropped.iter_mut().find(|(other, _)| *other == event_type) {
            Some((_, count)) => *count += 1,
            None => dropped.push((event_type, 1)),
        }
    }

    /// Completes the counts with those of the queue: `consumed` read before `accepted`.
    pub(super) fn stats(&self, consumed: u64, accepted: u64) -> RecorderStats {
        let discarded = self.discarded.load(Ordering::Relaxed);
        let dropped_by_type: BTreeMap<_, _> = {
            let dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            dropped.iter().copied().collect()
        };
        RecorderStats {
            accepted,
            processed: consumed.saturating_sub(discarded),
            dropped: dropped_by_type.values().sum(),
            dropped_by_type,
            rejected: self.rejected.load(Ordering::Relaxed),
            discarded,
            pending: accepted - consumed,
        }
    }
}
