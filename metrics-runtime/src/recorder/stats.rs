//! Accounting: where every event that was offered to a recorder went.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// What became of the events that were offered to a recorder.
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
pub(super) struct Counters {
    rejected: AtomicU64,
    /// The position of the first event that was discarded; all after it are too.
    discarded_from: AtomicU64,
    /// As many entries as there are types of events that were ever dropped.
    dropped: Mutex<Vec<(&'static str, u64)>>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            rejected: AtomicU64::new(0),
            discarded_from: AtomicU64::new(u64::MAX),
            dropped: Mutex::default(),
        }
    }
}

impl Counters {
    pub(super) fn count_rejected(&self) {
        // Relaxed here and below: a count orders nothing.
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Events from this position on are discarded. Must be called before they leave the queue, so that `processed` never
    /// counts them; called again it changes nothing.
    pub(super) fn discard_from(&self, position: u64) {
        // Relaxed: the release store of the queue's head follows.
        self.discarded_from.fetch_min(position, Ordering::Relaxed);
    }

    pub(super) fn count_dropped(&self, event_type: &'static str) {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        match dropped.iter_mut().find(|(other, _)| *other == event_type) {
            Some((_, count)) => *count += 1,
            None => dropped.push((event_type, 1)),
        }
    }

    /// Completes the counts with those of the queue: `consumed` read before `accepted`.
    pub(super) fn stats(&self, consumed: u64, accepted: u64, limit: u64) -> RecorderStats {
        // While `accepted` was read, events may have been consumed and others accepted in their place. When `consumed` was
        // read no more than this many were accepted, so this is what `accepted` was between the two.
        let accepted = accepted.min(consumed + limit);
        let processed = consumed.min(self.discarded_from.load(Ordering::Relaxed));
        let dropped_by_type: BTreeMap<_, _> = {
            let dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            dropped.iter().copied().collect()
        };
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
