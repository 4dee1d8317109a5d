//! Removed recorders: their counts stay in the rollup.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::history::SeriesHistory;
use super::totals::{Presence, Totals};
use crate::recorder::{Observation, RecorderCore};

/// The counts of removed recorders, by namespace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retired {
    pub(super) namespaces: BTreeMap<Arc<str>, Arc<NamespaceTotals>>,
    pub(super) unread: Vec<UnreadRecorder>,
    pub(super) history: SeriesHistory,
}

/// The counts of all removed recorders of one namespace.
#[derive(Debug, Clone)]
pub(super) struct NamespaceTotals {
    pub(super) totals: Totals,
    pub(super) recorders: u64,
}

/// A removed recorder that could not be read yet, because a handler still runs.
#[derive(Clone)]
pub(super) struct UnreadRecorder(pub(super) Arc<RecorderCore>);

impl fmt::Debug for UnreadRecorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.entity_id())
    }
}

impl Retired {
    /// Adds the last state of a removed recorder. If its metrics could not be read, the recorder is kept to be read later.
    pub(crate) fn add(&mut self, recorder: &Arc<RecorderCore>, last: &Observation) {
        let Some(metrics) = &last.metrics else {
            self.unread.push(UnreadRecorder(Arc::clone(recorder)));
            return;
        };
        let namespace = recorder.shared_namespace();
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
    }

    /// The removed recorders that still have to be read.
    pub(crate) fn late(&self) -> Vec<Arc<RecorderCore>> {
        self.unread.iter().map(|UnreadRecorder(recorder)| Arc::clone(recorder)).collect()
    }

    /// Adds the last state of a recorder from [`late`](Self::late), unless another thread has added it meanwhile.
    pub(crate) fn settle(&mut self, recorder: &Arc<RecorderCore>, last: &Observation) {
        if let Some(index) = self.unread.iter().position(|unread| Arc::ptr_eq(&unread.0, recorder)) {
            // Drops no metric of the user: the caller still has the recorder.
            self.unread.remove(index);
            self.add(recorder, last);
        }
    }
}
