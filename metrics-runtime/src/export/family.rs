//! Families: the series of one name, gathered from all groups of recorders.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::slice;
use std::sync::Arc;

use super::family_key::FamilyKey;
use super::family_type::FamilyType;
use super::history::SeriesHistory;
use super::name;
use super::totals::{DimensionTotal, MAX_DIMENSIONS, MAX_METRICS, MetricTotal, Total, Totals};
use crate::descriptor::DimensionDescriptor;
use crate::snapshot::{Bucket, DimensionValue, Number};

/// The reason to skip values that share their name with other values of the same dimension.
const OTHER_SHAPE: &str = "its values have other labels, buckets or types than the first ones of this name";

/// A dimension that an exposition does not show, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Skipped {
    /// The metric's name.
    pub metric: String,
    /// The dimension's name; empty when several dimensions or the whole metric are skipped.
    pub dimension: String,
    /// The name of the family that the dimension would belong to.
    pub family: String,
    /// Why the exposition does not show the dimension.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, dimension, family, reason } = self;
        if dimension.is_empty() {
            return write!(formatter, "values of the metric `{metric}` are skipped: {reason}");
        }
        write!(
            formatter,
            "`{dimension}` of the metric `{metric}` is skipped in the family `{family}`: {reason}"
        )
    }
}

/// The series of one name.
pub(super) struct Family<'a> {
    pub(super) name: String,
    pub(super) unit: Option<String>,
    pub(super) help: Cow<'a, str>,
    pub(super) samples: Vec<Sample<'a>>,
    key: FamilyKey<'a>,
}

/// The part of a family that comes from one group.
pub(super) struct Sample<'a> {
    /// The index of the group.
    pub(super) group: usize,
    pub(super) total: &'a DimensionTotal,
}

impl Family<'_> {
    pub(super) fn family_type(&self) -> FamilyType {
        self.key.family_type
    }

    /// Whether some labels have values of another type. The writer does not show them.
    fn has_other_types(&self, total: &DimensionTotal) -> bool {
        let Total::Labelled(labelled) = &total.value else { return false };
        let values = labelled.entries.iter().map(|entry| &entry.value);
        let mut types = values.filter_map(|value| FamilyType::of(total.declared.kind, value));
        types.any(|other| other != self.family_type())
    }
}

/// All families of one exposition.
pub(super) struct Families<'a> {
    history: &'a SeriesHistory,
    list: Vec<Family<'a>>,
    /// The index of the family of each key; `None` when the key is skipped.
    indexes: HashMap<FamilyKey<'a>, Option<usize>>,
    /// For each name that a series may have, the index of its family.
    names: HashMap<String, usize>,
    /// The index of the family of each dimension of the previous group, by position. Most often the next group is alike.
    previous: Vec<Option<usize>>,
    skipped: Vec<Skipped>,
}

impl<'a> Families<'a> {
    pub(super) fn new(history: &'a SeriesHistory) -> Self {
        Self {
            history,
            list: Vec::new(),
            indexes: HashMap::new(),
            names: HashMap::new(),
            previous: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Creates the families of a metric without samples, so that no other metric can have their names.
    pub(super) fn reserve(&mut self, metric: &'a MetricTotal) {
        for (position, total) in metric.dimensions.iter().enumerate() {
            self.find_or_create(position, metric, total);
        }
    }

    /// Adds a metric that the library itself declares for a group.
    pub(super) fn add_library_metric(&mut self, group: usize, metric: &'a MetricTotal) {
        self.add_metrics(group, None, slice::from_ref(metric));
    }

    /// Adds the metrics of a group. In a rollup, `rollup` is the namespace of the group.
    pub(super) fn add_group(&mut self, group: usize, rollup: Option<&Arc<str>>, totals: &'a Totals) {
        self.add_metrics(group, rollup, &totals.metrics);
        if let Some(metric) = &totals.first_skipped {
            let whole = if rollup.is_some() { "in this namespace" } else { "of this entity" };
            self.skip(metric, "", "", &format!("more than {MAX_METRICS} metrics {whole}"));
        }
    }

    pub(super) fn skipped_count(&self) -> usize {
        self.skipped.len()
    }

    /// All families by name, and the skipped dimensions.
    pub(super) fn finish(mut self) -> (Vec<Family<'a>>, Vec<Skipped>) {
        self.list.sort_by(|one, other| one.name.cmp(&other.name));
        (self.list, self.skipped)
    }

    fn add_metrics(&mut self, group: usize, rollup: Option<&Arc<str>>, metrics: &'a [MetricTotal]) {
        let mut position = 0;
        for metric in metrics {
            if metric.has_skipped_dimensions {
                let reason = format!("more than {MAX_DIMENSIONS} dimensions in this metric");
                self.skip(&metric.name, "", "", &reason);
            }
            if metric.has_skipped_values {
                let reason = "some labels have values of other types or buckets than before";
                self.skip(&metric.name, "", "", reason);
            }
            for total in &metric.dimensions {
                if let Some(index) = self.find_or_create(position, metric, total) {
                    self.add_sample(index, group, rollup, metric, total);
                }
                position += 1;
            }
        }
    }

    /// The index of the family of a dimension; `None` when the dimension is empty or skipped.
    fn find_or_create(
        &mut self,
        position: usize,
        metric: &'a MetricTotal,
        total: &'a DimensionTotal,
    ) -> Option<usize> {
        let key = key_of(metric, total)?;
        if let Some(index) = self.previous.get(position).copied().flatten()
            && self.list[index].key.is_same(&key)
        {
            return Some(index);
        }
        let index = self.indexes.get(&key).copied();
        let index = index.unwrap_or_else(|| {
            let index = self.create(metric, total, key.clone());
            self.indexes.insert(key, index);
            index
        });
        if self.previous.len() <= position {
            self.previous.resize(position + 1, None);
        }
        self.previous[position] = index;
        index
    }

    /// Creates a family, unless one of its names belongs to another family, of this exposition or of an earlier one.
    fn create(
        &mut self,
        metric: &'a MetricTotal,
        total: &'a DimensionTotal,
        key: FamilyKey<'a>,
    ) -> Option<usize> {
        let unit = key.unit.as_deref().and_then(name::unit);
        let name = name::family_name(&key.metric, &key.dimension, unit.as_deref(), key.family_type);
        let names = key.family_type.suffixes().iter().map(|suffix| format!("{name}{suffix}"));
        let names: Vec<String> = names.collect();
        if let Err((taken, other)) = self.reserve_names(&names, &key) {
            let reason = if (&other.metric, &other.dimension) == (&key.metric, &key.dimension) {
                OTHER_SHAPE.to_owned()
            } else {
                format!("`{taken}` belongs to `{}` of the metric `{}`", other.dimension, other.metric)
            };
            self.skip(&key.metric, &key.dimension, &name, &reason);
            return None;
        }
        let index = self.list.len();
        self.names.extend(names.into_iter().map(|name| (name, index)));
        let help = [&total.declared.help, &metric.help].into_iter().find(|help| !help.trim().is_empty());
        let help = help.map_or_else(
            || Cow::Owned(format!("The dimension {} of the metric {}.", key.dimension, key.metric)),
            |help| Cow::Borrowed(&**help),
        );
        self.list.push(Family { name, unit, help, samples: Vec::new(), key });
        Some(index)
    }

    fn reserve_names(
        &self,
        names: &[String],
        key: &FamilyKey<'_>,
    ) -> Result<(), (String, FamilyKey<'static>)> {
        if let Some((name, index)) = names.iter().find_map(|name| self.names.get_key_value(name)) {
            return Err((name.clone(), self.list[*index].key.to_static()));
        }
        self.history.reserve_names(names, key)
    }

    fn add_sample(
        &mut self,
        index: usize,
        group: usize,
        rollup: Option<&Arc<str>>,
        metric: &'a MetricTotal,
        total: &'a DimensionTotal,
    ) {
        let family = &mut self.list[index];
        // Only in a rollup do values of several recorders meet. Their order changes when recorders come and go, so the history
        // knows which shape was first.
        let has_other_shape = rollup.is_some_and(|namespace| {
            !self.history.fix_shape(namespace, &metric.name, &total.declared.name, shape_of(total))
        });
        if has_other_shape || family.samples.last().is_some_and(|last| last.group == group) {
            return self.skip_sample(index, metric, total, OTHER_SHAPE);
        }
        family.samples.push(Sample { group, total });
        if family.has_other_types(total) {
            let reason = "some of its labels have values of another type than the first one";
            self.skip_sample(index, metric, total, reason);
        }
    }

    fn skip_sample(&mut self, index: usize, metric: &MetricTotal, total: &DimensionTotal, reason: &str) {
        let family = self.list[index].name.clone();
        self.skip(&metric.name, &total.declared.name, &family, reason);
    }

    fn skip(&mut self, metric: &str, dimension: &str, family: &str, reason: &str) {
        let [metric, dimension, family, reason] = [metric, dimension, family, reason].map(str::to_owned);
        let skipped = Skipped { metric, dimension, family, reason };
        if !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }
}

/// The key of the family of a dimension; `None` when the dimension is empty.
fn key_of<'a>(metric: &'a MetricTotal, total: &'a DimensionTotal) -> Option<FamilyKey<'a>> {
    let kind = total.declared.kind;
    let family_type = match &total.value {
        Total::Plain(value) => FamilyType::of(kind, value),
        Total::Labelled(labelled) => {
            labelled.entries.iter().find_map(|entry| FamilyType::of(kind, &entry.value))
        }
    };
    Some(FamilyKey {
        of_library: metric.of_library,
        metric: Cow::Borrowed(&metric.name),
        dimension: Cow::Borrowed(&total.declared.name),
        family_type: family_type?,
        unit: total.declared.unit.as_deref().map(Cow::Borrowed),
    })
}

/// A hash of everything that must be equal for values of one name to be merged: label names, merge rule and buckets.
fn shape_of(total: &DimensionTotal) -> u64 {
    fn buckets(value: &DimensionValue) -> Option<&[Bucket<Number>]> {
        match value {
            DimensionValue::Histogram(histogram) => Some(&histogram.buckets),
            _ => None,
        }
    }
    let buckets = match &total.value {
        Total::Plain(value) => buckets(value),
        Total::Labelled(labelled) => labelled.entries.iter().find_map(|entry| buckets(&entry.value)),
    };
    let DimensionDescriptor { labels, merge, .. } = &*total.declared;
    let mut hasher = DefaultHasher::new();
    (labels, merge).hash(&mut hasher);
    for bucket in buckets.unwrap_or_default() {
        bucket.upper_bound.map(|bound| bound.as_f64().to_bits()).hash(&mut hasher);
    }
    hasher.finish()
}
