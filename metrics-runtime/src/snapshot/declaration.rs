//! Declarations: what a snapshot without types knows of its metric, so that it merges and is read back.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use serde::de;
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, for_aggregate};
use super::breakdown::check_part;
use super::distinct::DistinctSnapshot;
use super::extreme::Extreme;
use super::histogram::HistogramSnapshot;
use super::mean::{InFlightSnapshot, MeanSnapshot};
use super::output::{DeserializeOutput, Output};
use super::top::TopSnapshot;
use super::value::{BreakdownEntry, DimensionValue, Dimensions, ValueDeserializer};
use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MetricDescriptor};
use crate::number::{DurationText, Number, NumberType, TimeUnit};

/// The descriptor of a metric with its fingerprint.
#[derive(Debug, Clone)]
pub(crate) enum Declaration {
    /// All metrics of a derived type share it. There is one for each type, which stays for the life of the process.
    OfType(&'static Declared),
    Own(Arc<Declared>),
}

#[derive(Debug)]
pub(crate) struct Declared {
    descriptor: MetricDescriptor,
    fingerprint: u64,
    /// The types of the events that the metric listens to.
    events: Vec<Cow<'static, str>>,
    /// The positions of the dimensions, once a value stood at another position than its declaration.
    positions: OnceLock<HashMap<Cow<'static, str>, usize>>,
}

impl Declared {
    pub(crate) fn new(descriptor: MetricDescriptor, events: impl Iterator<Item = &'static str>) -> Self {
        Self::with_events(descriptor, events.map(Cow::Borrowed).collect())
    }

    fn with_events(descriptor: MetricDescriptor, events: Vec<Cow<'static, str>>) -> Self {
        let fingerprint = fingerprint(&descriptor.dimensions);
        Self { descriptor, fingerprint, events, positions: OnceLock::new() }
    }
}

impl Declaration {
    pub(crate) fn with_events(descriptor: MetricDescriptor, events: Vec<Cow<'static, str>>) -> Self {
        Self::Own(Arc::new(Declared::with_events(descriptor, events)))
    }

    /// The declaration of a metric that declares nothing.
    pub(crate) fn undeclared(name: &str) -> Self {
        Self::with_events(MetricDescriptor::new(name.to_owned()), Vec::new())
    }

    /// The declaration of a type: its metrics all have one descriptor.
    pub(crate) fn of_type(metric: TypeId, declare: impl FnOnce() -> Declared) -> Self {
        static OF_TYPES: LazyLock<RwLock<HashMap<TypeId, &'static Declared>>> =
            LazyLock::new(RwLock::default);
        let known = OF_TYPES.read().unwrap_or_else(PoisonError::into_inner).get(&metric).copied();
        let declared = known.unwrap_or_else(|| {
            // User code may run in `declare`, so no lock is held.
            let declared = declare();
            let mut known = OF_TYPES.write().unwrap_or_else(PoisonError::into_inner);
            known.entry(metric).or_insert_with(|| Box::leak(Box::new(declared)))
        });
        Self::OfType(declared)
    }

    fn get(&self) -> &Declared {
        match self {
            Self::OfType(declared) => declared,
            Self::Own(declared) => declared,
        }
    }

    /// Whether all metrics of a type share the declaration, as derived ones do.
    pub(crate) fn is_of_type(&self) -> bool {
        matches!(self, Self::OfType(_))
    }

    /// The types of the events that the metric listens to.
    pub(crate) fn events(&self) -> &[Cow<'static, str>] {
        &self.get().events
    }

    pub(crate) fn descriptor(&self) -> &MetricDescriptor {
        &self.get().descriptor
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.get().fingerprint
    }

    /// Whether both declare the same dimensions at the same positions.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        std::ptr::eq(self.get(), other.get())
            || (self.get().fingerprint == other.get().fingerprint
                && self.get().descriptor.dimensions == other.get().descriptor.dimensions)
    }

    /// The declaration of the dimension with this name, which most often stands at this position.
    pub(crate) fn dimension_at(&self, index: usize, name: &str) -> Option<&DimensionDescriptor> {
        let dimensions = &self.get().descriptor.dimensions;
        dimensions
            .get(index)
            .filter(|declared| declared.name == name)
            .or_else(|| self.position_of(name).map(|index| &dimensions[index]))
    }

    /// The position of the dimension with this name.
    pub(crate) fn position_of(&self, name: &str) -> Option<usize> {
        let positions = self.get().positions.get_or_init(|| {
            let dimensions = self.get().descriptor.dimensions.iter().enumerate();
            dimensions.map(|(index, declared)| (declared.name.clone(), index)).collect()
        });
        positions.get(name).copied()
    }
}

impl From<Declared> for Declaration {
    fn from(declared: Declared) -> Self {
        Self::Own(Arc::new(declared))
    }
}

/// A hash of everything that must be equal for values to merge: FNV-1a with 64 bits, the same in all processes and versions.
pub(super) fn fingerprint(dimensions: &[DimensionDescriptor]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        // No UTF-8 text has the byte 0xff, so texts do not run together.
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for declared in dimensions.iter().filter(|declared| declared.merge.is_some()) {
        add(&declared.name);
        add(kind_name(declared.kind));
        add(declared.number.map_or("", number_name));
        add(declared.merge.map_or("", rule_name));
        add(declared.unit.as_deref().unwrap_or_default());
        add(&declared.label_parts().to_string());
        add(&declared.labels.len().to_string());
        declared.labels.iter().for_each(|label| add(label));
        add(&declared.buckets.len().to_string());
        declared.buckets.iter().for_each(|bound| add(&bound_text(*bound)));
        // Exponential buckets merge with each other whatever their largest number is.
        if declared.max_buckets.is_some() {
            add("exponential");
        }
        if let Some(window) = declared.window {
            add(&format!("window {window}"));
        }
    }
    hash
}

pub(crate) fn kind_name(kind: DimensionKind) -> &'static str {
    match kind {
        DimensionKind::Counter => "counter",
        DimensionKind::Sum => "sum",
        DimensionKind::Min => "min",
        DimensionKind::Max => "max",
        DimensionKind::Mean => "mean",
        DimensionKind::Gauge => "gauge",
        DimensionKind::InFlight => "in_flight",
        DimensionKind::Histogram => "histogram",
        DimensionKind::Distinct => "distinct",
        DimensionKind::Top => "top",
        DimensionKind::Custom => "custom",
    }
}

pub(crate) fn number_name(number: NumberType) -> &'static str {
    match number {
        NumberType::Unsigned => "u64",
        NumberType::Signed => "i64",
        NumberType::Float => "f64",
        NumberType::Duration => "duration",
    }
}

pub(crate) fn rule_name(rule: MergeRule) -> &'static str {
    match rule {
        MergeRule::Sum => "sum",
        MergeRule::Min => "min",
        MergeRule::Max => "max",
        MergeRule::Union => "union",
        MergeRule::Own => "own",
    }
}

/// A bound as a text that differs for different bounds: `f64`s by their bits, where both zeros are one.
fn bound_text(bound: Number) -> String {
    match bound {
        Number::Unsigned(bound) => bound.to_string(),
        Number::Signed(bound) => bound.to_string(),
        Number::Float(bound) => format!("{:016x}", (bound + 0.0).to_bits()),
        Number::Duration(bound) => DurationText(TimeUnit::Seconds, bound).to_string(),
    }
}

/// The first difference of two declarations.
pub(super) fn difference(own: &[DimensionDescriptor], others: &[DimensionDescriptor]) -> String {
    let merging = |dimensions: &'_ [DimensionDescriptor]| -> Vec<DimensionDescriptor> {
        dimensions.iter().filter(|declared| declared.merge.is_some()).cloned().collect()
    };
    let (own, others) = (merging(own), merging(others));
    let by_name: HashMap<&str, &DimensionDescriptor> =
        others.iter().map(|other| (&*other.name, other)).collect();
    for declared in &own {
        let name = &declared.name;
        let Some(other) = by_name.get(&**name) else {
            return format!("only one of them has the dimension `{name}`");
        };
        let Some(differs) = declared.difference(other) else { continue };
        return format!("the {differs} of `{name}` differ");
    }
    let names: HashSet<&str> = own.iter().map(|declared| &*declared.name).collect();
    let added = others.iter().find(|other| !names.contains(&*other.name));
    added.map_or_else(
        || "the dimensions stand in another order".to_owned(),
        |added| format!("only one of them has the dimension `{}`", added.name),
    )
}

/// A declaration as the key `declaration` of a metric. Values that are not declared are described by their form.
pub(crate) struct SerializeDeclaration<'a> {
    pub(crate) declaration: &'a Declaration,
    pub(crate) values: &'a Dimensions,
}

impl Serialize for SerializeDeclaration<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let descriptor = self.declaration.descriptor();
        let undeclared = self.values.iter().enumerate().filter_map(|(index, (name, value))| {
            let declared = self.declaration.dimension_at(index, name);
            declared.is_none().then(|| form_of(name, value))
        });
        let dimensions: Vec<Cow<'_, DimensionDescriptor>> =
            descriptor.dimensions.iter().map(Cow::Borrowed).chain(undeclared.map(Cow::Owned)).collect();
        let mut declaration = serializer.serialize_struct("Declaration", 4)?;
        declaration.serialize_field("fingerprint", &format!("{:016x}", self.declaration.fingerprint()))?;
        declaration.serialize_field("help", &descriptor.help)?;
        declaration.serialize_field("events", self.declaration.events())?;
        declaration.serialize_field("dimensions", &dimensions)?;
        declaration.end()
    }
}

/// The description of a value that no descriptor describes. It declares no merge rule.
pub(crate) fn form_of(name: &str, value: &DimensionValue) -> DimensionDescriptor {
    use DimensionValue::{Breakdown, Top};
    /// The kind and the type of numbers of an aggregate.
    fn form<A: Aggregate>(aggregate: &A) -> (DimensionKind, Option<NumberType>) {
        (A::KIND, aggregate.number_type())
    }
    let (parts, value) = match value {
        Breakdown(entries) => match entries.first() {
            Some(first) => (first.labels.len(), &first.value),
            None => (1, &DimensionValue::Empty),
        },
        Top(top) => (top.iter().next().map_or(1, |first| first.labels.len()), value),
        value => (0, value),
    };
    let (kind, number) = for_aggregate!(value, |aggregate| form(aggregate), else {
        (DimensionKind::Custom, value.number().map(|number| number.number_type()))
    });
    let mut form = DimensionDescriptor::new("", kind);
    form.name = Cow::Owned(name.to_owned());
    (form.number, form.parts, form.merge) = (number, parts, None);
    form
}

/// A declaration that was read, not yet of any metric.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadDeclaration {
    fingerprint: String,
    help: String,
    events: Vec<Cow<'static, str>>,
    dimensions: Vec<DimensionDescriptor>,
}

impl ReadDeclaration {
    /// The declaration of a metric, if it has the fingerprint that it says.
    pub(crate) fn of_metric<E: de::Error>(self, name: &str) -> Result<Declaration, E> {
        let mut names = HashSet::new();
        for dimension in &self.dimensions {
            if !names.insert(&dimension.name) {
                return Err(E::custom(format_args!(
                    "the dimension `{}` of `{name}` stands twice",
                    dimension.name
                )));
            }
        }
        let mut dimensions = self.dimensions;
        for dimension in &mut dimensions {
            for bound in dimension.buckets.to_mut() {
                let typed = dimension.number.map_or(Some(*bound), |number| bound.with_type(number));
                *bound = typed.ok_or_else(|| {
                    E::custom(format_args!("a bucket of `{}` of `{name}` has another type", dimension.name))
                })?;
            }
        }
        let descriptor =
            MetricDescriptor::new(name.to_owned()).with_help(self.help).with_dimensions(dimensions);
        let declaration = Declaration::with_events(descriptor, self.events);
        if format!("{:016x}", declaration.fingerprint()) != self.fingerprint {
            return Err(E::custom(format_args!(
                "the declaration of `{name}` does not have the fingerprint that it says"
            )));
        }
        Ok(declaration)
    }
}

impl Declaration {
    /// Gives values that were read without types the types and the order of this declaration.
    pub(crate) fn restore<E: de::Error>(&self, values: &mut Dimensions) -> Result<(), E> {
        let metric = &self.descriptor().name;
        for (index, (name, value)) in values.iter_mut().enumerate() {
            let Some(declared) = self.dimension_at(index, name) else {
                return Err(E::custom(format_args!("`{name}` of the metric `{metric}` is not declared")));
            };
            let restored = declared.time_unit().within(|| restored::<E>(declared, value));
            *value = restored.map_err(|problem| {
                E::custom(format_args!("`{name}` of the metric `{metric}` does not fit: {problem}"))
            })?;
        }
        // JSON objects have no order, and some programs sort their keys.
        values.sort_by_key(|name| self.position_of(name).unwrap_or(usize::MAX));
        let value_of = values.finder();
        let mut declared = self.descriptor().dimensions.iter().enumerate();
        let missing = declared.find(|(index, declared)| value_of(*index, &declared.name).is_none());
        match missing {
            // A snapshot that failed has no values.
            Some((_, missing)) if !values.is_empty() => {
                Err(E::custom(format_args!("`{}` of the metric `{metric}` is missing", missing.name)))
            }
            _ => Ok(()),
        }
    }
}

fn restored<E: de::Error>(
    declared: &DimensionDescriptor,
    value: &DimensionValue,
) -> Result<DimensionValue, E> {
    if !declared.is_breakdown() {
        return restored_plain(declared, value);
    }
    let mut entries = Vec::new();
    collect_entries(declared, declared.label_parts(), value, &mut Vec::new(), &mut entries)?;
    Ok(DimensionValue::Breakdown(entries))
}

fn collect_entries<E: de::Error>(
    declared: &DimensionDescriptor,
    parts: usize,
    value: &DimensionValue,
    path: &mut Vec<Cow<'static, str>>,
    entries: &mut Vec<BreakdownEntry>,
) -> Result<(), E> {
    let DimensionValue::Map(labels) = value else {
        return Err(E::custom("it is not a map from labels to values"));
    };
    for (text, value) in labels.iter() {
        check_part(parts, text)?;
        path.push(Cow::Owned(text.to_owned()));
        if parts > 1 {
            collect_entries(declared, parts - 1, value, path, entries)?;
        } else {
            entries.push(BreakdownEntry { labels: path.clone(), value: restored_plain(declared, value)? });
        }
        path.pop();
    }
    Ok(())
}

fn restored_plain<E: de::Error>(
    declared: &DimensionDescriptor,
    value: &DimensionValue,
) -> Result<DimensionValue, E> {
    let restored = match declared.number {
        // Totals have no value where a number may fall and no recorder can be read.
        _ if *value == DimensionValue::Empty => Ok(DimensionValue::Empty),
        Some(NumberType::Unsigned) => restored_number::<u64, E>(declared, value),
        Some(NumberType::Signed) => restored_number::<i64, E>(declared, value),
        Some(NumberType::Float) => restored_number::<f64, E>(declared, value),
        Some(NumberType::Duration) => restored_number::<Duration, E>(declared, value),
        None => restored_number::<Number, E>(declared, value),
    };
    // A type of the user's own may show its state in another form than its kind and its output.
    let is_own = declared.kind == DimensionKind::Custom || declared.is_of_own_type();
    restored.or_else(|problem| if is_own { Ok(value.clone()) } else { Err(problem) })
}

fn restored_number<T, E>(declared: &DimensionDescriptor, value: &DimensionValue) -> Result<DimensionValue, E>
where
    T: Output + crate::number::Arithmetic,
    E: de::Error,
{
    fn read<R: Output, E: de::Error>(value: &DimensionValue) -> Result<R, E> {
        DeserializeOutput::<R>::deserialize(ValueDeserializer::<E>::of(value))
            .map(|DeserializeOutput(read)| read)
    }

    Ok(match declared.kind {
        DimensionKind::Mean => DimensionValue::Mean(MeanSnapshot::of(read::<MeanSnapshot<T>, E>(value)?)),
        DimensionKind::InFlight => DimensionValue::InFlight(read::<InFlightSnapshot, E>(value)?),
        DimensionKind::Distinct => DimensionValue::Distinct(read::<DistinctSnapshot, E>(value)?),
        DimensionKind::Histogram => {
            DimensionValue::Histogram(HistogramSnapshot::of(&read::<HistogramSnapshot<T>, E>(value)?))
        }
        DimensionKind::Top => {
            let value = ValueDeserializer::<E>::of(value);
            let top = TopSnapshot::<(), T>::with_parts(value, declared.label_parts())?;
            DimensionValue::Top(top.without_types())
        }
        DimensionKind::Min | DimensionKind::Max => {
            DimensionValue::from(read::<Extreme<T>, E>(value)?.map(Into::into))
        }
        DimensionKind::Gauge => DimensionValue::from(read::<Option<T>, E>(value)?.map(Into::into)),
        DimensionKind::Counter | DimensionKind::Sum => DimensionValue::from(read::<T, E>(value)?.into()),
        // Metrics and dimensions of the user's own may have any number.
        DimensionKind::Custom if matches!(value, DimensionValue::Float(number) if !number.is_finite()) => {
            value.clone()
        }
        DimensionKind::Custom if declared.number.is_some() => {
            DimensionValue::from(read::<Extreme<T>, E>(value)?.map(Into::into))
        }
        DimensionKind::Custom => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(kind: DimensionKind) -> DimensionDescriptor {
        DimensionDescriptor::new("bytes", kind)
    }

    /// Fingerprints are compared across processes and versions, so these numbers never change.
    #[test]
    fn a_fingerprint_is_always_the_same() {
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(&[described(DimensionKind::Counter)]), 0xb034_b351_fc25_04df);
        let full = DimensionDescriptor {
            number: Some(NumberType::Float),
            unit: Some("bytes".into()),
            labels: vec!["host".into(), "code".into()].into(),
            buckets: vec![Number::Float(0.1), Number::Float(0.5)].into(),
            parts: 2,
            ..described(DimensionKind::Histogram)
        };
        assert_eq!(fingerprint(&[described(DimensionKind::Counter), full]), 0xb0e2_d456_303b_d987);
    }

    #[test]
    fn each_difference_that_matters_has_another_fingerprint() {
        let plain = || described(DimensionKind::Gauge);
        let buckets = |bounds: &[Number]| DimensionDescriptor { buckets: bounds.to_vec().into(), ..plain() };
        let labels = |labels: &[&'static str]| DimensionDescriptor {
            labels: labels.iter().map(|label| Cow::Borrowed(*label)).collect(),
            ..plain()
        };
        let different = [
            vec![],
            vec![plain()],
            vec![plain(), plain()],
            vec![described(DimensionKind::Sum)],
            vec![DimensionDescriptor { name: "byte".into(), ..plain() }],
            vec![DimensionDescriptor { number: Some(NumberType::Signed), ..plain() }],
            vec![DimensionDescriptor { number: Some(NumberType::Float), ..plain() }],
            vec![DimensionDescriptor { unit: Some("bytes".into()), ..plain() }],
            vec![DimensionDescriptor { merge: Some(MergeRule::Max), ..plain() }],
            vec![DimensionDescriptor { merge: Some(MergeRule::Own), ..plain() }],
            vec![DimensionDescriptor { window: Some(1), ..plain() }],
            vec![DimensionDescriptor { window: Some(60), ..plain() }],
            vec![DimensionDescriptor { parts: 1, ..plain() }],
            vec![labels(&["a"])],
            vec![labels(&["a", "b"])],
            vec![labels(&["ab"])],
            vec![labels(&["a", ""])],
            vec![buckets(&[Number::Unsigned(1)])],
            vec![buckets(&[Number::Unsigned(1), Number::Unsigned(2)])],
            vec![buckets(&[Number::Unsigned(12)])],
            vec![buckets(&[Number::Float(0.1)])],
            vec![buckets(&[Number::Float(0.1_f64.next_up())])],
            vec![buckets(&[Number::Duration(Duration::from_nanos(1))])],
            vec![DimensionDescriptor { max_buckets: Some(160), ..plain() }],
        ];
        let fingerprints: HashSet<u64> = different.iter().map(|dimensions| fingerprint(dimensions)).collect();
        assert_eq!(fingerprints.len(), different.len());
    }

    #[test]
    fn a_difference_that_does_not_matter_has_the_same_fingerprint() {
        let plain = || described(DimensionKind::Gauge);
        let same = [
            DimensionDescriptor { help: "All bytes.".into(), ..plain() },
            DimensionDescriptor { limit: Some(7), ..plain() },
        ];
        for same in same {
            assert_eq!(fingerprint(&[same]), fingerprint(&[plain()]));
        }
        let within = |max_buckets: usize| DimensionDescriptor { max_buckets: Some(max_buckets), ..plain() };
        assert_eq!(fingerprint(&[within(160)]), fingerprint(&[within(20)]));
        assert_eq!(difference(&[within(160)], &[plain()]), "the buckets of `bytes` differ");
        let zero = |zero: f64| DimensionDescriptor { buckets: vec![Number::Float(zero)].into(), ..plain() };
        assert_eq!(fingerprint(&[zero(0.0)]), fingerprint(&[zero(-0.0)]));
        assert_eq!(fingerprint(&[described(DimensionKind::Custom)]), fingerprint(&[]));
    }
}
