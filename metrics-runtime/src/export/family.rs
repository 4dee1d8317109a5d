//! Families: the series of one name, gathered from all scopes.

mod kind;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use self::kind::type_of_total;
pub(super) use self::kind::{FamilyType, type_of};
use super::memory::Memory;
use super::name;
use super::totals::{DimensionTotal, MetricTotal, Total};
use crate::descriptor::DimensionDescriptor;
use crate::snapshot::{Bucket, DimensionValue, Number};

/// Why values are missing whose name stands for others of the same dimension.
const OTHER_SHAPE: &str = "there are values of other labels, buckets or types under the same name";

/// A dimension that is missing from an exposition, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Skipped {
    /// The metric's name.
    pub metric: String,
    /// The dimension's name; empty when it is about several.
    pub dimension: String,
    /// The name of the family it would have belonged to.
    pub family: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, dimension, family, reason } = self;
        if dimension.is_empty() {
            return write!(formatter, "values of the metric `{metric}` are left out: {reason}");
        }
        write!(
            formatter,
            "`{dimension}` of the metric `{metric}` is left out of the family `{family}`: {reason}"
        )
    }
}

/// The series of one name.
pub(super) struct Family<'a> {
    pub(super) name: String,
    pub(super) kind: FamilyType,
    pub(super) unit: Option<String>,
    pub(super) help: Cow<'a, str>,
    pub(super) samples: Vec<Sample<'a>>,
    source: Source<'a>,
}

/// What one scope contributes to a family.
pub(super) struct Sample<'a> {
    pub(super) scope: usize,
    pub(super) total: &'a DimensionTotal,
}

pub(super) struct Families<'a> {
    memory: &'a Memory,
    list: Vec<Family<'a>>,
    /// The place in `list` of what was met before; `None` when it was left out.
    known: HashMap<Source<'a>, Option<usize>>,
    /// Every name that series of a family may have, and the family.
    names: HashMap<String, usize>,
    /// What the dimensions of the scope before were, by position: the next scope is mostly alike.
    before: Vec<Option<usize>>,
    skipped: Vec<Skipped>,
}

/// Where values come from; the same source has one family.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Source<'a> {
    of_library: bool,
    metric: &'a str,
    dimension: &'a str,
    family: FamilyType,
    unit: Option<&'a str>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    of_library: bool,
    metric: String,
    dimension: String,
    family: FamilyType,
    unit: Option<String>,
}

impl Owner {
    fn new(source: &Source<'_>) -> Self {
        let Source { of_library, metric, dimension, family, unit } = *source;
        let (metric, dimension, unit) = (metric.to_owned(), dimension.to_owned(), unit.map(str::to_owned));
        Self { of_library, metric, dimension, family, unit }
    }
}

impl<'a> Families<'a> {
    pub(super) fn new(memory: &'a Memory) -> Self {
        Self {
            memory,
            list: Vec::new(),
            known: HashMap::new(),
            names: HashMap::new(),
            before: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Begins the families of a metric whose values are known later.
    pub(super) fn reserve(&mut self, metric: &'a MetricTotal) {
        for (position, total) in metric.dimensions.iter().enumerate() {
            self.place(position, metric, total);
        }
    }

    /// Takes in the metrics of a scope, which is the rollup of a namespace if that is given.
    pub(super) fn add(
        &mut self,
        scope: usize,
        rollup: Option<&Arc<str>>,
        metrics: impl Iterator<Item = &'a MetricTotal>,
    ) {
        let mut position = 0;
        for metric in metrics {
            if metric.skipped > 0 {
                let reason = "there are too many of them, or values of other types under the same name";
                self.leave_out(&metric.name, "", "", reason.to_owned());
            }
            for total in &metric.dimensions {
                if let Some(place) = self.place(position, metric, total) {
                    self.add_sample(place, scope, rollup, metric, total);
                }
                position += 1;
            }
        }
    }

    /// Says that a metric of some scope, and perhaps others after it, is missing.
    pub(super) fn leave_out_metric(&mut self, metric: &str) {
        self.leave_out(metric, "", "", "there are too many metrics before it".to_owned());
    }

    /// All families by name, and what is missing from them.
    pub(super) fn finish(mut self) -> (Vec<Family<'a>>, Vec<Skipped>) {
        self.list.sort_by(|one, other| one.name.cmp(&other.name));
        (self.list, self.skipped)
    }

    pub(super) fn skipped(&self) -> usize {
        self.skipped.len()
    }

    /// The family of a dimension; `None` when there is nothing to show or it is left out.
    fn place(
        &mut self,
        position: usize,
        metric: &'a MetricTotal,
        total: &'a DimensionTotal,
    ) -> Option<usize> {
        let family = type_of_total(total)?;
        let unit = total.declared.unit.as_deref();
        let (of_library, dimension) = (metric.of_library, &*total.declared.name);
        let source = Source { of_library, metric: &metric.name, dimension, family, unit };
        if let Some(place) = self.before.get(position).copied().flatten()
            && self.list[place].source.is_like(&source)
        {
            return Some(place);
        }
        let known = self.known.get(&source).copied();
        let place = known.unwrap_or_else(|| {
            let place = self.claim(metric, total, source);
            self.known.insert(source, place);
            place
        });
        if self.before.len() <= position {
            self.before.resize(position + 1, None);
        }
        self.before[position] = place;
        place
    }

    /// Begins a family, unless one of its names stands for something else already, or has done so before.
    fn claim(
        &mut self,
        metric: &'a MetricTotal,
        total: &'a DimensionTotal,
        source: Source<'a>,
    ) -> Option<usize> {
        let Source { metric: metric_name, dimension, family, .. } = source;
        let unit = source.unit.and_then(name::unit);
        let name = name::family_name(metric_name, dimension, unit.as_deref(), family);
        let names = family.suffixes().iter().map(|suffix| format!("{name}{suffix}"));
        let names: Vec<String> = names.collect();
        let owner = Owner::new(&source);
        let here = names.iter().find_map(|name| self.names.get_key_value(name));
        let conflict = here.map(|(name, place)| (name.clone(), Owner::new(&self.list[*place].source)));
        // What is the library's own is not to be had by others.
        let before = || self.memory.conflict(&names, &owner).filter(|_| !source.of_library);
        if let Some((taken, other)) = conflict.or_else(before) {
            let reason = if (&*other.metric, &*other.dimension) == (metric_name, dimension) {
                OTHER_SHAPE.to_owned()
            } else {
                format!("`{taken}` stands for `{}` of the metric `{}` already", other.dimension, other.metric)
            };
            self.leave_out(metric_name, dimension, &name, reason);
            return None;
        }
        self.memory.remember(&names, &owner);
        let place = self.list.len();
        self.names.extend(names.into_iter().map(|name| (name, place)));
        let help = [&total.declared.help, &metric.help].into_iter().find(|help| !help.trim().is_empty());
        let help = help.map_or_else(
            || Cow::Owned(format!("The dimension {dimension} of the metric {metric_name}.")),
            |help| Cow::Borrowed(&**help),
        );
        self.list.push(Family { name, kind: family, unit, help, samples: Vec::new(), source });
        Some(place)
    }

    fn add_sample(
        &mut self,
        place: usize,
        scope: usize,
        rollup: Option<&Arc<str>>,
        metric: &'a MetricTotal,
        total: &'a DimensionTotal,
    ) {
        let family = &mut self.list[place];
        // Only in a rollup do several of them meet, and who comes first may change with the recorders that are there.
        let is_other = rollup.is_some_and(|namespace| {
            !self.memory.has_shape(namespace, &metric.name, &total.declared.name, shape_of(total))
        });
        if is_other || family.samples.last().is_some_and(|last| last.scope == scope) {
            return self.leave_out_of(place, metric, total, OTHER_SHAPE);
        }
        family.samples.push(Sample { scope, total });
        if family.misses(total) {
            let reason = "some of its labels have values of another type than the first one";
            self.leave_out_of(place, metric, total, reason);
        }
    }

    /// Says that values are missing from a family that is there.
    fn leave_out_of(&mut self, place: usize, metric: &MetricTotal, total: &DimensionTotal, reason: &str) {
        let name = self.list[place].name.clone();
        self.leave_out(&metric.name, &total.declared.name, &name, reason.to_owned());
    }

    fn leave_out(&mut self, metric: &str, dimension: &str, family: &str, reason: String) {
        let (metric, dimension, family) = (metric.to_owned(), dimension.to_owned(), family.to_owned());
        let skipped = Skipped { metric, dimension, family, reason };
        if !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }
}

impl Family<'_> {
    /// Whether some of the values are of another type, and not shown.
    fn misses(&self, total: &DimensionTotal) -> bool {
        let Total::Labelled(labelled) = &total.value else { return false };
        let mut types =
            labelled.entries.iter().filter_map(|entry| type_of(total.declared.kind, &entry.value));
        types.any(|other| other != self.kind)
    }
}

impl Source<'_> {
    /// As `==`, for texts that mostly are one and the same.
    fn is_like(&self, other: &Self) -> bool {
        self.family == other.family
            && self.of_library == other.of_library
            && same(self.dimension, other.dimension)
            && same(self.metric, other.metric)
            && self.unit == other.unit
    }
}

/// What keeps values of one name from being added up: the labels' names, the buckets, the merge rule.
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
        bucket.up_to.map(|bound| bound.as_f64().to_bits()).hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether two texts are equal; mostly they are one and the same.
fn same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}
