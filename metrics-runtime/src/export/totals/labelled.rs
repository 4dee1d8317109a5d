//! Totals for each label of a breakdown.

use std::borrow::Cow;
use std::collections::HashMap;

use super::label_slots::AdmittedLabels;
use super::merge::{is_mergeable, max_merge, merge};
use crate::descriptor::MergeRule;
use crate::label::OTHER;
use crate::snapshot::{BreakdownEntry, DimensionValue};

/// The limit of a breakdown that declares none.
const MAX_LABELS: usize = 65_536;
/// With more labels than this a table finds them faster than a search.
const MAX_SEARCHED_LABELS: usize = 8;

/// One total for each label. Labels beyond the limit are merged into `other`, as in the breakdown itself.
#[derive(Debug, Clone)]
pub(crate) struct LabelledTotal {
    pub(crate) entries: Vec<BreakdownEntry>,
    /// The index of each entry, once there are more than `MAX_SEARCHED_LABELS`.
    indexes: Option<HashMap<Vec<Cow<'static, str>>, usize>>,
    limit: usize,
    /// The labels with entries of their own, if other totals share this choice.
    admitted: Option<AdmittedLabels>,
    /// The index of the entry `other`.
    other: Option<usize>,
}

impl LabelledTotal {
    pub(super) fn new(limit: Option<usize>, admitted: Option<AdmittedLabels>) -> Self {
        let limit = limit.unwrap_or(MAX_LABELS);
        Self { entries: Vec::new(), indexes: None, limit, admitted, other: None }
    }

    /// Merges the entries of one breakdown into this total. Returns `false` if it has skipped an entry because its shape is
    /// another one than before.
    pub(super) fn add(&mut self, rule: MergeRule, entries: &[BreakdownEntry]) -> bool {
        let mut all = true;
        for (position, entry) in entries.iter().enumerate() {
            all &= self.add_entry(rule, position, entry);
        }
        all
    }

    fn add_entry(&mut self, rule: MergeRule, position: usize, entry: &BreakdownEntry) -> bool {
        if !is_mergeable(&entry.value) {
            return matches!(entry.value, DimensionValue::Empty | DimensionValue::Text(_));
        }
        match self.find(position, &entry.labels) {
            Some(index) => merge(rule, &mut self.entries[index].value, &entry.value),
            None if is_other(&entry.labels) || !self.admit(&entry.labels) => self.add_to_other(rule, entry),
            None => {
                self.push(entry.clone());
                true
            }
        }
    }

    /// Raises the total of a label to at least the value of `earlier`. Returns `false`, and changes nothing, when their shapes
    /// differ.
    pub(super) fn raise_to(&mut self, earlier: &BreakdownEntry) -> bool {
        if let Some(index) = self.find(0, &earlier.labels) {
            return max_merge(&mut self.entries[index].value, &earlier.value);
        }
        if is_other(&earlier.labels) {
            self.other = Some(self.entries.len());
        }
        self.push(earlier.clone());
        true
    }

    /// Returns whether a label may have an entry of its own, and reserves its slot if it may.
    fn admit(&self, labels: &[Cow<'static, str>]) -> bool {
        match &self.admitted {
            Some(admitted) => admitted.admit(labels, self.limit),
            None => self.entries.len() - usize::from(self.other.is_some()) < self.limit,
        }
    }

    fn add_to_other(&mut self, rule: MergeRule, entry: &BreakdownEntry) -> bool {
        if let Some(other) = self.other {
            return merge(rule, &mut self.entries[other].value, &entry.value);
        }
        self.other = Some(self.entries.len());
        let labels = vec![Cow::Borrowed(OTHER); entry.labels.len()];
        self.push(BreakdownEntry { labels, value: entry.value.clone() });
        true
    }

    fn push(&mut self, entry: BreakdownEntry) {
        self.entries.push(entry);
        if let Some(indexes) = &mut self.indexes {
            let last = self.entries.len() - 1;
            indexes.insert(self.entries[last].labels.clone(), last);
        } else if self.entries.len() > MAX_SEARCHED_LABELS {
            let entries = self.entries.iter().enumerate();
            self.indexes = Some(entries.map(|(index, entry)| (entry.labels.clone(), index)).collect());
        }
    }

    /// The index of a label. Breakdowns of one declaration mostly have a label at the same position.
    fn find(&self, position: usize, labels: &[Cow<'static, str>]) -> Option<usize> {
        if self.entries.get(position).is_some_and(|entry| entry.labels == labels) {
            return Some(position);
        }
        match &self.indexes {
            Some(indexes) => indexes.get(labels).copied(),
            None => self.entries.iter().position(|entry| entry.labels == labels),
        }
    }
}

fn is_other(labels: &[Cow<'static, str>]) -> bool {
    !labels.is_empty() && labels.iter().all(|label| label == OTHER)
}
