//! The library's own health, as one more metric of each scope.

use std::borrow::Cow;

use super::scope::{STATES, Scope, Scoped};
use super::totals::{DimensionTotal, MetricTotal, Total};
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::snapshot::DimensionValue;

/// The name all these families begin with.
pub(super) const METRIC: &str = "mvx_metrics";

/// What a scope says about itself.
pub(super) fn health(scope: Scope, scoped: &Scoped) -> MetricTotal {
    let mut dimensions = Vec::new();
    if scope == Scope::Rollup || scoped.entity_id.is_some() {
        events(scoped, &mut dimensions);
    }
    if let Some(recorders) = &scoped.recorders {
        let states = STATES.iter().zip(recorders.by_state);
        dimensions.extend([
            labelled(
                ("recorders", DimensionKind::Gauge, "Recorders by state."),
                "state",
                states.map(|(state, count)| (Cow::Owned(state.to_string()), count)),
            ),
            plain(
                "recorders_stalled",
                DimensionKind::Gauge,
                "Recorders whose metrics could not be read.",
                recorders.stalled,
            ),
            plain(
                "recorders_removed",
                DimensionKind::Counter,
                "Recorders that were removed.",
                recorders.removed,
            ),
        ]);
    }
    let metrics = &scoped.totals.metrics;
    dimensions.extend([
        labelled(
            ("metrics_failed", DimensionKind::Gauge, "Metrics that stopped counting because they failed."),
            "metric",
            metrics
                .iter()
                .filter(|metric| metric.failed > 0)
                .map(|metric| (metric.name.clone(), metric.failed)),
        ),
        labelled(
            (
                "values_invalid",
                DimensionKind::Counter,
                "Values that were not recorded because they are not finite.",
            ),
            "metric",
            metrics
                .iter()
                .filter(|metric| metric.invalid > 0)
                .map(|metric| (metric.name.clone(), metric.invalid)),
        ),
    ]);
    MetricTotal::made_up(METRIC, dimensions)
}

/// How many dimensions are missing.
pub(super) fn missing(left_out: usize) -> MetricTotal {
    let help = "Dimensions that are missing because of their names or shapes.";
    let left_out = plain("dimensions_left_out", DimensionKind::Gauge, help, left_out as u64);
    MetricTotal::made_up(METRIC, vec![left_out])
}

fn events(scoped: &Scoped, dimensions: &mut Vec<DimensionTotal>) {
    use DimensionKind::{Counter, Gauge};
    let stats = &scoped.totals.stats;
    dimensions.extend([
        plain("events_accepted", Counter, "Events taken into a queue.", stats.accepted),
        plain(
            "events_processed",
            Counter,
            "Accepted events that were applied to the metrics.",
            stats.processed,
        ),
        labelled(
            ("events_dropped", Counter, "Events dropped because the queue was full, by type of event."),
            "event_type",
            stats.dropped.iter().map(|(event_type, count)| (Cow::Borrowed(*event_type), *count)),
        ),
        plain("events_rejected", Counter, "Events handed back with an error.", stats.rejected),
        plain("events_discarded", Counter, "Accepted events that were lost to a failure.", stats.discarded),
        plain("events_pending", Gauge, "Accepted events not yet processed.", stats.pending),
    ]);
}

fn described(name: &'static str, kind: DimensionKind, help: &'static str) -> DimensionDescriptor {
    let mut declared = DimensionDescriptor::new(name, kind);
    declared.help = Cow::Borrowed(help);
    declared
}

fn plain(name: &'static str, kind: DimensionKind, help: &'static str, value: u64) -> DimensionTotal {
    let value = Total::Plain(DimensionValue::Unsigned(value));
    DimensionTotal { declared: described(name, kind, help), value }
}

fn labelled(
    (name, kind, help): (&'static str, DimensionKind, &'static str),
    label: &'static str,
    counts: impl Iterator<Item = (Cow<'static, str>, u64)>,
) -> DimensionTotal {
    let mut declared = described(name, kind, help);
    declared.labels = Cow::Owned(vec![Cow::Borrowed(label)]);
    DimensionTotal { declared, value: Total::by_label(counts) }
}
