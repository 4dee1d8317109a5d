//! Collecting: a catalogue from the declarations of metrics.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::error::{CatalogueError, NameClash};
use super::{Catalogue, CatalogueDimension, CatalogueFamily, CatalogueLabel, CatalogueMetric, CatalogueType};
use crate::descriptor::{DimensionDescriptor, MetricDescriptor};
use crate::dispatch::Metric;
use crate::export::{DeclaredFamily, FamilyType, families_of, families_of_library};
use crate::number::Number;
use crate::snapshot::{BreakdownEntry, DimensionValue, Dimensions, form_of};

/// Collects metrics for a [`Catalogue`].
#[derive(Debug, Default)]
#[must_use]
pub struct CatalogueBuilder {
    listed: Vec<Listed>,
}

/// A metric in the order of the list.
#[derive(Debug)]
struct Listed {
    /// The Rust type, for messages.
    of_type: &'static str,
    metric: CatalogueMetric,
    reserved: Vec<Reserved>,
}

/// The names that the series of a family may have in any format.
#[derive(Debug)]
struct Reserved {
    dimension: String,
    names: Vec<String>,
}

impl CatalogueBuilder {
    /// Adds a metric by its type. One that is listed twice counts once.
    pub fn metric<M: Metric + Default>(self) -> Self {
        self.metric_of(&M::default())
    }

    /// Adds a metric by a value of its type, which says what is configured only in the value: names of metrics by hand, for example.
    ///
    /// It takes a snapshot of the value. A value without events is best: the labels of the snapshot are taken for those that the type
    /// knows, where a breakdown has no limit.
    ///
    /// ```
    /// use mvx_metrics::catalogue::Catalogue;
    /// use mvx_metrics::{DimensionDescriptor, DimensionKind, EventHandler, Metric, MetricDescriptor, MetricSnapshot};
    ///
    /// /// The fill level of a tank.
    /// struct Tank {
    ///     name: String,
    /// }
    ///
    /// impl Metric for Tank {
    ///     fn metric_name(&self) -> &str {
    ///         &self.name
    ///     }
    ///     fn handlers() -> &'static [EventHandler<Self>] {
    ///         &[]
    ///     }
    ///     fn snapshot(&self) -> MetricSnapshot {
    ///         MetricSnapshot::new(&*self.name).with("level", 0.5)
    ///     }
    ///     fn descriptor(&self) -> MetricDescriptor {
    ///         let level = DimensionDescriptor::new("level", DimensionKind::Gauge);
    ///         MetricDescriptor::new(self.name.clone()).with_dimensions(vec![level])
    ///     }
    /// }
    ///
    /// let catalogue = Catalogue::builder().metric_of(&Tank { name: "oil".to_owned() }).build()?;
    /// assert_eq!(catalogue.metrics[0].dimensions[0].families[0].name, "oil_level");
    /// # Ok::<(), mvx_metrics::catalogue::CatalogueError>(())
    /// ```
    pub fn metric_of<M: Metric>(mut self, metric: &M) -> Self {
        let snapshot = metric.snapshot();
        let events = M::handlers().iter().map(|handler| handler.event_type().to_owned()).collect();
        self.listed.push(Listed::of(
            type_name::<M>(),
            &snapshot.name,
            &metric.descriptor(),
            events,
            &snapshot.dimensions,
        ));
        self
    }

    /// The catalogue of these metrics.
    ///
    /// # Errors
    /// [`CatalogueError::SameName`] when two dimensions would export series of one name, when one would export a name of the
    /// library's own families, or when two metrics with different declarations have one name.
    pub fn build(self) -> Result<Catalogue, CatalogueError> {
        let mut clashes = Vec::new();
        let mut listed: Vec<Listed> = Vec::new();
        let mut indexes: HashMap<String, usize> = HashMap::new();
        for one in self.listed {
            let index = *indexes.entry(one.metric.name.clone()).or_insert(listed.len());
            match listed.get(index) {
                None => listed.push(one),
                Some(first) if first.metric == one.metric => {}
                Some(first) => clashes.push(NameClash::Metric {
                    name: one.metric.name,
                    first: first.of_type.to_owned(),
                    second: one.of_type.to_owned(),
                }),
            }
        }
        for metric in listed.iter().map(|listed| &listed.metric) {
            let mut names = HashSet::new();
            let twice = metric.dimensions.iter().filter(|dimension| !names.insert(&dimension.name));
            clashes.extend(twice.map(|dimension| NameClash::Dimension {
                metric: metric.name.clone(),
                name: dimension.name.clone(),
            }));
        }
        clashes.extend(clashes_of_series(&listed));
        if !clashes.is_empty() {
            return Err(CatalogueError::SameName(clashes));
        }
        let mut metrics: Vec<_> = listed.into_iter().map(|listed| listed.metric).collect();
        metrics.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Catalogue { metrics })
    }
}

/// One clash for each family that cannot have one of its names.
fn clashes_of_series(listed: &[Listed]) -> Vec<NameClash> {
    let mut clashes = Vec::new();
    let mut owners: HashMap<String, String> = HashMap::new();
    for family in families_of_library() {
        let names = family.family_type.reserved(&family.base).into_iter();
        owners.extend(names.map(|name| (name, "the library's own health".to_owned())));
    }
    for Listed { metric, reserved, .. } in listed {
        for Reserved { dimension, names } in reserved {
            let owner =
                format!("`{}` of the metric `{}`", dimension.escape_debug(), metric.name.escape_debug());
            let taken = names.iter().find_map(|name| Some((name, owners.get(name)?)));
            if let Some((name, first)) = taken {
                clashes.push(NameClash::Series { name: name.clone(), first: first.clone(), second: owner });
            } else {
                owners.extend(names.iter().map(|name| (name.clone(), owner.clone())));
            }
        }
    }
    clashes
}

impl Listed {
    /// `values` are those of a new metric.
    fn of(
        of_type: &'static str,
        name: &str,
        descriptor: &MetricDescriptor,
        events: Vec<String>,
        values: &Dimensions,
    ) -> Self {
        let declared = descriptor.dimensions.iter().map(Cow::Borrowed);
        let is_undeclared = |name: &str| descriptor.dimensions.iter().all(|declared| declared.name != name);
        let undeclared = values.iter().filter(|(name, _)| is_undeclared(name));
        let undeclared = undeclared.map(|(name, value)| Cow::Owned(form_of(name, value)));
        let (mut dimensions, mut reserved) = (Vec::new(), Vec::new());
        for declared in declared.chain(undeclared) {
            let value = values.get(&declared.name).unwrap_or(&DimensionValue::Empty);
            let families = families_of(name, &descriptor.help, &declared, &with_sample(&declared, value));
            let names = families.iter().map(|family| Reserved {
                dimension: family.dimension.clone(),
                names: family.family_type.reserved(&family.base),
            });
            reserved.extend(names);
            dimensions.push(CatalogueDimension::of(&declared, value, families));
        }
        let help = descriptor.help.clone().into_owned();
        let metric = CatalogueMetric { name: name.to_owned(), help, events, dimensions };
        Self { of_type, metric, reserved }
    }
}

/// The value; for a breakdown without labels one with a sample of what each label will have, if the declaration has one.
fn with_sample<'a>(declared: &DimensionDescriptor, value: &'a DimensionValue) -> Cow<'a, DimensionValue> {
    let is_empty = match value {
        DimensionValue::Breakdown(entries) => entries.is_empty(),
        DimensionValue::Empty => declared.is_breakdown(),
        _ => false,
    };
    let sample = declared.merge_values.0.filter(|_| is_empty).and_then(|rules| (rules.sample)());
    let Some(sample) = sample.and_then(|sample| sample.downcast::<DimensionValue>().ok()) else {
        return Cow::Borrowed(value);
    };
    let labels = vec![Cow::Borrowed(""); declared.label_parts()];
    Cow::Owned(DimensionValue::Breakdown(vec![BreakdownEntry { labels, value: *sample }]))
}

impl CatalogueDimension {
    fn of(declared: &DimensionDescriptor, value: &DimensionValue, families: Vec<DeclaredFamily>) -> Self {
        let entries: &[BreakdownEntry] = match value {
            // Labels within a limit come with the events.
            DimensionValue::Breakdown(entries) if declared.limit.is_none() => entries,
            _ => &[],
        };
        let label = |part: usize| {
            let name = declared.labels.get(part).map(ToString::to_string).unwrap_or_default();
            let mut values: Vec<String> = Vec::new();
            for text in entries.iter().filter_map(|entry| entry.labels.get(part)) {
                if !values.iter().any(|value| value == text) {
                    values.push(text.to_string());
                }
            }
            CatalogueLabel { name, values }
        };
        let parts = entries.iter().map(|entry| entry.labels.len()).max().unwrap_or(0);
        Self {
            name: declared.name.to_string(),
            kind: declared.kind,
            number: declared.number,
            unit: declared.unit.as_deref().map(str::to_owned),
            help: declared.help.to_string(),
            labels: (0..parts.max(declared.label_parts())).map(label).collect(),
            limit: declared.limit,
            keep: declared.keep,
            buckets: declared.buckets.iter().filter_map(|bound| written(declared, *bound)).collect(),
            max_buckets: declared.max_buckets,
            merge: declared.merge,
            window: declared.window,
            families: families.into_iter().map(CatalogueFamily::from).collect(),
        }
    }
}

/// A bound as it comes back from JSON, so that a catalogue is equal to the one that is read. `None` for an infinite bound, which is that
/// of the last bucket, and which JSON cannot write.
pub(super) fn written(declared: &DimensionDescriptor, bound: Number) -> Option<Number> {
    match bound {
        Number::Float(bound) if !bound.is_finite() => None,
        bound if declared.number == Some(bound.number_type()) => Some(bound),
        bound => {
            let read: Number = serde_json::from_value(serde_json::to_value(bound).ok()?).ok()?;
            declared.number.map_or(Some(read), |number| read.with_type(number))
        }
    }
}

impl From<DeclaredFamily> for CatalogueFamily {
    fn from(family: DeclaredFamily) -> Self {
        let DeclaredFamily { name, family_type, unit, help, labels, .. } = family;
        Self { name, family_type: family_type.into(), unit, help, labels }
    }
}

impl From<FamilyType> for CatalogueType {
    fn from(family_type: FamilyType) -> Self {
        match family_type {
            FamilyType::Counter => Self::Counter,
            FamilyType::Gauge => Self::Gauge,
            FamilyType::Histogram => Self::Histogram,
            FamilyType::Summary => Self::Summary,
            FamilyType::Unknown => Self::Unknown,
        }
    }
}
