//! What the code of the macros calls. Not part of the public API.
//!
//! [All options of the macros, with examples](https://docs.rs/mvx-metrics/latest/mvx_metrics/guide/language/index.html).

#[path = "private/const_names.rs"]
mod const_names;
#[path = "private/fields.rs"]
mod fields;
#[path = "private/names.rs"]
mod names;
#[path = "private/per_label.rs"]
pub mod per_label;

use std::borrow::Cow;

pub use std::clone::Clone;
pub use std::cmp::PartialEq;
pub use std::default::Default;
pub use std::fmt::{Debug, Formatter, Result as FmtResult};
pub use std::hash::Hasher;
pub use std::marker::Send;
pub use std::mem::forget;
pub use std::option::Option::{self, None, Some};
pub use std::primitive;
pub use std::result::Result::{self, Ok};
pub use std::string::String;
pub use std::vec::Vec;

pub use serde::de::{Deserialize, Deserializer, MapAccess};
pub use serde::ser::{Serialize, SerializeMap, Serializer};

pub use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MetricDescriptor};
pub use crate::dimension::{
    Add, BucketLayout, Bucketed, BucketedReading, BucketsOf, Count, Dimension, DistinctHash, DistinctValue,
    DurationBounds, DurationStart, EventId, EventTime, NeedsOrder, Record, RecordsDurations, Set, Sub,
    TimeNumber, Weighted, hash_of_label, max_buckets,
};
pub use crate::dispatch::{EventHandler, HandleEvent};
pub use crate::dispatch::{Metric, TypedMetric};
pub use crate::event::MetricEvent;
pub use crate::label::{BoundedLabel, Label, LabelPart, ToLabel};
pub use crate::snapshot::{DimensionValue, Dimensions, Merge, MetricSnapshot, Number, Times, Timestamp};
pub use std::time::SystemTime;

pub use crate::number::TimeUnit;

use crate::dimension::Breakdown;
use crate::dimension::Shape;
use crate::dispatch::{declaration_of_type, no_shard};
use crate::label::is_indexed;
use crate::snapshot::NumberType;

#[path = "private/top.rs"]
mod top;

pub use top::{KeepsLabels, TopByLabel, checked_keep, keeping};

pub use const_names::{assert_label_texts, assert_name, assert_not_invalid, assert_prefix};
pub use fields::{
    AllFields, PartialSnapshot, Prefix, ShownIn, SnapshotFields, WriteField, deserialize, flattened,
    has_fallen, merge, read, read_in, restarted_since, restore, serialize, since, take, write,
};
pub use names::{Names, assert_distinct, order_problem};

#[path = "private/between.rs"]
mod between;

pub use between::{checked_open_limit, id_of_begin, with_open_limit};

/// The type of a field of a typed snapshot.
pub type Output<D> = <D as Dimension>::Output;

/// The type of a field of a typed snapshot that comes from a flattened metric.
pub type Flattened<M> = <M as TypedMetric>::Snapshot;

/// Reads every field of an event, so that rustc does not report a field as dead code that no metric reads yet.
pub trait Facts {
    fn facts(&self) {}
}

/// Calls a closure from an attribute. The bound gives its parameter a type and lets its result borrow from the event.
#[inline]
pub fn with<'a, E, R>(event: &'a E, closure: impl FnOnce(&'a E) -> R) -> R {
    closure(event)
}

/// Like [`with`], for a condition.
#[inline]
pub fn when<'a, E>(event: &'a E, condition: impl FnOnce(&'a E) -> bool) -> bool {
    condition(event)
}

/// An empty dimension with the configuration of this one, for the events of one more thread.
///
/// # Panics
///
/// When the dimension needs all events in one order. Its metric has an `order_problem` then.
#[must_use]
pub fn shard_of<D: Dimension>(dimension: &D) -> D {
    dimension.empty_shard().unwrap_or_else(|| no_shard())
}

/// A breakdown that accepts labels of type `Q`.
#[diagnostic::on_unimplemented(
    message = "`by` without `keep` applies to `Breakdown<L, D>` only, and `{Self}` is not a breakdown",
    label = "`by` of a field that is not a breakdown",
    note = "a `Top<L, D>` also needs `keep = <N>`"
)]
pub trait ByLabel<Q> {
    type Inner;

    fn update_within(
        &mut self,
        label: Q,
        limit: usize,
        update: impl FnOnce(&mut Self::Inner) -> bool,
    ) -> bool;
}

impl<L: Label, D: Default, Q: ToLabel<L>> ByLabel<Q> for Breakdown<L, D> {
    type Inner = D;

    #[inline]
    fn update_within(&mut self, label: Q, limit: usize, update: impl FnOnce(&mut D) -> bool) -> bool {
        Breakdown::update_within(self, label, limit, update)
    }
}

/// The type of a breakdown's labels.
#[diagnostic::on_unimplemented(
    message = "labels without `keep` belong to `Breakdown<L, D>` only, and `{Self}` is not a breakdown",
    label = "not a breakdown"
)]
pub trait HasLabel: Dimension {
    type Label;

    /// Reads the labels that events have had, without zeros.
    fn read_seen(&self) -> Self::Output;

    /// The same without types.
    fn read_seen_value(&self) -> DimensionValue;
}

impl<L: Label, D: Dimension> HasLabel for Breakdown<L, D> {
    type Label = L;

    fn read_seen(&self) -> Self::Output {
        Breakdown::read_seen(self)
    }

    fn read_seen_value(&self) -> DimensionValue {
        Breakdown::read_seen_value(self)
    }
}

/// Whether a label of a derived enum is the variant with this index.
#[must_use]
pub fn is_fixed(parts: &[LabelPart], texts: &[&'static str], index: usize) -> bool {
    matches!((parts, texts.get(index)), ([LabelPart::Fixed(part)], Some(text)) if part == text)
}

/// Adds the text of the variant with this index.
pub fn push_fixed(parts: &mut Vec<LabelPart>, texts: &[&'static str], index: usize) {
    parts.extend(texts.get(index).map(|text| LabelPart::Fixed(text)));
}

/// The limit of a breakdown without the option `limit`: the number of its labels must be fixed.
#[must_use]
pub const fn unlimited<L: BoundedLabel>() -> usize {
    usize::MAX
}

/// The limit in the descriptor of a breakdown by `L`; `None` where each label has a slot of its own.
#[must_use]
#[track_caller]
pub const fn limit<L: Label>(limit: usize) -> Option<usize> {
    assert_limit(limit);
    if is_indexed::<L>() { None } else { Some(limit) }
}

/// Checks the number of labels of a breakdown.
///
/// # Panics
///
/// At compile time, when the number is 0, also that of a parameter:
///
/// ```compile_fail,E0080
/// use mvx_metrics::{Breakdown, Counter, Metric, metric_event};
///
/// #[metric_event]
/// struct Saved {
///     user: String,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Saved))]
/// struct Saves<const N: usize> {
///     #[dimension(by = user, limit = N)]
///     by_user: Breakdown<String, Counter>,
/// }
///
/// Saves::<0>::default().descriptor();
/// ```
#[track_caller]
pub const fn assert_limit(limit: usize) {
    assert!(limit >= 1, "`limit` must be at least 1");
}

/// The descriptor of one dimension. `merge` and `buckets` are those of the field's options.
///
/// # Panics
///
/// At compile time, when the labels do not have one name for each part:
///
/// ```compile_fail,E0080
/// use mvx_metrics::{Breakdown, Counter, Metric, metric_event};
///
/// type Pair = (bool, bool);
///
/// #[metric_event]
/// struct Saved {
///     pair: Pair,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Saved))]
/// struct Saves {
///     #[dimension(by = pair)]
///     by_pair: Breakdown<Pair, Counter>,
/// }
///
/// Saves::default().descriptor();
/// ```
#[must_use]
#[track_caller]
pub const fn describe<D: Dimension>(
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    labels: &'static [Cow<'static, str>],
    limit: Option<usize>,
    merge: Option<MergeRule>,
    buckets: Option<&'static [Number]>,
) -> DimensionDescriptor {
    let unit = match unit {
        Some(unit) => {
            assert_unit::<D>(unit);
            Some(unit)
        }
        None => D::UNIT,
    };
    describe_type(D::KIND, D::SHAPE, name, unit, help, labels, limit, merge, buckets)
}

/// The same for a type of which the kind and the shape are given, with the unit that is to be shown.
#[expect(clippy::too_many_arguments, reason = "the options of a field, and its type")]
#[track_caller]
const fn describe_type(
    kind: DimensionKind,
    shape: Shape,
    name: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
    labels: &'static [Cow<'static, str>],
    limit: Option<usize>,
    merge: Option<MergeRule>,
    buckets: Option<&'static [Number]>,
) -> DimensionDescriptor {
    let Shape { number, parts, max_buckets, merge: own_merge, merge_values, window, .. } = shape;
    let (buckets, max_buckets) = match buckets {
        Some(buckets) => (buckets, None),
        None => (shape.buckets, max_buckets),
    };
    assert_window_of(&shape);
    assert!(
        labels.is_empty() || parts == 0 || labels.len() == parts,
        "`by` does not name each part of the label: write a source for each part, and no tuple inside a tuple"
    );
    let unit = match unit {
        Some(unit) => Some(Cow::Borrowed(unit)),
        None => None,
    };
    // The option is for gauges, and for types of the user's own without `MERGE`. An alias may be of any other type.
    let takes_option = match own_merge {
        Some(_) => matches!(kind, DimensionKind::Gauge) && merge_values.0.is_none(),
        None => true,
    };
    let merge = if takes_option && merge.is_some() { merge } else { own_merge };
    DimensionDescriptor {
        name: Cow::Borrowed(name),
        kind,
        number,
        unit,
        help: Cow::Borrowed(help),
        labels: Cow::Borrowed(labels),
        limit,
        keep: None,
        buckets: Cow::Borrowed(buckets),
        max_buckets,
        merge,
        window,
        parts,
        merge_values,
    }
}

/// A descriptor with the number of the option `max_buckets`.
#[must_use]
pub const fn with_max_buckets(mut declared: DimensionDescriptor, max_buckets: u16) -> DimensionDescriptor {
    declared.max_buckets = Some(max_buckets as usize);
    declared
}

/// Checks the unit of a dimension: that of durations is a unit of time.
///
/// # Panics
///
/// At compile time, when the dimension measures durations in another unit.
#[track_caller]
pub const fn assert_unit<D: Dimension>(unit: &str) {
    if matches!(D::SHAPE.number, Some(NumberType::Duration)) && TimeUnit::named(Some(unit)).is_none() {
        let advice =
            "` is no unit of a `Duration`: write `nanoseconds`, `microseconds`, `milliseconds` or `seconds`";
        const_names::panic_with(&["`", unit, advice]);
    }
}

/// Evaluates the checks of a window.
///
/// # Panics
///
/// At compile time, when its seconds are out of range, or the type inside of it does not merge.
#[track_caller]
pub const fn assert_window<D: Dimension>() {
    assert_window_of(&D::SHAPE);
}

#[track_caller]
const fn assert_window_of(shape: &Shape) {
    if let Some(problem) = shape.problem {
        panic!("{}", problem);
    }
}

/// The name of one label, for [`describe`].
#[must_use]
pub const fn label_name(name: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(name)
}

/// The descriptor of a derived metric.
#[must_use]
pub fn descriptor<M: Fields>(name: &'static str, help: &'static str) -> MetricDescriptor {
    let mut dimensions = Vec::with_capacity(M::DIMENSIONS.len());
    M::describe("", &mut dimensions);
    MetricDescriptor::new(name).with_help(help).with_dimensions(dimensions)
}

/// The descriptor of a derived metric without flattened metrics.
#[must_use]
pub fn own_descriptor<M: Fields>(name: &'static str, help: &'static str) -> MetricDescriptor {
    MetricDescriptor::new(name).with_help(help).with_dimensions(M::DIMENSIONS)
}

/// The snapshot of a derived metric, without types.
#[must_use]
pub fn snapshot<M: Fields>(name: &'static str, metric: &M) -> MetricSnapshot {
    let mut snapshot = MetricSnapshot::of_static(name);
    snapshot.dimensions.reserve(M::DIMENSIONS.len());
    metric.values("", &mut snapshot.dimensions);
    snapshot.invalid = metric.invalid();
    snapshot
}

/// The same with the declaration, where durations are shown in another unit than seconds: without a declaration nothing says so.
#[must_use]
pub fn snapshot_in_units<M: Fields>(name: &'static str, metric: &M) -> MetricSnapshot {
    let mut snapshot = snapshot(name, metric);
    let declaration = declaration_of_type(metric);
    let mut dimensions = declaration.descriptor().dimensions.iter();
    if dimensions.any(|declared| declared.time_unit() != TimeUnit::Seconds) {
        snapshot.declaration = Some(declaration);
    }
    snapshot
}

/// Adds up the dimensions' counts of invalid values.
#[must_use]
pub fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// The dimensions of a derived metric, for its own snapshot and for a metric into which it is flattened.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened: add `#[derive(Metric)]` to it",
    label = "not a derived metric"
)]
pub trait Fields: TypedMetric<Snapshot: SnapshotFields> {
    /// The metric's own dimensions, without those of flattened metrics.
    const DIMENSIONS: &'static [DimensionDescriptor];

    /// The names of all dimensions, with those of flattened metrics.
    const NAMES: Names =
        Names { own: Self::DIMENSIONS, names: &[], flattened: &[], by_label: false, ordered: Self::ORDERED };

    /// The parts of the metric itself that need the events of all threads in one order, as far as its descriptors do not tell.
    const ORDERED: &'static [(&'static str, NeedsOrder)] = &[];

    /// Adds descriptors of all dimensions, with those of flattened metrics, each under its prefixes.
    fn describe(prefix: &str, dimensions: &mut Vec<DimensionDescriptor>) {
        describe_all(prefix, Self::DIMENSIONS, dimensions);
    }

    /// Adds the values of all dimensions, in the same order.
    fn values(&self, prefix: &str, dimensions: &mut Dimensions);

    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    fn invalid(&self) -> u64;
}

/// Adds descriptors under a prefix.
pub fn describe_all(prefix: &str, from: &[DimensionDescriptor], dimensions: &mut Vec<DimensionDescriptor>) {
    dimensions.extend(from.iter().map(|dimension| {
        let mut dimension = dimension.clone();
        if !prefix.is_empty() {
            dimension.name = Cow::Owned(format!("{prefix}{}", dimension.name));
        }
        dimension
    }));
}

/// Adds the value of one dimension.
pub fn push(dimensions: &mut Dimensions, prefix: &str, name: &'static str, value: DimensionValue) {
    dimensions.push(prefixed(prefix, name), value);
}

/// A name under a prefix.
#[must_use]
pub fn prefixed(prefix: &str, name: &'static str) -> Cow<'static, str> {
    if prefix.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{prefix}{name}")) }
}

/// Formats a typed snapshot for `Debug`.
///
/// # Errors
///
/// The formatter's errors.
pub fn debug(formatter: &mut Formatter<'_>, name: &str, fields: &[&str], values: &[&dyn Debug]) -> FmtResult {
    let mut debug = formatter.debug_struct(name);
    for (field, value) in fields.iter().zip(values) {
        debug.field(field, value);
    }
    debug.finish()
}
