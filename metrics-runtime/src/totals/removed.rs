//! Removed recorders: their counts stay in the rollup.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::memory::Memory;
use super::sums::{GroupSums, Presence, Shown};
use crate::engine::{Observation, RecorderInner};
use crate::log::Losses;

/// The counts of removed recorders, by namespace, and what totals of the runtime remember.
///
/// The runtime adds a recorder here and removes it from its registry under one lock. So at each moment a recorder is in exactly
/// one of the two.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemovedRecorders {
    pub(super) namespaces: BTreeMap<Arc<str>, Arc<RemovedOfNamespace>>,
    pub(super) unread: Vec<UnreadRecorder>,
    pub(crate) memory: Arc<Memory>,
}

/// The counts of all removed recorders of one namespace.
#[derive(Debug, Clone)]
pub(super) struct RemovedOfNamespace {
    pub(super) sums: GroupSums,
    pub(super) recorders: u64,
}

/// A removed recorder that could not be read yet, because a handler still runs.
#[derive(Clone)]
pub(super) struct UnreadRecorder(pub(super) Arc<RecorderInner>);

impl fmt::Debug for UnreadRecorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.entity_id())
    }
}

impl RemovedRecorders {
    /// Adds the final state of a recorder that leaves the registry.
    ///
    /// Answers `false` when the metrics could not be read and are missing until [`add_late`](Self::add_late).
    pub(crate) fn add(&mut self, recorder: &Arc<RecorderInner>, last: &Observation) -> bool {
        let Some(metrics) = &last.metrics else {
            self.unread.push(UnreadRecorder(Arc::clone(recorder)));
            return false;
        };
        let namespace = recorder.namespace();
        let removed = self.namespaces.entry(Arc::clone(namespace)).or_insert_with(|| {
            let sums = GroupSums::of_namespace(Shown::of(&self.memory, namespace));
            Arc::new(RemovedOfNamespace { sums, recorders: 0 })
        });
        // Copies the sums only while a snapshot still uses them.
        let removed = Arc::make_mut(removed);
        removed.recorders += 1;
        removed.sums.add_stats(&last.stats, Presence::Removed);
        for (position, metric) in metrics.iter().enumerate() {
            removed.sums.add_metric(position, Cow::Borrowed(metric), Presence::Removed);
        }
        for replaced in &last.replaced {
            removed.sums.add_metric(0, Cow::Borrowed(replaced), Presence::Removed);
        }
        true
    }

    /// The events that removed recorders have lost.
    pub(crate) fn losses(&self) -> Losses {
        let mut losses = Losses::default();
        for removed in self.namespaces.values() {
            losses.add(removed.sums.stats().losses(false));
        }
        for UnreadRecorder(recorder) in &self.unread {
            losses.add(recorder.stats().losses(recorder.state().has_failed()));
        }
        losses
    }

    /// The removed recorders of which the metrics are missing.
    pub(crate) fn unread(&self) -> Vec<Arc<RecorderInner>> {
        self.unread.iter().map(|UnreadRecorder(recorder)| Arc::clone(recorder)).collect()
    }

    /// Adds the metrics of one of [`unread`](Self::unread), unless another thread was faster.
    pub(crate) fn add_late(&mut self, recorder: &Arc<RecorderInner>, last: &Observation) {
        if let Some(index) = self.unread.iter().position(|unread| Arc::ptr_eq(&unread.0, recorder)) {
            // Drops no metric of the user: the caller still has the recorder.
            self.unread.remove(index);
            self.add(recorder, last);
        }
    }
}
