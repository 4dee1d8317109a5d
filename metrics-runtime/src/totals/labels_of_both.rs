//! Metrics of other libraries, whose labels are known only when they come: two processes may know different ones.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::labelled::is_other;
use crate::descriptor::DimensionDescriptor;
use crate::label::OTHER;
use crate::snapshot::{BreakdownEntry, Declaration, DimensionValue, MetricSnapshot};

/// Both metrics with the labels of both, sorted by name. A label that a metric lacks is an empty text there, which Prometheus takes
/// for no label. `None` unless each metric has a single dimension, that one has no name, and they differ in their labels alone.
pub(super) fn with_labels_of_both(
    one: &MetricSnapshot,
    other: &MetricSnapshot,
) -> Option<[MetricSnapshot; 2]> {
    let (own, others) = (nameless(one)?, nameless(other)?);
    if own.labels == others.labels {
        return None;
    }
    let labels: BTreeSet<_> = own.labels.iter().chain(&*others.labels).cloned().collect();
    let labels: Vec<_> = labels.into_iter().collect();
    let limit = own.limit.max(others.limit);
    let declared = |of: &DimensionDescriptor| DimensionDescriptor {
        labels: labels.clone().into(),
        limit,
        parts: 0,
        ..of.clone()
    };
    let (own, others) = (declared(own), declared(others));
    own.difference(&others).is_none().then(|| [widened(one, own), widened(other, others)])
}

/// The only dimension of a metric, if it has no name: no derived metric has such a dimension.
fn nameless(metric: &MetricSnapshot) -> Option<&DimensionDescriptor> {
    match &*metric.declaration()?.dimensions {
        [declared] if declared.name.is_empty() => Some(declared),
        _ => None,
    }
}

/// The metric with further labels.
fn widened(metric: &MetricSnapshot, declared: DimensionDescriptor) -> MetricSnapshot {
    let mut widened = metric.clone();
    let before = nameless(metric).map_or(&[][..], |before| &before.labels);
    if let Some(value) = widened.dimensions.value_mut(0) {
        let entries = match std::mem::replace(value, DimensionValue::Empty) {
            DimensionValue::Breakdown(entries) => entries,
            DimensionValue::Empty => Vec::new(),
            value => vec![BreakdownEntry { labels: Vec::new(), value }],
        };
        let entries = entries.into_iter().map(|BreakdownEntry { labels, value }| {
            let is_other = is_other(&labels);
            let label = |name| match before.iter().position(|known| known == name) {
                _ if is_other => Cow::Borrowed(OTHER),
                Some(position) => labels.get(position).cloned().unwrap_or_default(),
                None => Cow::Borrowed(""),
            };
            BreakdownEntry { labels: declared.labels.iter().map(label).collect(), value }
        });
        *value = DimensionValue::Breakdown(entries.collect());
    }
    if let Some(declaration) = &metric.declaration {
        let mut descriptor = declaration.descriptor().clone();
        descriptor.dimensions = vec![declared].into();
        widened.declaration = Some(Declaration::with_events(descriptor, declaration.events().to_vec()));
    }
    widened
}
