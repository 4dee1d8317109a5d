//! How a recorder counts its events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::loss::DropLog;
use crate::stats::RecorderStats;

/// The counts that are not positions of the queue.
pub(super) struct Counters {
    rejected: AtomicU64,
    /// The position of the first discarded event. All events after it are discarded too.
    discarded_from: AtomicU64,
    pub(super) drops: DropLog,
}

impl Counters {
    /// `logs` says whether dropped events are logged.
    pub(super) fn new(logs: bool) -> Self {
        Self {
            rejected: AtomicU64::new(0),
            discarded_from: AtomicU64::new(u64::MAX),
            drops: DropLog::new(logs),
        }
    }

    pub(super) fn count_rejected(&self) {
        // Relaxed, here and below: a count orders nothing.
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the events from this position on as discarded. Later calls change nothing.
    ///
    /// A drain calls it before it takes discarded events out of the queue, so `processed` never includes them.
    pub(super) fn discard_from(&self, position: u64) {
        // Relaxed: the release store of the queue's head follows.
        self.discarded_from.fetch_min(position, Ordering::Relaxed);
    }

    /// Completes the counts with those of rings. The caller has read `consumed` before `accepted`.
    pub(super) fn stats_with_discarded(&self, consumed: u64, accepted: u64, discarded: u64) -> RecorderStats {
        let stats = self.stats(consumed, accepted, u64::MAX - consumed);
        RecorderStats { processed: consumed - discarded, discarded, ..stats }
    }

    /// Completes the counts with those of the queue. The caller has read `consumed` before `accepted`.
    pub(super) fn stats(&self, consumed: u64, accepted: u64, limit: u64) -> RecorderStats {
        // Between the two reads events may have been consumed, and others accepted in their place. When `consumed` was read,
        // at most `limit` more events were accepted. So the smaller number is `accepted` at some moment between the reads.
        let accepted = accepted.min(consumed + limit);
        let discarded_from = self.discarded_from.load(Ordering::Relaxed);
        // Events that have failed the recorder are applied, and may still be in the queue.
        let consumed = if discarded_from <= accepted { consumed.max(discarded_from) } else { consumed };
        let processed = consumed.min(discarded_from);
        let dropped = self.drops.types().into_iter();
        let dropped_by_type: BTreeMap<_, _> =
            dropped.map(|dropped| (Cow::Borrowed(dropped.event_type), dropped.count)).collect();
        RecorderStats {
            accepted,
            processed,
            dropped: dropped_by_type.values().sum(),
            dropped_by_type,
            rejected: self.rejected.load(Ordering::Relaxed),
            discarded: consumed - processed,
            pending: accepted - consumed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_never_exceeds_the_limit_when_events_are_consumed_between_the_two_reads() {
        // 100 events were consumed and 10 of 10 were pending; then 30 more were consumed and accepted.
        let stats = Counters::new(true).stats(100, 140, 10);
        assert_eq!((stats.accepted, stats.processed, stats.pending), (110, 100, 10));
    }

    #[test]
    fn the_events_before_the_discarded_ones_are_processed_as_soon_as_they_are_accepted() {
        let counters = Counters::new(true);
        counters.discard_from(105);
        let counts = |consumed, accepted| {
            let stats = counters.stats(consumed, accepted, 10);
            (stats.processed, stats.discarded, stats.pending)
        };
        assert_eq!(counts(100, 110), (105, 0, 5));
        assert_eq!(counts(100, 105), (105, 0, 0));
        // `accepted` is an earlier one.
        assert_eq!(counts(100, 103), (100, 0, 3));
        assert_eq!(counts(108, 110), (105, 3, 2));
    }
}
