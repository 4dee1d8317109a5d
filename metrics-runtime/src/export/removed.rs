//! Removed recorders: their counts stay in the rollup.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::history::SeriesHistory;
use super::skipped_log::SkippedLog;
use super::totals::{Presence, Totals};
use crate::engine::{Observation, RecorderInner};
use crate::runtime::RemovedRecorders;

/// The counts of removed recorders, by namespace, and what expositions of one runtime remember.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemovedTotals {
    pub(super) namespaces: BTreeMap<Arc<str>, Arc<NamespaceTotals>>,
    pub(super) unread: Vec<UnreadRecorder>,
    pub(super) history: SeriesHistory,
    pub(super) skipped_log: Arc<SkippedLog>,
}

/// The counts of all removed recorders of one namespace.
#[derive(Debug, Clone)]
pub(super) struct NamespaceTotals {
    pub(super) totals: Totals,
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

impl RemovedTotals {
    /// What [`RemovedRecorders::copy`] returned. Empty for a snapshot of another extension.
    pub(super) fn from_copy(copy: &Arc<dyn Any + Send + Sync>) -> Arc<Self> {
        Arc::clone(copy).downcast().unwrap_or_default()
    }
}

impl RemovedRecorders for RemovedTotals {
    fn add(&mut self, recorder: &Arc<RecorderInner>, last: &Observation) -> bool {
        let Some(metrics) = &last.metrics else {
            self.unread.push(UnreadRecorder(Arc::clone(recorder)));
            return false;
        };
        let namespace = recorder.namespace();
        let removed = self.namespaces.entry(Arc::clone(namespace)).or_insert_with(|| {
            let totals = Totals::with_label_slots(self.history.get_or_create_label_slots(namespace));
            Arc::new(NamespaceTotals { totals, recorders: 0 })
        });
        // Copies the totals only while a snapshot still uses them.
        let removed = Arc::make_mut(removed);
        removed.recorders += 1;
        removed.totals.add_stats(&last.stats, Presence::Removed);
        for (position, (descriptor, metric)) in metrics.iter().enumerate() {
            removed.totals.add_metric(position, descriptor, metric, Presence::Removed);
        }
        true
    }

    fn unread(&self) -> Vec<Arc<RecorderInner>> {
        self.unread.iter().map(|UnreadRecorder(recorder)| Arc::clone(recorder)).collect()
    }

    fn add_late(&mut self, recorder: &Arc<RecorderInner>, last: &Observation) {
        if let Some(index) = self.unread.iter().position(|unread| Arc::ptr_eq(&unread.0, recorder)) {
            // Drops no metric of the user: the caller still has the recorder.
            self.unread.remove(index);
            self.add(recorder, last);
        }
    }

    fn copy(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::new(self.clone())
    }
}
