//! Sums for each label of a breakdown.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::label_slots::AdmittedLabels;
use crate::descriptor::DimensionDescriptor;
use crate::label::OTHER;
use crate::snapshot::{BreakdownEntry, DimensionValue, merge_plain_values};

/// The limit of a breakdown that declares none.
const MAX_LABELS: usize = 65_536;
/// With more labels than this a table finds them faster than a search.
const MAX_SEARCHED_LABELS: usize = 8;

/// One sum for each label. Labels beyond the limit are merged into `other`, as in the breakdown itself.
#[derive(Debug, Clone)]
pub(super) struct LabelledSum {
    entries: Vec<BreakdownEntry>,
    /// The index of each entry, once there are more than `MAX_SEARCHED_LABELS`.
    indexes: Option<HashMap<Vec<Cow<'static, str>>, usize>>,
    limit: usize,
    /// The labels with entries of their own, if other sums share this choice.
    admitted: Option<AdmittedLabels>,
    /// The index of the entry `other`.
    other: Option<usize>,
}

impl LabelledSum {
    pub(super) fn new(limit: Option<usize>, admitted: Option<AdmittedLabels>) -> Self {
        let limit = limit.unwrap_or(MAX_LABELS);
        Self { entries: Vec::new(), indexes: None, limit, admitted, other: None }
    }

    /// Merges the entries of one breakdown into this sum. Returns `false` if it has left out a value because its form is
    /// another one than before.
    pub(super) fn add(&mut self, declared: &DimensionDescriptor, entries: &[BreakdownEntry]) -> bool {
        let mut all = true;
        for (position, entry) in entries.iter().enumerate() {
            all &= self.add_entry(declared, position, entry);
        }
        all
    }

    fn add_entry(&mut self, declared: &DimensionDescriptor, position: usize, entry: &BreakdownEntry) -> bool {
        match entry.value {
            DimensionValue::Empty => return true,
            DimensionValue::Breakdown(_) => return false,
            _ => {}
        }
        match self.find(position, &entry.labels) {
            Some(index) => merge_plain_values(declared, &mut self.entries[index].value, &entry.value),
            None if is_other(&entry.labels) || !self.admit(&entry.labels) => {
                self.add_to_other(declared, entry)
            }
            None => {
                self.push(entry.clone());
                true
            }
        }
    }

    /// The entries. Those that begin with the same parts stand side by side.
    pub(super) fn into_entries(mut self) -> Vec<BreakdownEntry> {
        if self.entries.first().is_some_and(|entry| entry.labels.len() > 1) && !is_grouped(&self.entries) {
            self.entries.sort_by(|left, right| left.labels.cmp(&right.labels));
        }
        self.entries
    }

    /// Returns whether a label may have an entry of its own, and reserves its slot if it may.
    fn admit(&self, labels: &[Cow<'static, str>]) -> bool {
        match &self.admitted {
            Some(admitted) => admitted.admit(labels),
            None => self.entries.len() - usize::from(self.other.is_some()) < self.limit,
        }
    }

    fn add_to_other(&mut self, declared: &DimensionDescriptor, entry: &BreakdownEntry) -> bool {
        if let Some(other) = self.other {
            return merge_plain_values(declared, &mut self.entries[other].value, &entry.value);
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

/// Whether all entries with the same first parts stand side by side.
fn is_grouped(entries: &[BreakdownEntry]) -> bool {
    let mut seen = HashSet::new();
    entries.windows(2).all(|pair| {
        let (left, right) = (&pair[0].labels, &pair[1].labels);
        let common = left.iter().zip(right).take_while(|(left, right)| left == right).count();
        // The groups of `left` that `right` is not in have ended.
        (common + 1..left.len()).all(|end| seen.insert(&left[..end]))
            && (common + 1..right.len()).all(|end| !seen.contains(&right[..end]))
    })
}

/// Whether labels are those of the entry `other`.
pub(super) fn is_other(labels: &[Cow<'static, str>]) -> bool {
    !labels.is_empty() && labels.iter().all(|label| label == OTHER)
}
