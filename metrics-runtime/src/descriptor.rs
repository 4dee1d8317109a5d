//! Descriptors: static descriptions of metrics, for exporters and other adapters.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::number::{Number, NumberType, TimeUnit};

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
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DimensionDescriptor {
    /// The dimension's name within its metric.
    pub name: Cow<'static, str>,
    /// The kind of aggregate.
    pub kind: DimensionKind,
    /// The type of the recorded numbers; `None` where the dimension does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberType>,
    /// The unit of the values, such as `seconds` or `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Cow<'static, str>>,
    /// The help text, empty when there is none.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub help: Cow<'static, str>,
    /// The names of a breakdown's labels, one for each part of a label, as [`by`](macro@crate::Metric#names-of-labels)
    /// names them. Empty for all other dimensions.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub labels: Cow<'static, [Cow<'static, str>]>,
    /// The largest number of labels that a breakdown keeps, `other` not included; `None` when the labels need no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The number of labels that a [`Top`](crate::Top) keeps; `None` for all other dimensions. Values merge also where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<usize>,
    /// The upper bounds of a histogram's buckets, without the last bucket, which has none.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub buckets: Cow<'static, [Number]>,
    /// The largest number of buckets that a histogram with exponential buckets has, zero not included; `None` for all other
    /// dimensions. Histograms with different numbers merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_buckets: Option<usize>,
    /// How the values of several recorders combine. `None` for a dimension of your own that does not say so: it is left out
    /// of totals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergeRule>,
    /// The seconds that the dimension shows, as a [`Recent`](crate::Recent) does: its values may fall. `None` for all dimensions
    /// that forget nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// The number of parts of a breakdown's labels; 0 for all other dimensions.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) parts: usize,
    #[serde(skip)]
    pub(crate) merge_values: MergeValues,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// How values without types of a dimension of the user's own combine. `None` where the dimension's type is not known here, as in
/// a descriptor that was read back.
///
/// It takes no part in comparisons of descriptors.
#[doc(hidden)]
#[derive(Clone, Copy, Default)]
pub struct MergeValues(pub Option<OwnRules>);

/// The rules of a dimension type of the user's own, for `DimensionValue`s. Each leaves its first value as it is, and returns
/// `false`, when a value does not have the form of the type's output.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct OwnRules {
    /// [`Dimension::MERGE`](crate::Dimension::MERGE), if the type has it.
    pub merge: Option<CombineValues>,
    /// [`Dimension::since`](crate::Dimension::since).
    pub since: CombineValues,
    /// Replaces a value by that of an empty [`Recent`](crate::Recent); `None` for other types.
    pub empty: Option<fn(&mut dyn Any)>,
    /// A value in which all numbers are 0; `None` when there is none.
    #[cfg(feature = "catalogue")]
    pub sample: fn() -> Option<Box<dyn Any>>,
}

/// Combines its first value with the second one.
#[doc(hidden)]
pub type CombineValues = fn(&mut dyn Any, &dyn Any) -> bool;

impl PartialEq for MergeValues {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl fmt::Debug for MergeValues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "known" } else { "unknown" })
    }
}

impl DimensionDescriptor {
    /// A descriptor without unit, help and labels. Its merge rule is the kind's own.
    #[must_use]
    pub const fn new(name: &'static str, kind: DimensionKind) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind,
            number: None,
            unit: None,
            help: Cow::Borrowed(""),
            labels: Cow::Borrowed(&[]),
            limit: None,
            keep: None,
            buckets: Cow::Borrowed(&[]),
            max_buckets: None,
            merge: kind.merge_rule(),
            window: None,
            parts: 0,
            merge_values: MergeValues(None),
        }
    }

    /// The rule by which values merge. Only gauges and dimensions of the user's own choose it.
    pub(crate) fn merge_rule(&self) -> Option<MergeRule> {
        match (self.kind, self.merge) {
            _ if self.merge_values.0.is_some() => self.merge,
            (DimensionKind::Gauge | DimensionKind::Custom, rule)
            | (_, rule @ (None | Some(MergeRule::Own))) => rule,
            (kind, Some(_)) => kind.merge_rule(),
        }
    }

    /// Whether the dimension's type is the user's own: then the type alone knows what an interval is.
    pub(crate) fn is_of_own_type(&self) -> bool {
        self.merge_values.0.is_some() || matches!(self.merge, None | Some(MergeRule::Own))
    }

    /// Whether the dimension shows the present and not all that was counted: its values go with their recorder.
    pub(crate) fn shows_present(&self) -> bool {
        self.kind == DimensionKind::Gauge || self.window.is_some()
    }

    /// The unit in which snapshots show durations.
    pub(crate) fn time_unit(&self) -> TimeUnit {
        TimeUnit::of(self.unit.as_deref())
    }

    /// The unit of the numbers in [`DimensionValue::as_f64`](crate::DimensionValue::as_f64) and in the text formats: `seconds` for all
    /// durations, also for those that [`unit`](Self::unit) shows in another unit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mvx_metrics::{Max, Metric, metric_event};
    ///
    /// #[metric_event]
    /// struct Saved {
    ///     elapsed: Duration,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(on(Saved))]
    /// struct Saves {
    ///     #[dimension(value = elapsed, unit = milliseconds)]
    ///     longest: Max<Duration>,
    /// }
    ///
    /// let longest = &Saves::default().descriptor().dimensions[0];
    /// assert_eq!((longest.unit.as_deref(), longest.base_unit()), (Some("milliseconds"), Some("seconds")));
    /// ```
    #[must_use]
    pub fn base_unit(&self) -> Option<&str> {
        let is_time = self.number == Some(NumberType::Duration);
        match TimeUnit::named(self.unit.as_deref()).filter(|_| is_time) {
            Some(_) => Some("seconds"),
            None => self.unit.as_deref(),
        }
    }

    /// The number of parts of a label.
    pub(crate) fn label_parts(&self) -> usize {
        self.parts.max(self.labels.len())
    }

    /// Whether the values are breakdowns: a `Top` has labels, and is one value.
    pub(crate) fn is_breakdown(&self) -> bool {
        self.label_parts() > 0 && self.kind != DimensionKind::Top
    }

    /// What differs so that the values of both do not merge; `None` when they do.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        let is_exponential = |declared: &Self| declared.max_buckets.is_some();
        let differences = [
            (self.kind != other.kind, "kinds"),
            (self.number != other.number, "types of numbers"),
            (self.unit != other.unit, "units"),
            (self.labels != other.labels || self.label_parts() != other.label_parts(), "labels"),
            (self.buckets != other.buckets || is_exponential(self) != is_exponential(other), "buckets"),
            (self.window != other.window, "windows"),
            (self.merge != other.merge, "merge rules"),
        ];
        differences.into_iter().find_map(|(differs, name)| differs.then_some(name))
    }
}

/// How the values of several recorders combine. For gauges and for dimensions of your own, `merge = ..` of `#[dimension]`
/// says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MergeRule {
    /// The values are added up.
    #[default]
    Sum,
    /// The smallest value is kept.
    Min,
    /// The largest value is kept.
    Max,
    /// What both have seen counts once: the rule of [`Distinct`](crate::Distinct), which no field chooses.
    Union,
    /// The dimension's type merges its values itself, by [`Dimension::MERGE`](crate::Dimension::MERGE).
    Own,
}

/// The kind of aggregate of a dimension. A breakdown has the kind of the dimensions inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// How many different values there were.
    Distinct,
    /// The largest labels.
    Top,
    /// A dimension of your own.
    Custom,
}

impl DimensionKind {
    /// The rule by which values of this kind merge, unless the dimension declares another one.
    pub(crate) const fn merge_rule(self) -> Option<MergeRule> {
        match self {
            Self::Counter
            | Self::Sum
            | Self::Mean
            | Self::Gauge
            | Self::InFlight
            | Self::Histogram
            | Self::Top => Some(MergeRule::Sum),
            Self::Min => Some(MergeRule::Min),
            Self::Max => Some(MergeRule::Max),
            Self::Distinct => Some(MergeRule::Union),
            Self::Custom => None,
        }
    }
}
