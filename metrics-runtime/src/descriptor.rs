//! Descriptors: what a metric measures, for adapters and for people.

use std::borrow::Cow;

/// The static description of a metric.
///
/// ```
/// use mvx_metrics::{DimensionKind, Metric, Sum, metric_event};
///
/// #[metric_event]
/// struct Read {
///     bytes: u64,
/// }
///
/// /// What was read.
/// #[derive(Metric, Default)]
/// #[metric(name = "disk", on(Read))]
/// struct Disk {
///     /// All bytes.
///     #[dimension(value = bytes, unit = bytes)]
///     read: Sum<u64>,
/// }
///
/// let descriptor = Disk::default().descriptor();
/// assert_eq!((&*descriptor.name, &*descriptor.help), ("disk", "What was read."));
/// let read = &descriptor.dimensions[0];
/// assert_eq!((&*read.name, read.kind, read.unit.as_deref()), ("read", DimensionKind::Sum, Some("bytes")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricDescriptor {
    /// The metric's name.
    pub name: Cow<'static, str>,
    /// The help text, empty when there is none.
    pub help: Cow<'static, str>,
    /// The dimensions in the order of their declaration.
    pub dimensions: Cow<'static, [DimensionDescriptor]>,
}

impl MetricDescriptor {
    /// A descriptor without help and dimensions.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), help: Cow::Borrowed(""), dimensions: Cow::Borrowed(&[]) }
    }

    /// The same descriptor with a help text.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
    }

    /// The same descriptor with these dimensions.
    #[must_use]
    pub fn with_dimensions(mut self, dimensions: impl Into<Cow<'static, [DimensionDescriptor]>>) -> Self {
        self.dimensions = dimensions.into();
        self
    }
}

/// The static description of one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DimensionDescriptor {
    /// The dimension's name within its metric.
    pub name: Cow<'static, str>,
    /// What kind of aggregate the dimension is.
    pub kind: DimensionKind,
    /// The unit of its values, if it has one: `seconds`, `bytes`, ...
    pub unit: Option<Cow<'static, str>>,
    /// The help text, empty when there is none.
    pub help: Cow<'static, str>,
    /// The names of the labels of a breakdown, one for each part of a label: the names of the event fields they come
    /// from. Empty for everything but breakdowns.
    pub labels: Cow<'static, [Cow<'static, str>]>,
    /// How many labels a breakdown over open labels keeps, `other` not included; `None` when the labels bound themselves.
    pub limit: Option<usize>,
    /// How the values of a gauge, or of a custom dimension, combine when several recorders are rolled up.
    pub merge: MergeRule,
}

impl DimensionDescriptor {
    /// A descriptor without unit, help and labels.
    #[must_use]
    pub const fn new(name: &'static str, kind: DimensionKind) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind,
            unit: None,
            help: Cow::Borrowed(""),
            labels: Cow::Borrowed(&[]),
            limit: None,
            merge: MergeRule::Sum,
        }
    }
}

/// How the values of a gauge, or of a custom dimension, combine when several recorders are rolled up; `merge = ..` of
/// `#[dimension]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MergeRule {
    /// They add up.
    #[default]
    Sum,
    /// The smallest one counts.
    Min,
    /// The largest one counts.
    Max,
}

/// The kinds of aggregates a dimension can be; a breakdown is of the kind of its dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DimensionKind {
    /// A count that only grows.
    Counter,
    /// A sum of values.
    Sum,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// An arithmetic mean.
    Mean,
    /// A value that was set last.
    Gauge,
    /// Started minus finished.
    InFlight,
    /// A distribution over buckets.
    Histogram,
    /// An aggregation of the user's own.
    Custom,
}
