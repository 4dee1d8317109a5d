//! Totals: the metrics of several recorders, merged as if one recorder had counted everything.

mod label_slots;
mod labelled;
mod merge;
mod parts;
mod raise;

use std::borrow::Cow;
use std::collections::BTreeMap;

use self::label_slots::AdmittedLabels;
pub(crate) use self::label_slots::LabelSlots;
use self::labelled::LabelledTotal;
use self::merge::{merge, merge_rule};
use self::parts::{for_each_part, has_parts};
use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MetricDescriptor};
use crate::engine::RecorderStats;
use crate::snapshot::{BreakdownEntry, DimensionValue, MetricSnapshot};

/// How many metrics some totals have, and how many dimensions a metric. This bounds their memory when metrics give themselves
/// ever new names.
pub(crate) const MAX_METRICS: usize = 4_096;
pub(crate) const MAX_DIMENSIONS: usize = 4_096;

/// The totals of some recorders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) metrics: Vec<MetricTotal>,
    /// The name of the first metric beyond `MAX_METRICS`.
    pub(crate) first_skipped: Option<Cow<'static, str>>,
    pub(crate) stats: StatsTotal,
    /// Which labels have series of their own, if other totals share this choice.
    label_slots: Option<LabelSlots>,
}

/// The event counts of some recorders.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatsTotal {
    pub(crate) accepted: u64,
    pub(crate) processed: u64,
    pub(crate) dropped: BTreeMap<&'static str, u64>,
    pub(crate) rejected: u64,
    pub(crate) discarded: u64,
    pub(crate) pending: u64,
}

/// The total of all metrics with one name.
#[derive(Debug, Clone)]
pub(crate) struct MetricTotal {
    pub(crate) name: Cow<'static, str>,
    pub(crate) help: Cow<'static, str>,
    pub(crate) dimensions: Vec<DimensionTotal>,
    pub(crate) invalid: u64,
    /// Whether the library itself declares the metric, in contrast to a metric that happens to have the same name.
    pub(crate) of_library: bool,
    /// How many of the metrics have failed.
    pub(crate) failed: u64,
    /// Whether there were dimensions beyond `MAX_DIMENSIONS`.
    pub(crate) has_skipped_dimensions: bool,
    /// Whether there were values that did not have the shape of the values before them.
    pub(crate) has_skipped_values: bool,
    /// The static declaration of the first metric. The first dimensions follow it one by one.
    declared: &'static [DimensionDescriptor],
    label_slots: Option<LabelSlots>,
}

/// The total of one dimension.
#[derive(Debug, Clone)]
pub(crate) struct DimensionTotal {
    pub(crate) declared: Cow<'static, DimensionDescriptor>,
    pub(crate) value: Total,
    admitted: Option<AdmittedLabels>,
}

/// One value, or one for each label.
#[derive(Debug, Clone)]
pub(crate) enum Total {
    Plain(DimensionValue),
    Labelled(LabelledTotal),
}

/// Whether a recorder is registered or was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Live,
    /// Its counts stay in the totals, its gauges do not.
    Removed,
}

impl Totals {
    pub(crate) fn with_label_slots(label_slots: LabelSlots) -> Self {
        Self { label_slots: Some(label_slots), ..Self::default() }
    }

    pub(crate) fn add_stats(&mut self, stats: &RecorderStats, presence: Presence) {
        let total = &mut self.stats;
        total.accepted = total.accepted.saturating_add(stats.accepted);
        total.processed = total.processed.saturating_add(stats.processed);
        total.rejected = total.rejected.saturating_add(stats.rejected);
        total.discarded = total.discarded.saturating_add(stats.discarded);
        if presence == Presence::Live {
            total.pending = total.pending.saturating_add(stats.pending);
        }
        for (event_type, dropped) in &stats.dropped_by_type {
            let total = total.dropped.entry(event_type).or_default();
            *total = total.saturating_add(*dropped);
        }
    }

    /// Adds the metric at `position` of a recorder.
    pub(crate) fn add_metric(
        &mut self,
        position: usize,
        descriptor: &MetricDescriptor,
        metric: &MetricSnapshot,
        presence: Presence,
    ) {
        let index = match self.metrics.get(position) {
            Some(total) if total.name == metric.name => Some(position),
            _ => self.metrics.iter().position(|total| total.name == metric.name),
        };
        let total = match index {
            Some(index) => &mut self.metrics[index],
            None if self.metrics.len() >= MAX_METRICS => {
                self.first_skipped.get_or_insert_with(|| metric.name.clone());
                return;
            }
            None => {
                self.metrics.push(MetricTotal::new(descriptor, metric, self.label_slots.clone()));
                let last = self.metrics.len() - 1;
                &mut self.metrics[last]
            }
        };
        total.add(descriptor, metric, presence);
    }
}

impl MetricTotal {
    /// A metric that the library itself declares.
    pub(crate) fn of_library(name: &'static str, dimensions: Vec<DimensionTotal>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            help: Cow::Borrowed(""),
            dimensions,
            invalid: 0,
            of_library: true,
            failed: 0,
            has_skipped_dimensions: false,
            has_skipped_values: false,
            declared: &[],
            label_slots: None,
        }
    }

    fn new(descriptor: &MetricDescriptor, metric: &MetricSnapshot, label_slots: Option<LabelSlots>) -> Self {
        let declared = static_dimensions(descriptor);
        let dimensions = declared
            .iter()
            .map(|declared| DimensionTotal::new(Cow::Borrowed(declared), &metric.name, label_slots.as_ref()));
        Self {
            name: metric.name.clone(),
            help: descriptor.help.clone(),
            dimensions: dimensions.collect(),
            invalid: 0,
            of_library: false,
            failed: 0,
            has_skipped_dimensions: false,
            has_skipped_values: false,
            declared,
            label_slots,
        }
    }

    fn add(&mut self, descriptor: &MetricDescriptor, metric: &MetricSnapshot, presence: Presence) {
        self.invalid = self.invalid.saturating_add(metric.invalid);
        if presence == Presence::Live {
            self.failed = self.failed.saturating_add(metric.failed.is_some().into());
        }
        // Metrics of one type have the very same declaration: the fast path, without any search.
        let is_same_declaration = std::ptr::eq(static_dimensions(descriptor), self.declared);
        for (position, (name, value)) in metric.dimensions.iter().enumerate() {
            let declared = self.declared.get(position);
            let declared = declared.filter(|declared| is_same_declaration && declared.name == name);
            if presence == Presence::Removed && declared.is_some_and(is_gauge) {
                continue;
            }
            let is_known = declared.is_some() && !has_parts(value);
            if !is_known || !self.dimensions[position].add(value, &mut self.has_skipped_values) {
                self.add_dimension(position, descriptor, name, value, presence);
            }
        }
    }

    /// Adds a dimension that is not at the expected position.
    #[cold]
    fn add_dimension(
        &mut self,
        position: usize,
        descriptor: &MetricDescriptor,
        name: &str,
        value: &DimensionValue,
        presence: Presence,
    ) {
        let declared = descriptor.dimensions.get(position).filter(|declared| declared.name == name);
        let declared =
            declared.or_else(|| descriptor.dimensions.iter().find(|declared| declared.name == name));
        let declared = declared.cloned().unwrap_or_else(|| undeclared(name));
        if presence == Presence::Removed && is_gauge(&declared) {
            return;
        }
        for_each_part(&declared, value, &mut |declared, value| self.add_declared(declared, value));
    }

    fn add_declared(&mut self, declared: DimensionDescriptor, value: &DimensionValue) {
        let has_skipped_values = &mut self.has_skipped_values;
        let mut same = self.dimensions.iter_mut().filter(|total| total.takes(&declared));
        if same.any(|total| total.add(value, has_skipped_values)) {
            return;
        }
        if self.dimensions.len() >= MAX_DIMENSIONS {
            self.has_skipped_dimensions = true;
            return;
        }
        let mut total = DimensionTotal::new(Cow::Owned(declared), &self.name, self.label_slots.as_ref());
        if total.add(value, has_skipped_values) {
            self.dimensions.push(total);
        } else {
            self.has_skipped_values = true;
        }
    }
}

impl DimensionTotal {
    /// A dimension that the library itself declares.
    pub(crate) fn of_library(declared: &'static DimensionDescriptor, value: Total) -> Self {
        Self { declared: Cow::Borrowed(declared), value, admitted: None }
    }

    fn new(
        declared: Cow<'static, DimensionDescriptor>,
        metric: &str,
        label_slots: Option<&LabelSlots>,
    ) -> Self {
        // Without a limit there is a slot for every label. The labels of a gauge go with their recorder and free their slots.
        let label_slots = label_slots.filter(|_| declared.limit.is_some() && !is_gauge(&declared));
        let admitted = label_slots.and_then(|label_slots| label_slots.get_or_create(metric, &declared.name));
        Self { declared, value: Total::Plain(DimensionValue::Empty), admitted }
    }

    /// Whether this total takes values of that declaration.
    fn takes(&self, other: &DimensionDescriptor) -> bool {
        let own = &self.declared;
        own.name == other.name
            && own.kind == other.kind
            && own.unit == other.unit
            && own.labels == other.labels
            && own.merge == other.merge
    }

    /// Merges a value into this total. Returns `false`, and changes nothing, when their shapes differ. The value of a single
    /// label with another shape only sets `has_skipped_values`.
    fn add(&mut self, value: &DimensionValue, has_skipped_values: &mut bool) -> bool {
        let rule = merge_rule(&self.declared);
        match (&mut self.value, value) {
            (_, DimensionValue::Text(_)) => true,
            (Total::Labelled(labelled), DimensionValue::Breakdown(entries)) => {
                *has_skipped_values |= !labelled.add(rule, entries);
                true
            }
            (Total::Plain(DimensionValue::Empty), DimensionValue::Breakdown(entries)) => {
                let mut labelled = LabelledTotal::new(self.declared.limit, self.admitted.clone());
                *has_skipped_values |= !labelled.add(rule, entries);
                self.value = Total::Labelled(labelled);
                true
            }
            (Total::Labelled(_), value) => *value == DimensionValue::Empty,
            (Total::Plain(total), value) => merge(rule, total, value),
        }
    }
}

impl Total {
    /// Counts by the text of one label.
    pub(crate) fn by_label(counts: impl Iterator<Item = (Cow<'static, str>, u64)>) -> Self {
        let mut labelled = LabelledTotal::new(None, None);
        for (label, count) in counts {
            let entry = BreakdownEntry { labels: vec![label], value: DimensionValue::Unsigned(count) };
            labelled.add(MergeRule::Sum, &[entry]);
        }
        Self::Labelled(labelled)
    }
}

/// Whether the dimension shows the present and not a count, so that its value goes with the recorder.
fn is_gauge(dimension: &DimensionDescriptor) -> bool {
    dimension.kind == DimensionKind::Gauge
}

fn static_dimensions(descriptor: &MetricDescriptor) -> &'static [DimensionDescriptor] {
    match &descriptor.dimensions {
        Cow::Borrowed(dimensions) => dimensions,
        Cow::Owned(_) => &[],
    }
}

/// The descriptor of a dimension that its metric does not describe.
fn undeclared(name: &str) -> DimensionDescriptor {
    let mut dimension = DimensionDescriptor::new("", DimensionKind::Custom);
    dimension.name = Cow::Owned(name.to_owned());
    dimension
}
