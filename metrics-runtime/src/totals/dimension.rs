//! What exporters see of totals: every dimension with its declaration, one after the other.

use std::sync::Arc;
use std::time::SystemTime;

use super::group::GroupTotals;
use super::health;
use super::parts::{for_each_part, has_parts};
use super::value::Totals;
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::snapshot::{DimensionValue, MetricSnapshot, Timestamp};

/// The total of one dimension of one group of recorders, with its declaration: what exporters read.
///
/// [`Totals::dimensions`] gives all of them, with an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DimensionTotals<'a> {
    /// The namespace of the recorders.
    pub namespace: &'a Arc<str>,
    /// The measured entity in [`Scope::PerEntity`](crate::Scope::PerEntity); `None` in a rollup, and for what is counted by
    /// namespace.
    pub entity_id: Option<&'a Arc<str>>,
    /// The metric's name, `mvx_metrics` for the library's own dimensions.
    pub metric: &'a str,
    /// The metric's help text; empty when there is none.
    pub metric_help: &'a str,
    /// Whether the library itself declares the dimension, in contrast to a metric that happens to have the same name.
    pub is_of_library: bool,
    content: Content<'a>,
    created: Timestamp,
}

/// A declaration with its value.
#[derive(Debug, Clone)]
enum Content<'a> {
    /// As the totals have them.
    Total(&'a DimensionDescriptor, &'a DimensionValue),
    OfLibrary(&'static DimensionDescriptor, DimensionValue),
    /// A part of a value, or a value that its metric does not declare.
    Part(Box<(DimensionDescriptor, DimensionValue)>),
}

impl<'a> DimensionTotals<'a> {
    /// The declaration: name, kind, unit, help and labels. That of a part has the part's name after `_` at the end of its own.
    #[must_use]
    pub fn declared(&self) -> &DimensionDescriptor {
        match &self.content {
            Content::Total(declared, _) | Content::OfLibrary(declared, _) => declared,
            Content::Part(part) => &part.0,
        }
    }

    /// The value: a single one, or a breakdown of single ones. It is no map and no [`Top`](crate::Top), because
    /// [`Totals::dimensions`] has split these.
    #[must_use]
    pub fn value(&self) -> &DimensionValue {
        match &self.content {
            Content::Total(_, value) => value,
            Content::OfLibrary(_, value) => value,
            Content::Part(part) => &part.1,
        }
    }

    /// The time since when the dimension counts. `None` when it is not known.
    #[must_use]
    pub fn counting_since(&self) -> Option<SystemTime> {
        self.created.known()
    }

    pub(super) fn of_library(
        namespace: &'a Arc<str>,
        entity_id: Option<&'a Arc<str>>,
        declared: &'static DimensionDescriptor,
        value: DimensionValue,
        created: Timestamp,
    ) -> Self {
        let content = Content::OfLibrary(declared, value);
        let (metric, metric_help, is_of_library) = (health::METRIC, "", true);
        Self { namespace, entity_id, metric, metric_help, is_of_library, content, created }
    }

    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn created(&self) -> Timestamp {
        self.created
    }

    /// The declaration and the value, if they stand in the totals as they are.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn in_totals(&self) -> Option<(&'a DimensionDescriptor, &'a DimensionValue)> {
        match self.content {
            Content::Total(declared, value) => Some((declared, value)),
            _ => None,
        }
    }
}

impl Totals {
    /// Every dimension of these totals with its declaration, for an exporter.
    ///
    /// First come the dimensions of the library's own health, which the text names `mvx_metrics_..`, so that no metric takes their
    /// names. Those of the metrics follow, group by group. A value that consists of several is split as in the text: a
    /// [`DimensionValue::map`] into its parts, a [`Top`](crate::Top) into its values and their errors, both also within a breakdown.
    /// Each part has a declaration of its own. A metric without a declaration has no dimensions here.
    ///
    /// Two dimensions of one group may have one name: that of a part may be a name that the metric declares too. Texts, lists and
    /// [`DimensionValue::Empty`] are there as well. The exporter decides what it can show. How many dimensions it leaves out is a
    /// dimension too: [`left_out_by_exporter`](Self::left_out_by_exporter).
    ///
    /// ```
    /// use mvx_metrics::{Breakdown, Counter, DimensionValue, Metric, MetricsRuntime, Scope, Totals, metric_event};
    ///
    /// #[metric_event]
    /// struct Answered {
    ///     status: u16,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(name = "http", on(Answered))]
    /// struct Http {
    ///     answers: Counter,
    ///     #[dimension(by = status, limit = 10)]
    ///     by_status: Breakdown<u16, Counter>,
    /// }
    ///
    /// /// An exporter of one line for each number.
    /// fn lines(totals: &Totals) -> Vec<String> {
    ///     let mut lines = Vec::new();
    ///     for dimension in totals.dimensions() {
    ///         let name = format!("{}.{}", dimension.metric, dimension.declared().name);
    ///         match dimension.value() {
    ///             DimensionValue::Breakdown(entries) => {
    ///                 for entry in entries {
    ///                     let Some(number) = entry.value.as_f64() else { continue };
    ///                     lines.push(format!("{name} {} {number}", entry.labels.join(" ")));
    ///                 }
    ///             }
    ///             value => lines.extend(value.as_f64().map(|number| format!("{name} {number}"))),
    ///         }
    ///     }
    ///     lines
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("server")?;
    /// recorder.metric::<Http>()?;
    /// recorder.emit(Answered { status: 200 });
    /// recorder.emit(Answered { status: 404 });
    ///
    /// let lines = lines(&runtime.totals(Scope::Rollup)?);
    /// assert!(lines.contains(&"mvx_metrics.events_accepted 2".to_owned()));
    /// assert_eq!(lines[lines.len() - 3..], ["http.answers 2", "http.by_status 200 1", "http.by_status 404 1"]);
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn dimensions(&self) -> impl Iterator<Item = DimensionTotals<'_>> + Send {
        let namespaces = self.namespaces.iter();
        let of_namespaces = namespaces.flat_map(|namespace| namespace.health(self.started_at));
        let of_groups = self.groups.iter().flat_map(GroupTotals::health);
        of_namespaces.chain(of_groups).chain(self.groups.iter().flat_map(GroupTotals::dimensions))
    }

    /// The library's dimension `dimensions_left_out`, with the number of dimensions that an exporter leaves out.
    ///
    /// [`left_out`](Self::left_out) has those that the totals themselves do not contain; they count here too, if the exporter says
    /// so.
    #[must_use]
    pub fn left_out_by_exporter(&self, count: usize) -> DimensionTotals<'_> {
        let (declared, value) = health::of_left_out(count);
        DimensionTotals::of_library(&self.namespace, None, declared, value, Timestamp::default())
    }
}

impl GroupTotals {
    /// The dimensions of the metrics of a group.
    pub(crate) fn dimensions(&self) -> impl Iterator<Item = DimensionTotals<'_>> + Send {
        self.values().flat_map(|value| value.whole().into_iter().chain(value.parts()))
    }

    /// Those dimensions that stand in the totals as they are. No part of a value is made for them.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn whole_dimensions(&self) -> impl Iterator<Item = DimensionTotals<'_>> + Send {
        self.values().filter_map(|value| value.whole())
    }

    /// All other dimensions: parts of values, and values that their metrics do not declare.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn parts(&self) -> impl Iterator<Item = DimensionTotals<'_>> + Send {
        self.values().flat_map(|value| value.parts())
    }

    /// The values of all metrics that have a declaration.
    fn values(&self) -> impl Iterator<Item = ValueOfMetric<'_>> + Send {
        self.metrics.iter().flat_map(move |metric| {
            let declaration = metric.declaration.as_ref();
            let values = metric.dimensions.iter().enumerate().filter(move |_| declaration.is_some());
            values.map(move |(at, (name, value))| {
                let declared = declaration.and_then(|declaration| declaration.dimension_at(at, name));
                ValueOfMetric { group: self, metric, name, declared, value }
            })
        })
    }
}

/// A value of a metric, with its declaration if the metric has one for it.
struct ValueOfMetric<'a> {
    group: &'a GroupTotals,
    metric: &'a MetricSnapshot,
    name: &'a str,
    declared: Option<&'a DimensionDescriptor>,
    value: &'a DimensionValue,
}

impl<'a> ValueOfMetric<'a> {
    /// The value itself, if it is a single declared one.
    fn whole(&self) -> Option<DimensionTotals<'a>> {
        let declared = self.declared.filter(|_| !has_parts(self.value))?;
        Some(self.with(Content::Total(declared, self.value)))
    }

    /// What stands in place of a value that is not shown as it is.
    fn parts(&self) -> Vec<DimensionTotals<'a>> {
        let mut parts = Vec::new();
        if self.declared.is_none() || has_parts(self.value) {
            let declared = self.declared.cloned().unwrap_or_else(|| undeclared(self.name));
            for_each_part(&declared, self.value, &mut |declared, value| {
                parts.push(self.with(Content::Part(Box::new((declared, value)))));
            });
        }
        parts
    }

    fn with(&self, content: Content<'a>) -> DimensionTotals<'a> {
        let Self { group, metric, .. } = self;
        let declaration = metric.declaration.as_ref();
        DimensionTotals {
            namespace: &group.namespace,
            entity_id: group.entity_id.as_ref(),
            metric: &metric.name,
            metric_help: declaration.map_or("", |declaration| &declaration.descriptor().help),
            is_of_library: false,
            content,
            created: metric.times.counting_since,
        }
    }
}

/// The descriptor of a value that its metric does not describe.
fn undeclared(name: &str) -> DimensionDescriptor {
    let mut declared = DimensionDescriptor::new("", DimensionKind::Custom);
    declared.name = name.to_owned().into();
    declared
}
