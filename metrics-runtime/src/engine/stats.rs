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

    /// How many events of a failed recorder are discarded, or will be. Those that have failed it are applied, and pending until
    /// they have left the queue.
    pub(super) fn discarded_after_failure(&self, stats: &RecorderStats) -> u64 {
        match self.discarded_from.load(Ordering::Relaxed) {
            u64::MAX => stats.accepted - stats.processed,
            position => stats.accepted.saturating_sub(position),
        }
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
        let processed = consumed.min(self.discarded_from.load(Ordering::Relaxed));
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
    fn the_events_before_the_discarded_ones_are_not_lost() {
        let counters = Counters::new(true);
        let lost = || {
            [100, 108].map(|consumed| counters.discarded_after_failure(&counters.stats(consumed, 110, 10)))
        };
        assert_eq!(lost(), [10, 2]);
        counters.discard_from(105);
        assert_eq!(lost(), [5, 5]);
    }
}
