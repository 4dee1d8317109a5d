//! Label slots: which labels of a breakdown with a limit have series of their own in the rollup of a namespace.
//!
//! The slots outlive an exposition, although the order of labels changes with the recorders. Without them a label could move
//! to `other` and another label out of it. Both series would then show wrong totals, and fall.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::sync::Mutex;

/// How many breakdowns of a namespace have slots that outlive an exposition.
const MAX_BREAKDOWNS: usize = 4_096;

/// The label slots of one namespace. All clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct LabelSlots(Arc<Mutex<HashMap<BreakdownKey, AdmittedLabels>>>);

/// The metric's name and the dimension's name.
type BreakdownKey = (String, String);

/// The labels of one breakdown that have a slot. All clones share them.
#[derive(Debug, Clone)]
pub(super) struct AdmittedLabels {
    labels: Arc<Mutex<HashSet<Vec<Cow<'static, str>>>>>,
    /// How many slots there are: the limit of the declaration that was read first.
    limit: usize,
}

impl LabelSlots {
    /// The labels of a breakdown, none at first; `None` when there are too many breakdowns.
    pub(super) fn get_or_create(
        &self,
        metric: &str,
        dimension: &str,
        limit: usize,
    ) -> Option<AdmittedLabels> {
        let mut breakdowns = self.0.lock();
        let key = (metric.to_owned(), dimension.to_owned());
        if breakdowns.len() >= MAX_BREAKDOWNS && !breakdowns.contains_key(&key) {
            return None;
        }
        let admitted =
            breakdowns.entry(key).or_insert_with(|| AdmittedLabels { labels: Arc::default(), limit });
        Some(admitted.clone())
    }
}

impl AdmittedLabels {
    /// Gives a label a slot if one is free, unless it has one already. Returns whether it has a slot now.
    pub(super) fn admit(&self, labels: &[Cow<'static, str>]) -> bool {
        let mut admitted = self.labels.lock();
        admitted.contains(labels) || (admitted.len() < self.limit && admitted.insert(labels.to_vec()))
    }
}
