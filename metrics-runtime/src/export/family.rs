//! Families: the series of one name, gathered from all groups of recorders.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::family_key::FamilyKey;
use super::family_type::FamilyType;
use super::memory::ExportMemory;
use super::name;
use super::power_bounds::PowerRange;
use super::skipped::Skipped;
use crate::descriptor::DimensionDescriptor;
use crate::snapshot::{DimensionValue, Timestamp};
use crate::totals::DimensionTotals;

/// The reason to skip values that share their name with other values of the same dimension.
const OTHER_SHAPE: &str = "its values have other labels, buckets or types than the first ones of this name";
const OTHER_TYPES: &str = "some of its labels have values of another type than the first one";

/// One dimension of one group, before it has a family.
pub(super) struct Dimension<'a> {
    /// The index of the group.
    pub(super) group: usize,
    /// Whether the library itself declares the dimension, in contrast to a metric that happens to have the same name.
    pub(super) of_library: bool,
    pub(super) metric: &'a str,
    /// The metric's help text.
    pub(super) help: &'a str,
    pub(super) declared: &'a DimensionDescriptor,
    pub(super) value: &'a DimensionValue,
    /// Since when the dimension counts.
    pub(super) created: Timestamp,
}

impl<'a> Dimension<'a> {
    /// A dimension of the totals of a group.
    pub(super) fn of(group: usize, totals: &'a DimensionTotals<'_>) -> Self {
        Self {
            group,
            of_library: totals.is_of_library,
            metric: totals.metric,
            help: totals.metric_help,
            declared: totals.declared(),
            value: totals.value(),
            created: totals.created(),
        }
    }
}

/// The series of one name.
pub(super) struct Family<'a> {
    pub(super) name: String,
    pub(super) unit: Option<String>,
    pub(super) help: Cow<'a, str>,
    pub(super) samples: Vec<Sample<'a>>,
    /// The bounds that all series with exponential buckets show.
    pub(super) powers: PowerRange,
    key: FamilyKey<'a>,
}

/// The part of a family that comes from one group.
pub(super) struct Sample<'a> {
    /// The index of the group.
    pub(super) group: usize,
    pub(super) declared: &'a DimensionDescriptor,
    pub(super) value: &'a DimensionValue,
    pub(super) created: Timestamp,
}

impl Family<'_> {
    pub(super) fn family_type(&self) -> FamilyType {
        self.key.family_type
    }

    /// The bounds that the values need.
    fn needed_powers(&self) -> PowerRange {
        let of_value = |value: &DimensionValue| match value {
            DimensionValue::Histogram(histogram) => {
                histogram.buckets.exponential().map(PowerRange::of).unwrap_or_default()
            }
            _ => PowerRange::default(),
        };
        let of_sample = |sample: &Sample<'_>| match sample.value {
            DimensionValue::Breakdown(entries) => entries
                .iter()
                .map(|entry| of_value(&entry.value))
                .fold(PowerRange::default(), PowerRange::union),
            value => of_value(value),
        };
        self.samples.iter().map(of_sample).fold(PowerRange::default(), PowerRange::union)
    }

    /// Whether some labels have values of another type. The writer does not show them.
    fn has_other_types(&self, declared: &DimensionDescriptor, value: &DimensionValue) -> bool {
        let DimensionValue::Breakdown(entries) = value else { return false };
        let mut types = entries.iter().filter_map(|entry| FamilyType::of(declared, &entry.value));
        types.any(|other| other != self.family_type())
    }
}

/// All families of one exposition.
pub(super) struct Families<'a> {
    memory: &'a ExportMemory,
    list: Vec<Family<'a>>,
    /// The index of the family of each key; `None` when the key is skipped.
    indexes: HashMap<FamilyKey<'a>, Option<usize>>,
    /// For each name that a series may have, the key of its family.
    names: HashMap<String, FamilyKey<'a>>,
    /// The index of the family of each dimension of the previous group, by position. Most often the next group is alike.
    previous: Vec<Option<usize>>,
    skipped: Vec<Skipped>,
    known_skipped: HashSet<Skipped>,
}

impl<'a> Families<'a> {
    pub(super) fn new(memory: &'a ExportMemory) -> Self {
        Self {
            memory,
            list: Vec::new(),
            indexes: HashMap::new(),
            names: HashMap::new(),
            previous: Vec::new(),
            skipped: Vec::new(),
            known_skipped: HashSet::new(),
        }
    }

    /// Creates the family of a dimension without a sample, so that no other dimension can have its names.
    pub(super) fn reserve(&mut self, dimension: &Dimension<'a>) {
        self.find_or_create(usize::MAX, dimension);
    }

    /// Reserves the names of `target_info`, which is no family of a dimension.
    pub(super) fn reserve_target_info(&mut self) {
        let names = ["target", "target_info"].map(str::to_owned);
        let key = FamilyKey {
            of_library: true,
            metric: Cow::Borrowed("target"),
            dimension: Cow::Borrowed("info"),
            family_type: FamilyType::Gauge,
            unit: None,
        };
        // The library takes names from metrics.
        let _ = self.memory.reserve_names(&names, &key);
        self.names.extend(names.into_iter().map(|name| (name, key.clone())));
    }

    /// Adds the dimension at `position` of a group.
    pub(super) fn add(&mut self, position: usize, dimension: &Dimension<'a>) {
        let Some(index) = self.find_or_create(position, dimension) else { return };
        let family = &mut self.list[index];
        let mut problem = None;
        if family.samples.last().is_some_and(|last| last.group == dimension.group) {
            problem = Some(OTHER_SHAPE);
        } else if family.has_other_types(dimension.declared, dimension.value) {
            problem = Some(OTHER_TYPES);
        }
        if let Some(reason) = problem {
            let skipped = Skipped {
                metric: dimension.metric.to_owned(),
                dimension: dimension.declared.name.to_string(),
                family: family.name.clone(),
                reason: reason.to_owned(),
            };
            self.skip(skipped);
        }
        if problem != Some(OTHER_SHAPE) {
            let Dimension { group, declared, value, created, .. } = *dimension;
            self.list[index].samples.push(Sample { group, declared, value, created });
        }
    }

    pub(super) fn skip(&mut self, skipped: Skipped) {
        if self.known_skipped.insert(skipped.clone()) {
            self.skipped.push(skipped);
        }
    }

    pub(super) fn skipped_count(&self) -> usize {
        self.skipped.len()
    }

    /// All families by name, and the skipped dimensions.
    pub(super) fn finish(mut self) -> (Vec<Family<'a>>, Vec<Skipped>) {
        self.list.sort_by(|one, other| one.name.cmp(&other.name));
        for family in self.list.iter_mut().filter(|family| family.family_type() == FamilyType::Histogram) {
            let needed = family.needed_powers();
            family.powers = self.memory.widened(&family.name, needed);
        }
        (self.list, self.skipped)
    }

    /// The index of the family of a dimension; `None` when the dimension is empty or skipped.
    fn find_or_create(&mut self, position: usize, dimension: &Dimension<'a>) -> Option<usize> {
        let key = key_of(dimension)?;
        if let Some(index) = self.previous.get(position).copied().flatten()
            && self.list[index].key.is_same(&key)
        {
            return Some(index);
        }
        let index = self.indexes.get(&key).copied();
        let index = index.unwrap_or_else(|| {
            let index = self.create(dimension, key.clone());
            self.indexes.insert(key, index);
            index
        });
        if position < MAX_REMEMBERED_POSITIONS {
            if self.previous.len() <= position {
                self.previous.resize(position + 1, None);
            }
            self.previous[position] = index;
        }
        index
    }

    /// Creates a family, unless one of its names belongs to another family, of this exposition or of an earlier one.
    fn create(&mut self, dimension: &Dimension<'a>, key: FamilyKey<'a>) -> Option<usize> {
        let FamilyNames { unit, name, reserved: names } = FamilyNames::of(&key);
        if let Err((taken, other)) = self.reserve_names(&names, &key) {
            let reason = if (&other.metric, &other.dimension) == (&key.metric, &key.dimension) {
                OTHER_SHAPE.to_owned()
            } else {
                format!("`{taken}` belongs to `{}` of the metric `{}`", other.dimension, other.metric)
            };
            let (metric, dimension) = (key.metric.to_string(), key.dimension.to_string());
            self.skip(Skipped { metric, dimension, family: name, reason });
            return None;
        }
        let index = self.list.len();
        self.names.extend(names.into_iter().map(|name| (name, key.clone())));
        let help = help_of(key.metric.as_ref(), dimension.help, dimension.declared);
        self.list.push(Family { name, unit, help, samples: Vec::new(), powers: PowerRange::default(), key });
        Some(index)
    }

    fn reserve_names(
        &self,
        names: &[String],
        key: &FamilyKey<'_>,
    ) -> Result<(), (String, FamilyKey<'static>)> {
        if let Some((name, other)) = names.iter().find_map(|name| self.names.get_key_value(name)) {
            return Err((name.clone(), other.to_static()));
        }
        self.memory.reserve_names(names, key)
    }
}

/// The names of a family.
pub(super) struct FamilyNames {
    /// The unit as it is spelled in names.
    pub(super) unit: Option<String>,
    /// The name without the suffix `_total` of a counter.
    pub(super) name: String,
    /// The names that no other family may have.
    pub(super) reserved: Vec<String>,
}

impl FamilyNames {
    pub(super) fn of(key: &FamilyKey<'_>) -> Self {
        let unit = key.unit.as_deref().and_then(name::unit);
        let name = name::family_name(&key.metric, &key.dimension, unit.as_deref(), key.family_type);
        let reserved = key.family_type.reserved(&name);
        Self { unit, name, reserved }
    }
}

/// The help text of the dimension, else that of its metric, else one that names both.
pub(super) fn help_of<'a>(
    metric: &str,
    metric_help: &'a str,
    declared: &'a DimensionDescriptor,
) -> Cow<'a, str> {
    let help = [&*declared.help, metric_help].into_iter().find(|help| !help.trim().is_empty());
    help.map_or_else(
        || {
            Cow::Owned(match &*declared.name {
                "" => format!("The metric {metric}."),
                dimension => format!("The dimension {dimension} of the metric {metric}."),
            })
        },
        Cow::Borrowed,
    )
}

/// For how many dimensions of a group the family is remembered for the next group.
const MAX_REMEMBERED_POSITIONS: usize = 65_536;

/// The key of the family of a dimension; `None` when the dimension is empty.
fn key_of<'a>(dimension: &Dimension<'a>) -> Option<FamilyKey<'a>> {
    let declared = dimension.declared;
    let family_type = match dimension.value {
        DimensionValue::Breakdown(entries) => {
            entries.iter().find_map(|entry| FamilyType::of(declared, &entry.value))
        }
        value => FamilyType::of(declared, value),
    };
    Some(FamilyKey {
        of_library: dimension.of_library,
        metric: Cow::Borrowed(dimension.metric),
        dimension: Cow::Borrowed(&declared.name),
        family_type: family_type?,
        unit: declared.base_unit().map(Cow::Borrowed),
    })
}
