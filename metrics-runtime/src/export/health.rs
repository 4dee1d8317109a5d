//! The library's own health, as one more metric of each group.

use std::borrow::Cow;

use super::collector::{Group, STATES, Scope};
use super::totals::{DimensionTotal, MetricTotal, Total};
use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule};
use crate::snapshot::DimensionValue;

/// The prefix of the names of these families.
const METRIC: &str = "mvx_metrics";

macro_rules! declare {
    ($($name:ident: $kind:ident $dimension:literal, [$($label:literal)?], $help:literal;)*) => {
        $(static $name: DimensionDescriptor = DimensionDescriptor {
            name: Cow::Borrowed($dimension),
            kind: DimensionKind::$kind,
            unit: None,
            help: Cow::Borrowed($help),
            labels: Cow::Borrowed(&[$(Cow::Borrowed($label))?]),
            limit: None,
            merge: MergeRule::Sum,
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
    INVALID: Counter "values_invalid", ["metric"], "Values that were not recorded because they are not finite.";
    SKIPPED: Gauge "dimensions_left_out", [], "Dimensions that are missing because of their names or shapes.";
}

/// The health of a group. In `Scope::PerEntity`, entities count events and namespaces count recorders.
pub(super) fn of_group(scope: Scope, group: &Group) -> MetricTotal {
    let mut dimensions = Vec::with_capacity(9);
    if scope == Scope::Rollup || group.entity_id.is_some() {
        push_events(group, &mut dimensions);
    }
    if let Some(recorders) = &group.recorders {
        let states = STATES.iter().zip(recorders.by_state);
        let states = states.map(|(state, count)| (Cow::Owned(state.to_string()), count));
        dimensions.extend([
            labelled(&RECORDERS, states),
            plain(&STALLED, recorders.stalled),
            plain(&REMOVED, recorders.removed),
        ]);
    }
    let metrics = &group.totals.metrics;
    if metrics.iter().any(|metric| metric.failed > 0) {
        let failed = metrics.iter().filter(|metric| metric.failed > 0);
        dimensions.push(labelled(&FAILED, failed.map(|metric| (metric.name.clone(), metric.failed))));
    }
    if metrics.iter().any(|metric| metric.invalid > 0) {
        let invalid = metrics.iter().filter(|metric| metric.invalid > 0);
        dimensions.push(labelled(&INVALID, invalid.map(|metric| (metric.name.clone(), metric.invalid))));
    }
    MetricTotal::of_library(METRIC, dimensions)
}

/// How many dimensions are skipped.
pub(super) fn of_skipped(skipped: usize) -> MetricTotal {
    MetricTotal::of_library(METRIC, vec![plain(&SKIPPED, skipped as u64)])
}

fn push_events(group: &Group, dimensions: &mut Vec<DimensionTotal>) {
    let stats = &group.totals.stats;
    dimensions.extend([
        plain(&ACCEPTED, stats.accepted),
        plain(&PROCESSED, stats.processed),
        plain(&REJECTED, stats.rejected),
        plain(&DISCARDED, stats.discarded),
        plain(&PENDING, stats.pending),
    ]);
    if !stats.dropped.is_empty() {
        let dropped = stats.dropped.iter();
        let dropped = dropped.map(|(event_type, count)| (Cow::Borrowed(*event_type), *count));
        dimensions.push(labelled(&DROPPED, dropped));
    }
}

fn plain(declared: &'static DimensionDescriptor, value: u64) -> DimensionTotal {
    DimensionTotal::of_library(declared, Total::Plain(DimensionValue::Unsigned(value)))
}

fn labelled(
    declared: &'static DimensionDescriptor,
    counts: impl Iterator<Item = (Cow<'static, str>, u64)>,
) -> DimensionTotal {
    DimensionTotal::of_library(declared, Total::by_label(counts))
}
