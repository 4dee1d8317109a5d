//! The library's own health, as one more metric of each group and of each namespace.

use std::borrow::Cow;

use super::dimension::DimensionTotals;
use super::group::{GroupTotals, NamespaceRecorders};
use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MergeValues};
use crate::snapshot::{BreakdownEntry, DimensionValue, Timestamp};

/// The name of the metric that these dimensions belong to.
pub(crate) const METRIC: &str = "mvx_metrics";

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

        /// All of them.
        #[cfg(feature = "catalogue")]
        pub(crate) static DECLARED: &[&DimensionDescriptor] = &[$(&$name),*];
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

impl GroupTotals {
    /// The events and the failures of a group.
    pub(crate) fn health(&self) -> [DimensionTotals<'_>; 8] {
        let Self { namespace, entity_id, stats, metrics, failed, counting_since } = self;
        let own = |declared, value| {
            DimensionTotals::of_library(namespace, entity_id.as_ref(), declared, value, *counting_since)
        };
        let count = |declared, count| own(declared, DimensionValue::Unsigned(count));
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
            own(&DROPPED, by_label(dropped)),
            own(&FAILED, by_label(failed)),
            own(&INVALID, by_label(invalid)),
        ]
    }
}

impl NamespaceRecorders {
    /// The recorders of a namespace, which are counted since `created`.
    pub(crate) fn health(&self, created: Timestamp) -> [DimensionTotals<'_>; 3] {
        let own =
            |declared, value| DimensionTotals::of_library(&self.namespace, None, declared, value, created);
        let states = self.by_state.iter().map(|(state, count)| (Cow::Owned(state.to_string()), *count));
        let stalled = self.stalled.saturating_add(self.unread);
        [
            own(&RECORDERS, by_label(states)),
            own(&STALLED, DimensionValue::Unsigned(stalled)),
            own(&REMOVED, DimensionValue::Unsigned(self.removed)),
        ]
    }
}

/// How many dimensions an exporter leaves out, and its declaration.
pub(crate) fn of_left_out(count: usize) -> (&'static DimensionDescriptor, DimensionValue) {
    (&SKIPPED, DimensionValue::Unsigned(count as u64))
}

/// Counts by the text of one label.
fn by_label(counts: impl Iterator<Item = (Cow<'static, str>, u64)>) -> DimensionValue {
    let entries = counts
        .map(|(label, count)| BreakdownEntry { labels: vec![label], value: DimensionValue::Unsigned(count) });
    DimensionValue::Breakdown(entries.collect())
}
