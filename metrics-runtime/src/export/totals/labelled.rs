//! Totals for each label of a breakdown.

use std::borrow::Cow;
use std::collections::HashMap;

use super::merge::{Rule, adds_up, grown, merge};
use super::places::Taken;
use crate::label::OTHER;
use crate::snapshot::{BreakdownEntry, DimensionValue};

/// How many labels are kept when neither their type nor the declaration says a number.
const MOST_LABELS: usize = 65_536;
/// Up to that many labels a look at each of them is as fast as a table.
const FEW_LABELS: usize = 8;

/// One total for each label. Labels beyond the limit are counted in `other`, as in the breakdown itself.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub(crate) entries: Vec<BreakdownEntry>,
    /// Where the entry of a label is, once there are more than a few.
    positions: Option<HashMap<Vec<Cow<'static, str>>, usize>>,
    limit: usize,
    /// Which labels have a place, if others have a say in it.
    taken: Option<Taken>,
    other: Option<usize>,
}

impl Labelled {
    pub(super) fn new(limit: Option<usize>, taken: Option<Taken>) -> Self {
        let limit = limit.unwrap_or(MOST_LABELS);
        Self { entries: Vec::new(), positions: None, limit, taken, other: None }
    }

    /// Takes the entries of one breakdown in; returns how many could not be, because of their shape.
    pub(super) fn add(&mut self, rule: Rule, entries: &[BreakdownEntry]) -> usize {
        let entries = entries.iter().enumerate();
        entries.map(|(position, entry)| usize::from(!self.add_entry(rule, position, entry))).sum()
    }

    fn add_entry(&mut self, rule: Rule, position: usize, entry: &BreakdownEntry) -> bool {
        if !adds_up(&entry.value) {
            return matches!(entry.value, DimensionValue::Empty | DimensionValue::Text(_));
        }
        match self.find(position, &entry.labels) {
            Some(place) => merge(rule, &mut self.entries[place].value, &entry.value),
            None if is_other(&entry.labels) => self.add_other(rule, entry),
            None if !self.has_place(&entry.labels) => self.add_other(rule, entry),
            None => {
                self.push(entry.clone());
                true
            }
        }
    }

    /// Raises the total of a label to a value that only grows; `false`, and nothing changes, when it is of another shape.
    pub(super) fn raise(&mut self, least: &BreakdownEntry) -> bool {
        if let Some(place) = self.find(0, &least.labels) {
            return grown(&mut self.entries[place].value, &least.value);
        }
        if is_other(&least.labels) {
            self.other = Some(self.entries.len());
        }
        self.push(least.clone());
        true
    }

    fn has_place(&self, labels: &[Cow<'static, str>]) -> bool {
        match &self.taken {
            Some(taken) => taken.has(labels, self.limit),
            None => self.entries.len() - usize::from(self.other.is_some()) < self.limit,
        }
    }

    fn add_other(&mut self, rule: Rule, entry: &BreakdownEntry) -> bool {
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
        if let Some(positions) = &mut self.positions {
            let last = self.entries.len() - 1;
            positions.insert(self.entries[last].labels.clone(), last);
        } else if self.entries.len() > FEW_LABELS {
            let entries = self.entries.iter().enumerate();
            self.positions = Some(entries.map(|(place, entry)| (entry.labels.clone(), place)).collect());
        }
    }

    /// Breakdowns of the same declaration mostly have their labels at the same positions.
    fn find(&self, position: usize, labels: &[Cow<'static, str>]) -> Option<usize> {
        if self.entries.get(position).is_some_and(|entry| entry.labels == labels) {
            return Some(position);
        }
        match &self.positions {
            Some(positions) => positions.get(labels).copied(),
            None => self.entries.iter().position(|entry| entry.labels == labels),
        }
    }
}

fn is_other(labels: &[Cow<'static, str>]) -> bool {
    !labels.is_empty() && labels.iter().all(|label| label == OTHER)
}
