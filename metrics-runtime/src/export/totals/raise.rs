//! Raising incomplete totals to earlier ones, so that no counter falls while a recorder cannot be read.

use super::merge::max_merge;
use super::{DimensionTotal, MAX_DIMENSIONS, MAX_METRICS, MetricTotal, Total, Totals};
use crate::descriptor::DimensionKind;
use crate::export::family_type::FamilyType;
use crate::snapshot::DimensionValue;

impl Totals {
    /// Raises each counter and each histogram to at least its value in `earlier`. The complete totals would be no smaller.
    pub(crate) fn raise_to(&mut self, earlier: &Self) {
        for earlier in &earlier.metrics {
            if let Some(metric) = self.metrics.iter_mut().find(|metric| metric.name == earlier.name) {
                metric.raise_to(earlier);
            } else if self.metrics.len() < MAX_METRICS {
                let mut metric = earlier.clone();
                metric.failed = 0;
                metric.dimensions.iter_mut().for_each(DimensionTotal::clear_what_may_fall);
                self.metrics.push(metric);
            }
        }
    }
}

impl MetricTotal {
    fn raise_to(&mut self, earlier: &Self) {
        self.invalid = self.invalid.max(earlier.invalid);
        for earlier in &earlier.dimensions {
            let mut same = self.dimensions.iter_mut().filter(|total| total.takes(&earlier.declared));
            if !same.any(|total| total.raise_to(earlier)) && self.dimensions.len() < MAX_DIMENSIONS {
                let mut total = earlier.clone();
                total.clear_what_may_fall();
                self.dimensions.push(total);
            }
        }
    }
}

impl DimensionTotal {
    /// Returns `false` when the shapes of the values differ.
    fn raise_to(&mut self, earlier: &Self) -> bool {
        let kind = earlier.declared.kind;
        match (&mut self.value, &earlier.value) {
            (_, Total::Plain(earlier)) if !never_falls(kind, earlier) => true,
            (Total::Plain(value), Total::Plain(earlier)) => max_merge(value, earlier),
            (Total::Labelled(labelled), Total::Labelled(earlier)) => {
                let mut entries = earlier.entries.iter().filter(|entry| never_falls(kind, &entry.value));
                entries.all(|entry| labelled.raise_to(entry))
            }
            (Total::Plain(DimensionValue::Empty), Total::Labelled(_)) => {
                self.value = earlier.value.clone();
                self.clear_what_may_fall();
                true
            }
            _ => false,
        }
    }

    fn clear_what_may_fall(&mut self) {
        let kind = self.declared.kind;
        let clear = |value: &mut DimensionValue| {
            if !never_falls(kind, value) {
                *value = DimensionValue::Empty;
            }
        };
        match &mut self.value {
            Total::Plain(value) => clear(value),
            Total::Labelled(labelled) => {
                labelled.entries.iter_mut().for_each(|entry| clear(&mut entry.value));
            }
        }
    }
}

fn never_falls(kind: DimensionKind, value: &DimensionValue) -> bool {
    FamilyType::of(kind, value).is_some_and(FamilyType::never_falls)
}
