//! Raising incomplete totals to earlier ones, so that no counter falls while a recorder cannot be read.

use super::group::GroupTotals;
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::snapshot::{
    Aggregate, Declaration, DimensionValue, Dimensions, MetricSnapshot, for_aggregate, for_aggregates,
    positions,
};

impl GroupTotals {
    /// Raises each count to at least its value in `earlier`. The complete totals would be no smaller.
    pub(super) fn raise_to(&mut self, earlier: &Self) {
        for earlier in &earlier.metrics {
            if let Some(metric) = self.metrics.get_mut(&earlier.name) {
                raise_metric(metric, earlier);
            } else {
                let mut metric = earlier.clone();
                metric.failed = None;
                clear_what_may_fall(&mut metric);
                self.metrics.push(metric);
            }
        }
        for event_type in earlier.stats.dropped_by_type.keys() {
            self.stats.dropped_by_type.entry(event_type.clone()).or_default();
        }
    }
}

fn raise_metric(metric: &mut MetricSnapshot, earlier: &MetricSnapshot) {
    metric.invalid = metric.invalid.max(earlier.invalid);
    metric.times = metric.times.merged(earlier.times);
    let Some(declaration) = &earlier.declaration else { return };
    let positions = metric.dimensions.positions_of(&earlier.dimensions);
    let mut missing = Vec::new();
    for (index, ((name, earlier), position)) in earlier.dimensions.iter().zip(positions).enumerate() {
        let Some(declared) = declaration.dimension_at(index, name) else { continue };
        match position.and_then(|position| metric.dimensions.value_mut(position)) {
            Some(value) => raise(declared, value, earlier),
            None => missing.extend(what_never_falls(declared, earlier).map(|value| (declared, value))),
        }
    }
    if !missing.is_empty() {
        add_missing(metric, missing);
    }
}

/// Adds dimensions that the metric does not have: no recorder with their declaration can be read, or the metric has failed.
fn add_missing(metric: &mut MetricSnapshot, missing: Vec<(&DimensionDescriptor, DimensionValue)>) {
    let own = metric.declaration.clone().unwrap_or_else(|| Declaration::undeclared(&metric.name));
    let mut descriptor = own.descriptor().clone();
    for (declared, value) in missing {
        metric.dimensions.push(declared.name.clone(), value);
        if own.dimension_at(usize::MAX, &declared.name).is_none() {
            descriptor.dimensions.to_mut().push(declared.clone());
        }
    }
    // Totals are read back only with all declared dimensions, or with none.
    let declared: Dimensions = (descriptor.dimensions.iter())
        .map(|declared| {
            let breakdown = declared.is_breakdown().then(|| DimensionValue::Breakdown(Vec::new()));
            let empty = breakdown.unwrap_or(DimensionValue::Empty);
            (declared.name.clone(), empty)
        })
        .collect();
    let positions = metric.dimensions.positions_of(&declared);
    for ((name, empty), position) in declared.iter().zip(positions) {
        if position.is_none() {
            metric.dimensions.push(name.to_owned(), empty.clone());
        }
    }
    let declaration = if descriptor.dimensions.len() == own.descriptor().dimensions.len() {
        own
    } else {
        Declaration::with_events(descriptor, own.events().to_vec())
    };
    metric.dimensions.sort_by_key(|name| declaration.position_of(name).unwrap_or(usize::MAX));
    metric.declaration = Some(declaration);
}

fn raise(declared: &DimensionDescriptor, value: &mut DimensionValue, earlier: &DimensionValue) {
    use DimensionValue::{Breakdown, Duration, Empty, Unsigned};
    match (&mut *value, earlier) {
        (Breakdown(entries), Breakdown(earlier)) => {
            let own = entries.len();
            for (position, earlier) in positions(entries, earlier).into_iter().zip(earlier) {
                match position.and_then(|position| entries.get_mut(position)) {
                    Some(entry) => raise(declared, &mut entry.value, &earlier.value),
                    None if never_falls(declared, &earlier.value) => entries.push(earlier.clone()),
                    None => {}
                }
            }
            if entries.len() > own {
                // Entries that begin with the same parts stand side by side.
                entries.sort_by(|left, right| left.labels.cmp(&right.labels));
            }
        }
        (_, earlier) if !never_falls(declared, earlier) => {}
        (Unsigned(value), Unsigned(earlier)) => *value = (*value).max(*earlier),
        (Duration(value), Duration(earlier)) => *value = (*value).max(*earlier),
        (Empty, earlier) => *value = earlier.clone(),
        (value, earlier) => {
            for_aggregates!(value, earlier, |value, earlier| value.raise(earlier), else ());
        }
    }
}

fn clear_what_may_fall(metric: &mut MetricSnapshot) {
    let Some(declaration) = metric.declaration.clone() else { return };
    for (index, (name, value)) in metric.dimensions.iter_mut().enumerate() {
        let Some(declared) = declaration.dimension_at(index, name) else { continue };
        let kept = what_never_falls(declared, value);
        *value = kept.unwrap_or_else(|| match value {
            DimensionValue::Breakdown(_) => DimensionValue::Breakdown(Vec::new()),
            _ => DimensionValue::Empty,
        });
    }
}

/// The value, or those of its labels, without what may fall; `None` when nothing is left.
fn what_never_falls(declared: &DimensionDescriptor, value: &DimensionValue) -> Option<DimensionValue> {
    match value {
        DimensionValue::Breakdown(entries) => {
            let kept = entries.iter().filter(|entry| never_falls(declared, &entry.value));
            let kept: Vec<_> = kept.cloned().collect();
            (!kept.is_empty()).then_some(DimensionValue::Breakdown(kept))
        }
        value => never_falls(declared, value).then(|| value.clone()),
    }
}

/// Whether values like this one only grow.
fn never_falls(declared: &DimensionDescriptor, value: &DimensionValue) -> bool {
    use DimensionKind::{Counter, Sum};
    use DimensionValue::{Duration, Unsigned};
    match (declared.kind, value) {
        _ if declared.window.is_some() => false,
        (Counter | Sum, Unsigned(_) | Duration(_)) => true,
        (_, value) => for_aggregate!(value, |aggregate| aggregate.never_falls(), else false),
    }
}
