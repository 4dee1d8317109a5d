//! Places: which labels have series of their own in the totals of a namespace, from one exposition to the next.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::MOST;

/// The labels that have a place, for each breakdown with a limit.
///
/// Which labels come first changes with the recorders that are there. A label that was shown keeps its place all the same:
/// were it counted in `other` from then on, and another one not any more, both series would be wrong, and fall.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<Breakdown, Taken>>>);

/// The names of the metric and of the dimension.
type Breakdown = (String, String);

/// The places of one breakdown.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Arc<Mutex<HashSet<Vec<Cow<'static, str>>>>>);

impl Places {
    /// The places of one breakdown; `None` when there are too many breakdowns.
    pub(super) fn of(&self, metric: &str, dimension: &str) -> Option<Taken> {
        let mut breakdowns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let breakdown = (metric.to_owned(), dimension.to_owned());
        if breakdowns.len() >= MOST && !breakdowns.contains_key(&breakdown) {
            return None;
        }
        Some(breakdowns.entry(breakdown).or_default().clone())
    }
}

impl Taken {
    /// Whether the label has one of `limit` places; takes a free one if there is any.
    pub(super) fn has(&self, labels: &[Cow<'static, str>], limit: usize) -> bool {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.contains(labels) || (taken.len() < limit && taken.insert(labels.to_vec()))
    }
}
