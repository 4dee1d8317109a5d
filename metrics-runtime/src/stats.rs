//! The counts of a recorder, as data: every event that was offered to it is in one of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    ///
    /// With [`Handoff::PerThread`](crate::Handoff::PerThread), at most 256 for each thread. In a
    /// [`RuntimeSnapshot`](crate::RuntimeSnapshot) they are the events that the metrics beside them do not show.
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
