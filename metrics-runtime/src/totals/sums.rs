//! Sums: the metrics of several recorders, merged as if one recorder had counted everything.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::group::LeftOut;
use super::label_slots::{AdmittedLabels, LabelSlots};
use super::labelled::LabelledSum;
use super::memory::Memory;
use crate::descriptor::{DimensionDescriptor, DimensionKind, MetricDescriptor};
use crate::snapshot::{
    BreakdownEntry, Declaration, DimensionValue, Dimensions, Merge, MetricSnapshot, Times, emptied,
    merge_values,
};
use crate::stats::RecorderStats;

/// How many metrics a group has, and how many dimensions a metric. This bounds their memory when metrics give themselves ever
/// new names.
const MAX_METRICS: usize = 4_096;
const MAX_DIMENSIONS: usize = 4_096;

const UNDECLARED: &str =
    "it does not declare how it merges: add `merge = ..` to the field or `MERGE` to its type";
const OTHER_SHAPE: &str =
    "its declaration has other labels, buckets, units or types than the first one of this name";
const OTHER_FORM: &str = "some of its values have other forms than the first ones";
const TOO_MANY_DIMENSIONS: &str = "the metric has more than 4,096 dimensions";
const TOO_MANY_METRICS: &str = "there are more than 4,096 metrics";

/// Whether a recorder is registered or was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Live,
    /// Its counts stay in the totals, its gauges do not. Replaced metrics are treated alike.
    Removed,
}

/// The sums of the recorders of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupSums {
    metrics: Vec<MetricSum>,
    pub(super) stats: RecorderStats,
    /// What earlier totals of the namespace have shown, if these are totals of a namespace.
    shown: Option<Shown>,
    /// The name of the first metric beyond `MAX_METRICS`.
    first_left_out: Option<Cow<'static, str>>,
}

/// What earlier totals of a namespace have shown. Later ones show the same labels and the same shapes.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    memory: Arc<Memory>,
    namespace: Arc<str>,
    label_slots: LabelSlots,
}

/// A dimension that totals do not contain, and why.
pub(super) struct LeftOutDimension<'a> {
    pub(super) metric: &'a str,
    pub(super) dimension: &'a str,
    pub(super) reason: &'static str,
}

impl LeftOutDimension<'_> {
    /// The dimension in the list of the totals.
    pub(super) fn of(&self, namespace: &Arc<str>) -> LeftOut {
        LeftOut {
            namespace: Arc::clone(namespace),
            metric: self.metric.to_owned(),
            dimension: self.dimension.to_owned(),
            reason: Cow::Borrowed(self.reason),
        }
    }
}

/// The sum of all metrics with one name.
#[derive(Debug, Clone)]
enum MetricSum {
    /// The only metric of this name in a group of one entity.
    Single(Box<MetricSnapshot>),
    Merged(Box<MergedMetric>),
}

#[derive(Debug, Clone)]
struct MergedMetric {
    name: Cow<'static, str>,
    /// The declaration of the first metric. The first dimensions follow it one by one.
    declaration: Declaration,
    dimensions: Vec<DimensionSum>,
    invalid: u64,
    /// The panic of the first metric that failed, and how many have failed.
    failure: Option<String>,
    failed: u64,
    times: Times,
    has_too_many_dimensions: bool,
}

#[derive(Debug, Clone)]
struct DimensionSum {
    declared: Declared,
    value: SumValue,
    has_other_forms: bool,
}

/// The declaration of a dimension: most often a part of the metric's declaration.
#[derive(Debug, Clone)]
enum Declared {
    At(Declaration, usize),
    Own(Box<DimensionDescriptor>),
}

#[derive(Debug, Clone)]
enum SumValue {
    Plain(DimensionValue),
    Labelled(LabelledSum),
    LeftOut(&'static str),
}

impl GroupSums {
    /// The sums of a namespace.
    pub(super) fn of_namespace(shown: Shown) -> Self {
        Self { shown: Some(shown), ..Self::default() }
    }

    pub(super) fn stats(&self) -> &RecorderStats {
        &self.stats
    }

    pub(super) fn add_stats(&mut self, stats: &RecorderStats, presence: Presence) {
        self.stats.merge(stats);
        if presence == Presence::Removed {
            self.stats.pending = self.stats.pending.saturating_sub(stats.pending);
        }
    }

    /// Adds the metric at `position` of a recorder.
    pub(super) fn add_metric(
        &mut self,
        position: usize,
        metric: Cow<'_, MetricSnapshot>,
        presence: Presence,
    ) {
        let index = match self.metrics.get(position) {
            Some(sum) if sum.name() == metric.name => Some(position),
            _ => self.metrics.iter().position(|sum| sum.name() == metric.name),
        };
        // Metrics of one name may listen to different events, if their types differ.
        let is_of_known_type = index.is_some_and(|index| self.metrics[index].has_declaration_of(&metric));
        if !is_of_known_type {
            for event_type in metric.declaration.iter().flat_map(Declaration::events) {
                if !self.stats.dropped_by_type.contains_key(event_type) {
                    self.stats.dropped_by_type.insert(event_type.clone(), 0);
                }
            }
        }
        if let Some(index) = index {
            return self.metrics[index].add(&metric, presence, self.shown.as_ref());
        }
        if self.metrics.len() >= MAX_METRICS {
            self.first_left_out.get_or_insert_with(|| metric.name.clone());
            return;
        }
        let sum = if self.shown.is_some() {
            let mut merged = MergedMetric::new(&metric, self.shown.as_ref());
            merged.add(&metric, presence, self.shown.as_ref());
            MetricSum::Merged(Box::new(merged))
        } else {
            MetricSum::Single(Box::new(metric.into_owned()))
        };
        self.metrics.push(sum);
    }

    /// The metrics, and for each that has failed somewhere how often.
    pub(super) fn finish(self) -> (Vec<MetricSnapshot>, Vec<(Cow<'static, str>, u64)>) {
        let mut failed = Vec::new();
        let metrics = self.metrics.into_iter().map(|sum| {
            let (metric, failures) = sum.finish();
            if failures > 0 {
                failed.push((metric.name.clone(), failures));
            }
            metric
        });
        (metrics.collect(), failed)
    }

    /// Calls `each` with every dimension that the totals do not contain.
    pub(super) fn for_each_left_out(&self, each: &mut dyn FnMut(LeftOutDimension<'_>)) {
        if let Some(metric) = &self.first_left_out {
            each(LeftOutDimension { metric, dimension: "", reason: TOO_MANY_METRICS });
        }
        for sum in &self.metrics {
            if let MetricSum::Merged(sum) = sum {
                sum.for_each_left_out(each);
            }
        }
    }
}

impl MetricSum {
    fn name(&self) -> &str {
        match self {
            Self::Single(metric) => &metric.name,
            Self::Merged(sum) => &sum.name,
        }
    }

    /// Whether the first metric of this sum has the very same declaration.
    fn has_declaration_of(&self, metric: &MetricSnapshot) -> bool {
        let own = match self {
            Self::Single(metric) => metric.declaration.as_ref(),
            Self::Merged(sum) => Some(&sum.declaration),
        };
        own.zip(metric.declaration.as_ref()).is_some_and(|(own, other)| own.is_identical(other))
    }

    fn add(&mut self, metric: &MetricSnapshot, presence: Presence, shown: Option<&Shown>) {
        if let Self::Single(first) = self {
            let mut merged = MergedMetric::new(first, shown);
            merged.add(first, Presence::Live, shown);
            *self = Self::Merged(Box::new(merged));
        }
        if let Self::Merged(sum) = self {
            sum.add(metric, presence, shown);
        }
    }

    fn finish(self) -> (MetricSnapshot, u64) {
        match self {
            Self::Single(mut metric) => {
                let failed = u64::from(metric.failed.is_some());
                if let Some(declaration) = metric.declaration.clone() {
                    merge_repeated_labels(&declaration, &mut metric);
                }
                (*metric, failed)
            }
            Self::Merged(sum) => sum.finish(),
        }
    }
}

/// Merges the values of labels that stand twice. Only metrics and dimensions of the user's own can have such labels.
fn merge_repeated_labels(declaration: &Declaration, metric: &mut MetricSnapshot) {
    let is_by_hand = !declaration.is_of_type();
    let dimensions = &declaration.descriptor().dimensions;
    if !is_by_hand && !dimensions.iter().any(DimensionDescriptor::is_of_own_type) {
        return;
    }
    for (position, (name, value)) in metric.dimensions.iter_mut().enumerate() {
        if let DimensionValue::Breakdown(entries) = value {
            let declared = declaration.dimension_at(position, name);
            let is_own = declared.is_none_or(DimensionDescriptor::is_of_own_type);
            let must_merge = is_by_hand || (is_own && has_repeated_labels(entries));
            if !must_merge {
                continue;
            }
            let declared = declared.cloned().unwrap_or_else(|| undeclared_dimension(name));
            let mut labelled = LabelledSum::new(None, None);
            labelled.add(&declared, entries);
            *entries = labelled.into_entries();
        }
    }
}

fn has_repeated_labels(entries: &[BreakdownEntry]) -> bool {
    let mut seen = HashSet::with_capacity(entries.len());
    !entries.iter().all(|entry| seen.insert(&entry.labels))
}

impl MergedMetric {
    fn new(metric: &MetricSnapshot, shown: Option<&Shown>) -> Self {
        let declaration = metric.declaration.clone().unwrap_or_else(|| Declaration::undeclared(&metric.name));
        let count = declaration.descriptor().dimensions.len().min(MAX_DIMENSIONS);
        let dimensions = (0..count)
            .map(|index| DimensionSum::new(Declared::At(declaration.clone(), index), &metric.name, shown));
        Self {
            name: metric.name.clone(),
            dimensions: dimensions.collect(),
            declaration,
            invalid: 0,
            failure: None,
            failed: 0,
            times: metric.times,
            has_too_many_dimensions: false,
        }
    }

    fn add(&mut self, metric: &MetricSnapshot, presence: Presence, shown: Option<&Shown>) {
        self.invalid = self.invalid.saturating_add(metric.invalid);
        self.times = self.times.merged(metric.times);
        if presence == Presence::Live
            && let Some(failure) = &metric.failed
        {
            self.failed += 1;
            self.failure.get_or_insert_with(|| failure.clone());
        }
        let undeclared;
        let declaration = if let Some(declaration) = &metric.declaration {
            declaration
        } else {
            undeclared = Declaration::undeclared(&metric.name);
            &undeclared
        };
        // Metrics of one type share their declaration, and show their dimensions in its order: no search, no comparisons.
        let is_same = declaration.is_identical(&self.declaration);
        let is_in_order = is_same && declaration.is_of_type();
        for (position, (name, value)) in metric.dimensions.iter().enumerate() {
            let sum = self.dimensions.get(position);
            let at_position = is_same && sum.is_some_and(|sum| is_in_order || sum.declared.is_named(name));
            if at_position {
                self.dimensions[position].add(value, presence);
            } else {
                let declared = declaration.dimension_at(position, name).cloned();
                self.add_dimension(
                    declared.unwrap_or_else(|| undeclared_dimension(name)),
                    value,
                    presence,
                    shown,
                );
            }
        }
    }

    /// Adds a dimension that is not at the expected position.
    #[cold]
    fn add_dimension(
        &mut self,
        declared: DimensionDescriptor,
        value: &DimensionValue,
        presence: Presence,
        shown: Option<&Shown>,
    ) {
        let same = self.dimensions.iter_mut().find(|sum| sum.takes(&declared));
        if let Some(sum) = same {
            return sum.add(value, presence);
        }
        if self.dimensions.len() >= MAX_DIMENSIONS {
            self.has_too_many_dimensions = true;
            return;
        }
        let has_name =
            self.dimensions.iter().any(|sum| sum.is_shown() && sum.declared.get().name == declared.name);
        let mut sum = DimensionSum::new(Declared::Own(Box::new(declared)), &self.name, shown);
        if has_name {
            sum.value = SumValue::LeftOut(OTHER_SHAPE);
        }
        sum.add(value, presence);
        self.dimensions.push(sum);
    }

    fn for_each_left_out(&self, each: &mut dyn FnMut(LeftOutDimension<'_>)) {
        let metric = &*self.name;
        for sum in &self.dimensions {
            let dimension = &*sum.declared.get().name;
            match sum.value {
                SumValue::LeftOut(reason) => each(LeftOutDimension { metric, dimension, reason }),
                _ if sum.has_other_forms => {
                    each(LeftOutDimension { metric, dimension, reason: OTHER_FORM });
                }
                _ => {}
            }
        }
        if self.has_too_many_dimensions {
            each(LeftOutDimension { metric, dimension: "", reason: TOO_MANY_DIMENSIONS });
        }
    }

    fn finish(self) -> (MetricSnapshot, u64) {
        let declared = self.declaration.descriptor();
        let follows_declaration = self.dimensions.len() == declared.dimensions.len()
            && self.dimensions.iter().all(DimensionSum::is_shown);
        let declaration = if follows_declaration {
            self.declaration.clone()
        } else {
            let shown = self.dimensions.iter().filter(|sum| sum.is_shown());
            let dimensions: Vec<_> = shown.map(|sum| sum.declared.get().clone()).collect();
            let descriptor = MetricDescriptor::new(self.name.clone())
                .with_help(declared.help.clone())
                .with_dimensions(dimensions);
            Declaration::with_events(descriptor, self.declaration.events().to_vec())
        };
        let mut metric = MetricSnapshot::of_static(self.name);
        let dimensions: Dimensions = self
            .dimensions
            .into_iter()
            .filter_map(|sum| {
                let name = sum.declared.get().name.clone();
                let value = match sum.value {
                    SumValue::Plain(value) => value,
                    SumValue::Labelled(labelled) => DimensionValue::Breakdown(labelled.into_entries()),
                    SumValue::LeftOut(_) => return None,
                };
                Some((name, value))
            })
            .collect();
        metric.dimensions = dimensions;
        metric.invalid = self.invalid;
        metric.failed = self.failure;
        metric.times = self.times;
        metric.declaration = Some(declaration);
        (metric, self.failed)
    }
}

impl Declared {
    /// Whether it is a part of the metric's declaration, with this name.
    fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::At(..)) && self.get().name == name
    }

    fn get(&self) -> &DimensionDescriptor {
        match self {
            Self::At(declaration, index) => &declaration.descriptor().dimensions[*index],
            Self::Own(declared) => declared,
        }
    }
}

impl DimensionSum {
    fn new(declared: Declared, metric: &str, shown: Option<&Shown>) -> Self {
        let dimension = declared.get();
        let is_first_shape = || shown.is_none_or(|shown| shown.is_first_shape(metric, dimension));
        let value = if dimension.merge.is_none() {
            SumValue::LeftOut(UNDECLARED)
        } else if !is_first_shape() {
            SumValue::LeftOut(OTHER_SHAPE)
        } else if dimension.is_breakdown() {
            SumValue::Labelled(LabelledSum::new(
                dimension.limit,
                shown.and_then(|shown| shown.admitted(metric, dimension)),
            ))
        } else {
            SumValue::Plain(DimensionValue::Empty)
        };
        Self { declared, value, has_other_forms: false }
    }

    fn is_shown(&self) -> bool {
        !matches!(self.value, SumValue::LeftOut(_))
    }

    /// Whether this sum takes values of that declaration.
    fn takes(&self, other: &DimensionDescriptor) -> bool {
        let own = self.declared.get();
        own.name == other.name && own.difference(other).is_none()
    }

    fn add(&mut self, value: &DimensionValue, presence: Presence) {
        let declared = self.declared.get();
        let zero;
        let value = match presence {
            Presence::Removed if declared.window.is_some() => {
                zero = emptied(declared, value);
                &zero
            }
            Presence::Removed if declared.shows_present() => return,
            _ => value,
        };
        let is_added = match (&mut self.value, value) {
            (SumValue::LeftOut(_), _) | (_, DimensionValue::Empty) => true,
            (SumValue::Labelled(labelled), DimensionValue::Breakdown(entries)) => {
                labelled.add(declared, entries)
            }
            (SumValue::Labelled(_), _) => false,
            (SumValue::Plain(DimensionValue::Empty), DimensionValue::Breakdown(entries)) => {
                let mut labelled = LabelledSum::new(declared.limit, None);
                let is_added = labelled.add(declared, entries);
                self.value = SumValue::Labelled(labelled);
                is_added
            }
            (SumValue::Plain(sum), value) => merge_values(declared, sum, value),
        };
        self.has_other_forms |= !is_added;
    }
}

impl Shown {
    pub(super) fn of(memory: &Arc<Memory>, namespace: &Arc<str>) -> Self {
        let (memory, namespace) = (Arc::clone(memory), Arc::clone(namespace));
        Self { label_slots: memory.label_slots(&namespace), memory, namespace }
    }

    /// Whether no earlier total of this name had another shape.
    fn is_first_shape(&self, metric: &str, dimension: &DimensionDescriptor) -> bool {
        self.memory.fix_shape(&self.namespace, metric, dimension)
    }

    /// The labels that have a slot. Without a limit there is a slot for every label. The labels of a gauge go with their
    /// recorder and free their slots, and so do those of a window.
    fn admitted(&self, metric: &str, dimension: &DimensionDescriptor) -> Option<AdmittedLabels> {
        let limit = dimension.limit.filter(|_| !dimension.shows_present())?;
        self.label_slots.get_or_create(metric, &dimension.name, limit)
    }
}

/// The descriptor of a dimension that its metric does not describe.
fn undeclared_dimension(name: &str) -> DimensionDescriptor {
    let mut dimension = DimensionDescriptor::new("", DimensionKind::Custom);
    dimension.name = Cow::Owned(name.to_owned());
    dimension
}
