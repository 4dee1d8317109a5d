//! The accounts of each recorder and of all recorders together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{MetricsRecorder, MetricsRecorderState};

use crate::fixtures::CountsAll;

/// The sums over all recorders.
#[derive(Default, Debug)]
pub struct Totals {
    pub recorders: u64,
    pub failed: u64,
    pub quarantined: u64,
    pub calls: u64,
    pub accepted: u64,
    pub processed: u64,
    pub dropped: u64,
    pub rejected: u64,
    pub discarded: u64,
    /// The recorders with wrong accounts.
    pub problems: Vec<String>,
}

/// A recorder with the number of events that were offered to it. Its `Drop` checks the accounts.
pub struct TrackedRecorder {
    pub recorder: MetricsRecorder,
    pub calls: AtomicU64,
    pub totals: Arc<Mutex<Totals>>,
}

impl Drop for TrackedRecorder {
    fn drop(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        // A recorder that was started again after its removal still runs. A failed one may still discard events.
        while self.recorder.stats().pending > 0 && Instant::now() < deadline {
            thread::yield_now();
        }
        let stats = self.recorder.stats();
        let end = self.recorder.status();
        let calls = self.calls.load(Ordering::Relaxed);
        let counted = self.recorder.metric_snapshot::<CountsAll>();
        let snapshots = self.recorder.metric_snapshots();
        let quarantined = snapshots
            .is_ok_and(|snapshots| snapshots.get("fragile").is_some_and(|metric| metric.failed.is_some()));
        let sound = stats.pending == 0
            && stats.accepted == stats.processed + stats.discarded
            && calls == stats.accepted + stats.dropped + stats.rejected
            && matches!(counted, Ok(Some(counted)) if counted == stats.processed)
            && (stats.discarded == 0 || end == MetricsRecorderState::Failure);
        let mut totals = self.totals.lock().expect("not poisoned");
        if !sound {
            totals.problems.push(format!("{end}: {calls} calls, {counted:?} counted, {stats:?}"));
        }
        totals.recorders += 1;
        totals.failed += u64::from(end == MetricsRecorderState::Failure);
        totals.quarantined += u64::from(quarantined);
        totals.calls += calls;
        totals.accepted += stats.accepted;
        totals.processed += stats.processed;
        totals.dropped += stats.dropped;
        totals.rejected += stats.rejected;
        totals.discarded += stats.discarded;
    }
}
