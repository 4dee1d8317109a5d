//! The counts of a recorder: every event that was offered to it is in one of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::loss::DropLog;
use crate::log::Losses;
use crate::snapshot::Merge;

/// The counts of the events that were offered to a recorder.
///
/// Every call counts once: `calls == accepted + dropped + rejected`. At rest `accepted == processed + discarded`.
///
/// ```
/// use mvx_metrics::{MetricsRuntime, RecorderOptions, metric_event};
///
/// #[metric_event(name = "tick")]
/// struct Tick;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder_with("clock", RecorderOptions::new().queue_max_size(10))?;
/// for _ in 0..1_000 {
///     recorder.emit(Tick);
/// }
/// recorder.flush().wait()?;
///
/// let stats = recorder.stats();
/// assert_eq!(stats.accepted + stats.dropped, 1_000);
/// assert_eq!(stats.dropped, stats.dropped_by_type.get("tick").copied().unwrap_or_default());
/// assert_eq!((stats.processed, stats.pending, stats.discarded), (stats.accepted, 0, 0));
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecorderStats {
    /// Events taken into the queue.
    pub accepted: u64,
    /// Accepted events that were applied to the metrics listening to them.
    pub processed: u64,
    /// Events dropped because the queue was full and the policy is [`Drop`](crate::QueueOverflowPolicy::Drop).
    pub dropped: u64,
    /// The same by event type.
    pub dropped_by_type: BTreeMap<Cow<'static, str>, u64>,
    /// Events handed back with an error.
    pub rejected: u64,
    /// Accepted events that were lost to a failure.
    pub discarded: u64,
    /// Accepted events not yet processed, never more than `queue_max_size`.
    pub pending: u64,
}

impl RecorderStats {
    /// The events that are lost. After a failure the pending ones are: they are discarded soon.
    pub(crate) fn losses(&self, has_failed: bool) -> Losses {
        let pending = if has_failed { self.pending } else { 0 };
        let discarded = self.discarded.saturating_add(pending);
        Losses { dropped: self.dropped, rejected: self.rejected, discarded }
    }
}

/// Adds up the counts of two recorders.
impl Merge for RecorderStats {
    fn merge(&mut self, other: &Self) {
        for (count, other) in [
            (&mut self.accepted, other.accepted),
            (&mut self.processed, other.processed),
            (&mut self.dropped, other.dropped),
            (&mut self.rejected, other.rejected),
            (&mut self.discarded, other.discarded),
            (&mut self.pending, other.pending),
        ] {
            *count = count.saturating_add(other);
        }
        for (event_type, dropped) in &other.dropped_by_type {
            let count = self.dropped_by_type.entry(event_type.clone()).or_default();
            *count = count.saturating_add(*dropped);
        }
    }
}

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
    /// It is called before the events leave the queue, so `processed` never includes them.
    pub(super) fn discard_from(&self, position: u64) {
        // Relaxed: the release store of the queue's head follows.
        self.discarded_from.fetch_min(position, Ordering::Relaxed);
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
}
