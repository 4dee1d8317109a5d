//! The library's own health, as one more metric of each group.

use std::borrow::Cow;

use super::family::Dimension;
use super::groups::Group;
use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MergeValues};
use crate::snapshot::{BreakdownEntry, DimensionValue, Timestamp};
use crate::totals::{GroupTotals, NamespaceRecorders};

/// The prefix of the names of these families.
const METRIC: &str = "mvx_metrics";

macro_rules! declare {
    ($($name:ident: $kind:ident $dimension:literal, [$($label:literal)?], $help:literal;)*) => {
        $(static $name: DimensionDescriptor = DimensionDescriptor {
            name: Cow::Borrowed($dimension),
            kind: DimensionKind::$kind,
            number: None,
            unit: None,
            help: Cow::Borrowed($help),
            labels: Cow::Borrowed(&[$(Cow::Borrowed($label))?]),
            limit: None,
            keep: None,
            buckets: Cow::Borrowed(&[]),
            max_buckets: None,
            merge: Some(MergeRule::Sum),
            window: None,
            parts: 0,
            merge_values: MergeValues(None),
        };)*
    };
}

declare! {
    ACCEPTED: Counter "events_accepted", [], "Events taken into a queue.";
    PROCESSED: Counter "events_processed", [], "Accepted events that were applied to the metrics.";
    DROPPED: Counter "events_dropped", ["event_type"], "Events dropped because the queue was full, by type of event.";
    REJECTED: Counter "events_rejected", [], "Events handed back with an error.";
    DISCARDED: Counter "events_discarded", [], "Accepted events that were lost to a failure.";
    PENDING: Gauge "events_pending", [], "Accepted events not yet processed.";
    RECORDERS: Gauge "recorders", ["state"], "Recorders by state.";
    STALLED: Gauge "recorders_stalled", [], "Recorders whose metrics could not be read.";
    REMOVED: Counter "recorders_removed", [], "Recorders that were removed.";
    FAILED: Gauge "metrics_failed", ["metric"], "Metrics that stopped counting because they failed.";
    INVALID: Counter "values_invalid", ["metric"], "Values that could not be recorded, such as infinite ones.";
    SKIPPED: Gauge "dimensions_left_out", [], "Dimensions that are missing because of their names or shapes.";
}

/// One of the library's own dimensions.
pub(super) struct Health {
    group: usize,
    declared: &'static DimensionDescriptor,
    value: DimensionValue,
    created: Timestamp,
}

impl Health {
    pub(super) fn dimension(&self) -> Dimension<'_> {
        let Self { group, declared, value, created } = self;
        let (group, created) = (*group, *created);
        Dimension { group, of_library: true, metric: METRIC, help: "", declared, value, created }
    }
}

/// The health of all groups. Each dimension has its position among those of its group.
pub(super) fn of_groups(groups: &[Group<'_>]) -> Vec<(usize, Health)> {
    let mut health = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        if let Some(recorders) = &group.recorders {
            health.extend(of_namespace(index, recorders, group.created).into_iter().enumerate());
        }
    }
    for (index, group) in groups.iter().enumerate() {
        if let Some(totals) = &group.totals {
            health.extend(of_group(index, totals).into_iter().enumerate());
        }
    }
    health
}

/// The events and the failures of a group.
fn of_group(group: usize, totals: &GroupTotals) -> [Health; 8] {
    let GroupTotals { stats, metrics, failed, .. } = totals;
    let created = totals.created();
    let count = |declared, count| Health { group, declared, value: DimensionValue::Unsigned(count), created };
    let by_label = |declared, counts: &mut dyn Iterator<Item = (Cow<'static, str>, u64)>| Health {
        group,
        declared,
        value: by_label(counts),
        created,
    };
    let dropped = stats.dropped_by_type.iter().map(|(event_type, count)| (event_type.clone(), *count));
    let failures = |name: &Cow<'static, str>| failed.get(name).copied().unwrap_or(0);
    let failed = metrics.iter().map(|metric| (metric.name.clone(), failures(&metric.name)));
    let invalid = metrics.iter().map(|metric| (metric.name.clone(), metric.invalid));
    [
        count(&ACCEPTED, stats.accepted),
        count(&PROCESSED, stats.processed),
        count(&REJECTED, stats.rejected),
        count(&DISCARDED, stats.discarded),
        count(&PENDING, stats.pending),
        by_label(&DROPPED, &mut { dropped }),
        by_label(&FAILED, &mut { failed }),
        by_label(&INVALID, &mut { invalid }),
    ]
}

/// The recorders of a namespace.
fn of_namespace(group: usize, namespace: &NamespaceRecorders, created: Timestamp) -> [Health; 3] {
    let states = namespace.by_state.iter();
    let states = by_label(&mut states.map(|(state, count)| (Cow::Owned(state.to_string()), *count)));
    let stalled = namespace.stalled.saturating_add(namespace.unread);
    [
        Health { group, declared: &RECORDERS, value: states, created },
        Health { group, declared: &STALLED, value: DimensionValue::Unsigned(stalled), created },
        Health { group, declared: &REMOVED, value: DimensionValue::Unsigned(namespace.removed), created },
    ]
}

/// How many dimensions are skipped.
pub(super) fn of_skipped(skipped: usize) -> Health {
    let (value, created) = (DimensionValue::Unsigned(skipped as u64), Timestamp::default());
    Health { group: 0, declared: &SKIPPED, value, created }
}

/// Counts by the text of one label.
fn by_label(counts: &mut dyn Iterator<Item = (Cow<'static, str>, u64)>) -> DimensionValue {
    let entries = counts
        .map(|(label, count)| BreakdownEntry { labels: vec![label], value: DimensionValue::Unsigned(count) });
    DimensionValue::Breakdown(entries.collect())
}
