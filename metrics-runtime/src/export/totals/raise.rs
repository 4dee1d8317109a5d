//! Raising totals to what they were before, where they only grow.

use super::merge::grown;
use super::{DimensionTotal, MOST, MetricTotal, Total, Totals};
use crate::descriptor::DimensionKind;
use crate::export::family::{FamilyType, type_of};
use crate::snapshot::DimensionValue;

impl Totals {
    /// Raises what only grows to what it was in `before`, at least. It then still is not more than it would be with nothing
    /// missing: it was as much before.
    pub(crate) fn raise(&mut self, before: &Self) {
        for before in &before.metrics {
            if let Some(metric) = self.metrics.iter_mut().find(|metric| metric.name == before.name) {
                metric.raise(before);
            } else if self.metrics.len() < MOST {
                let mut metric = before.clone();
                metric.failed = 0;
                metric.dimensions.iter_mut().for_each(DimensionTotal::keep_what_grows);
                self.metrics.push(metric);
            }
        }
    }
}

impl MetricTotal {
    fn raise(&mut self, before: &Self) {
        self.invalid = self.invalid.max(before.invalid);
        for before in &before.dimensions {
            let mut same = self.dimensions.iter_mut().filter(|total| total.is_like(&before.declared));
            if !same.any(|total| total.raise(before)) && self.dimensions.len() < MOST {
                let mut total = before.clone();
                total.keep_what_grows();
                self.dimensions.push(total);
            }
        }
    }
}

impl DimensionTotal {
    /// `false` when the values are not of the same shape.
    fn raise(&mut self, before: &Self) -> bool {
        let kind = before.declared.kind;
        match (&mut self.value, &before.value) {
            (Total::Plain(now), Total::Plain(before)) => !grows(kind, before) || grown(now, before),
            (Total::Labelled(now), Total::Labelled(before)) => {
                let mut entries = before.entries.iter().filter(|entry| grows(kind, &entry.value));
                entries.all(|entry| now.raise(entry))
            }
            (Total::Plain(DimensionValue::Empty), Total::Labelled(_)) => {
                self.value = before.value.clone();
                self.keep_what_grows();
                true
            }
            _ => false,
        }
    }

    fn keep_what_grows(&mut self) {
        let kind = self.declared.kind;
        match &mut self.value {
            Total::Plain(value) if grows(kind, value) => {}
            Total::Plain(value) => *value = DimensionValue::Empty,
            Total::Labelled(labelled) => {
                for entry in labelled.entries.iter_mut().filter(|entry| !grows(kind, &entry.value)) {
                    entry.value = DimensionValue::Empty;
                }
            }
        }
    }
}

fn grows(kind: DimensionKind, value: &DimensionValue) -> bool {
    matches!(type_of(kind, value), Some(FamilyType::Counter | FamilyType::Histogram))
}
