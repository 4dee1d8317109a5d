//! Descriptors: static descriptions of metrics, for exporters and other adapters.

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
/// /// Bytes read from disk.
/// #[derive(Metric, Default)]
/// #[metric(name = "disk", on(Read))]
/// struct Disk {
///     /// All bytes.
///     #[dimension(value = bytes, unit = bytes)]
///     read: Sum<u64>,
/// }
///
/// let descriptor = Disk::default().descriptor();
/// assert_eq!((&*descriptor.name, &*descriptor.help), ("disk", "Bytes read from disk."));
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

    /// Sets the help text.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
    }

    /// Sets the dimensions.
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
    /// The kind of aggregate.
    pub kind: DimensionKind,
    /// The unit of the values, such as `seconds` or `bytes`.
    pub unit: Option<Cow<'static, str>>,
    /// The help text, empty when there is none.
    pub help: Cow<'static, str>,
    /// The names of a breakdown's labels, one for each part of a label. They are the names of the event's fields that the
    /// labels come from. Empty for all other dimensions.
    pub labels: Cow<'static, [Cow<'static, str>]>,
    /// The largest number of labels that a breakdown keeps, `other` not included; `None` when the labels need no limit.
    pub limit: Option<usize>,
    /// How a gauge, or a dimension of your own, is combined when several recorders are rolled up.
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

/// How a gauge, or a dimension of your own, is combined when several recorders are rolled up: `merge = ..` of
/// `#[dimension]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MergeRule {
    /// The values are added up.
    #[default]
    Sum,
    /// The smallest value is kept.
    Min,
    /// The largest value is kept.
    Max,
}

/// The kind of aggregate of a dimension. A breakdown has the kind of the dimensions inside it.
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
    /// The value that was set last.
    Gauge,
    /// Started minus finished.
    InFlight,
    /// A distribution over buckets.
    Histogram,
    /// A dimension of your own.
    Custom,
}
