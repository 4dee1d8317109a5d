//! Dimensions: the state in the fields of a metric, and the ways in which events update it.

mod breakdown;
mod buckets;
mod counter;
mod distinct;
mod extremum;
mod from_unit;
mod gauge;
mod histogram;
mod in_flight;
mod label_table;
mod mean;
mod measure;
mod needs_order;
mod recent;
#[cfg(feature = "catalogue")]
mod sample;
mod sum;
mod top;

use std::any::Any;

use serde::Deserialize;
use serde::de::value::Error as ReadError;

use crate::descriptor::{
    CombineValues, DimensionDescriptor, DimensionKind, MergeRule, MergeValues, OwnRules,
};
use crate::snapshot::{
    DeserializeOutput, DimensionValue, Number, NumberType, Output, ValueDeserializer, merge_plain_values,
};

pub use breakdown::Breakdown;
pub(crate) use buckets::append;
#[doc(hidden)]
pub use buckets::{BucketsOf, DurationBounds, DurationStart, max_buckets};
pub use counter::Counter;
#[doc(hidden)]
pub use distinct::hash_of_label;
pub use distinct::{Distinct, DistinctHash, DistinctValue};
pub use extremum::{Max, Min};
pub use from_unit::TimeNumber;
pub use gauge::Gauge;
#[doc(hidden)]
pub use histogram::{BucketLayout, Bucketed, BucketedReading, IdKind};
pub use histogram::{EqualTo, EventId, EventTime, Histogram, IdHasher, RecordsDurations};
pub use in_flight::InFlight;
pub use mean::Mean;
pub use measure::{
    FromBool, FromNonZero, FromNumber, FromResult, FromSigned, FromText, FromWide, GaugeValue, IntoMeasure,
    Measure,
};
#[doc(hidden)]
pub use needs_order::NeedsOrder;
pub use recent::Recent;
pub use sum::Sum;
pub use top::{Top, Weighted};

/// State that events update and a snapshot shows: the type of a field under `#[derive(Metric)]`.
///
/// [`Counter`], [`Sum`] and the other dimension types implement it. A type of your own becomes a dimension with this
/// trait and a trait in [`feed`](crate::feed). The traits in `feed` say how events update it:
///
/// ```
/// use mvx_metrics::feed::{IntoMeasure, Record};
/// use mvx_metrics::{Dimension, DimensionKind, DimensionValue, Metric, metric_event};
///
/// /// The number of times the value was larger than the one before it.
/// #[derive(Default)]
/// struct Rises {
///     last: Option<f64>,
///     rises: u64,
/// }
///
/// impl Dimension for Rises {
///     type Output = u64;
///     const KIND: DimensionKind = DimensionKind::Custom;
///
///     fn read(&self) -> u64 {
///         self.rises
///     }
///
///     fn value(rises: u64) -> DimensionValue {
///         rises.into()
///     }
///
///     const MERGE: Option<fn(&mut u64, &u64)> = Some(|rises, others| *rises += others);
/// }
///
/// impl<V: IntoMeasure<f64>> Record<V> for Rises {
///     fn record(&mut self, value: V) -> bool {
///         let Some(value) = value.into_measure() else { return false };
///         self.rises += u64::from(self.last.is_some_and(|last| value > last));
///         self.last = Some(value);
///         true
///     }
/// }
///
/// #[metric_event]
/// struct Sampled {
///     load: f64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Sampled))]
/// struct Load {
///     #[dimension(value = load)]
///     rises: Rises,
/// }
///
/// let mut metric = Load::default();
/// for load in [0.1, 0.4, 0.3, 0.9] {
///     metric.handle_event((&Sampled { load }).into());
/// }
/// assert_eq!(metric.rises.read(), 2);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric dimension: use `Counter`, `Sum<T>`, .., or `#[dimension(skip)]`; for a field that is a metric `#[dimension(flatten)]`",
    label = "not a dimension",
    note = "a type of your own becomes one with `impl Dimension for {Self}`"
)]
pub trait Dimension: Sized + Send + 'static {
    /// The type of the dimension's field in the typed snapshot.
    type Output: Output;

    /// The kind of aggregate, for exporters.
    const KIND: DimensionKind;

    /// The unit that the type itself implies, such as `seconds` for durations.
    const UNIT: Option<&'static str> = None;

    /// How the outputs of two recorders merge: it adds the second one to the first one.
    ///
    /// Without it, and without the option `merge` on the field, the dimension is left out of totals over several recorders. A
    /// merged snapshot then keeps the first output. Where an output is a [`Merge`](crate::Merge), write
    /// `Some(Merge::merge)`. The form that [`value`](Dimension::value) returns must be the one that the output serialises as.
    #[expect(clippy::type_complexity, reason = "the type says it all")]
    const MERGE: Option<fn(&mut Self::Output, &Self::Output)> = None;

    #[doc(hidden)]
    const SHAPE: Shape = Shape::of_own_type::<Self>();

    /// The current state for the typed snapshot.
    fn read(&self) -> Self::Output;

    /// The same output for the snapshot without types.
    fn value(output: Self::Output) -> DimensionValue;

    /// The current state for the snapshot without types.
    #[doc(hidden)]
    fn read_value(&self) -> DimensionValue {
        Self::value(self.read())
    }

    /// The output of the interval between two reads. By default it is the later output.
    fn since(later: &Self::Output, earlier: &Self::Output) -> Self::Output {
        let _ = earlier;
        later.clone()
    }

    /// How many values could not be recorded: numbers that are not finite, and ids that only began or only ended.
    fn invalid(&self) -> u64 {
        0
    }

    /// Merges by the option `merge` of the field, or as the type declares. Returns `false` when neither says how.
    #[doc(hidden)]
    fn merge_outputs(output: &mut Self::Output, other: &Self::Output, rule: Option<MergeRule>) -> bool {
        match (Self::MERGE, rule) {
            (Some(merge), _) => {
                merge(output, other);
                true
            }
            (None, Some(rule)) => {
                output.merge_by_rule(other, rule) || merge_by_form::<Self>(output, other, rule)
            }
            (None, None) => false,
        }
    }

    /// Adds an output of a later time: what a [`Recent`] of this type shows over both times.
    #[doc(hidden)]
    fn merge_in_time(output: &mut Self::Output, later: &Self::Output) {
        Self::merge_outputs(output, later, None);
    }

    /// A dimension without values that has the buckets of this one: the next part of a [`Recent`]. `None` where there is nothing to
    /// take over.
    #[doc(hidden)]
    #[must_use]
    fn emptied(&self) -> Option<Self> {
        None
    }

    /// An empty dimension with the configuration of this one, for the events of one more thread. `None` where the type needs all events
    /// in one order.
    #[doc(hidden)]
    #[must_use]
    fn empty_shard(&self) -> Option<Self> {
        None
    }

    /// Takes over all that a shard has recorded: the state is then as if this dimension had got the shard's events itself. The shard is
    /// not used afterwards.
    #[doc(hidden)]
    fn absorb_shard(&mut self, shard: &mut Self) {
        let _ = shard;
    }

    /// Whether an output that only grows is lower than it was.
    #[doc(hidden)]
    fn has_fallen(later: &Self::Output, earlier: &Self::Output) -> bool {
        let _ = (later, earlier);
        false
    }

    /// The output of a label that no event has had yet; `None` when such a label is not shown.
    #[doc(hidden)]
    #[must_use]
    fn zero() -> Option<Self::Output> {
        None
    }

    /// Whether a label with this output may vanish although nothing began to count anew.
    #[doc(hidden)]
    fn may_vanish(output: &Self::Output) -> bool {
        Self::zero().as_ref() == Some(output)
    }
}

/// What a dimension's type says about its values, for its descriptor.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub number: Option<NumberType>,
    /// The number of parts of a breakdown's labels.
    pub parts: usize,
    pub buckets: &'static [Number],
    /// The most exponential buckets without the options `buckets` and `max_buckets`; `None` where there are none.
    pub max_buckets: Option<usize>,
    /// The rule without the option `merge`.
    pub merge: Option<MergeRule>,
    pub merge_values: MergeValues,
    /// The seconds of a [`Recent`].
    pub window: Option<u64>,
    /// Why the type cannot be used.
    pub problem: Option<&'static str>,
    /// Why the type needs the events of all threads in one order.
    pub needs_order: Option<NeedsOrder>,
}

impl Shape {
    /// The shape of a type of this crate.
    pub(crate) const fn new(kind: DimensionKind, number: Option<NumberType>) -> Self {
        Self {
            number,
            parts: 0,
            buckets: &[],
            max_buckets: None,
            merge: kind.merge_rule(),
            merge_values: MergeValues(None),
            window: None,
            problem: None,
            needs_order: NeedsOrder::of_kind(kind),
        }
    }

    /// The shape of a breakdown of this type by labels of so many parts.
    pub(crate) const fn of_breakdown(self, parts: usize, kind: DimensionKind) -> Self {
        assert!(
            !matches!(kind, DimensionKind::Top),
            "a breakdown of a `Top`: use a `Top` by a tuple of labels, `by(a, b)`"
        );
        Self { parts, ..self }
    }

    const fn of_own_type<D: Dimension>() -> Self {
        let (merge, merge_values): (_, Option<CombineValues>) = match D::MERGE {
            Some(_) => (Some(MergeRule::Own), Some(merge_values_of::<D>)),
            None => (None, None),
        };
        let rules = OwnRules {
            merge: merge_values,
            since: since_values_of::<D>,
            empty: None,
            #[cfg(feature = "catalogue")]
            sample: sample::sample_of::<D>,
        };
        let number = <D::Output as Output>::NUMBER;
        let needs_order = Some(NeedsOrder::OwnType);
        let shape = Self::new(DimensionKind::Custom, number);
        Self { merge, merge_values: MergeValues(Some(rules)), needs_order, ..shape }
    }
}

/// Merges two values by the `MERGE` of their type.
fn merge_values_of<D: Dimension>(into: &mut dyn Any, from: &dyn Any) -> bool {
    let Some(merge) = D::MERGE else { return false };
    combine_values::<D>(into, from, |mut output, other| {
        merge(&mut output, &other);
        output
    })
}

/// Merges two outputs that are no numbers by the form that they have without types: a map merges value by value.
fn merge_by_form<D: Dimension>(output: &mut D::Output, other: &D::Output, rule: MergeRule) -> bool {
    let mut declared = DimensionDescriptor::new("", DimensionKind::Custom);
    declared.merge = Some(rule);
    let mut merged = D::value(output.clone());
    if !merge_plain_values(&declared, &mut merged, &D::value(other.clone())) {
        return false;
    }
    let read = read_output(&merged);
    let is_read = read.is_some();
    if let Some(read) = read {
        *output = read;
    }
    is_read
}

fn read_output<R: Output>(value: &DimensionValue) -> Option<R> {
    let read = DeserializeOutput::<R>::deserialize(ValueDeserializer::<ReadError>::of(value));
    read.ok().map(|DeserializeOutput(output)| output)
}

/// Leaves in a value only the records after an earlier one, by the `since` of their type.
fn since_values_of<D: Dimension>(later: &mut dyn Any, earlier: &dyn Any) -> bool {
    combine_values::<D>(later, earlier, |later, earlier| D::since(&later, &earlier))
}

fn combine_values<D: Dimension>(
    into: &mut dyn Any,
    other: &dyn Any,
    combine: impl FnOnce(D::Output, D::Output) -> D::Output,
) -> bool {
    let (Some(into), Some(other)) = (into.downcast_mut(), other.downcast_ref()) else { return false };
    let (Some(output), Some(other)) = (read_output(into), read_output(other)) else { return false };
    *into = D::value(combine(output, other));
    true
}

/// A dimension that each event updates without a value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not count events: add `#[dimension(value = <event field>)]`, for a field that is a metric `#[dimension(flatten)]`, for other data `#[dimension(skip)]`",
    label = "cannot be updated by the event alone"
)]
pub trait Count: Dimension {
    /// Counts one event. `false` means that the state has not changed.
    fn count(&mut self) -> bool;
}

/// A dimension that `value = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `value`",
    label = "`value` does not fit this dimension",
    note = "a breakdown of a metric has no `value`: each dimension of the metric has its own",
    note = "a dimension of your own takes it with `impl Record<V> for {Self}`"
)]
pub trait Record<V> {
    /// Records one value. `false` means that the state has not changed.
    fn record(&mut self, value: V) -> bool;
}

/// A dimension that `add` or `add = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `add`",
    label = "`add` does not fit this dimension",
    note = "a dimension of your own takes it with `impl Add<V> for {Self}`"
)]
pub trait Add<V> {
    /// Adds an amount. `false` means that the state has not changed.
    fn add(&mut self, amount: V) -> bool;
}

/// A dimension that `sub` or `sub = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `sub`",
    label = "`sub` does not fit this dimension",
    note = "a dimension of your own takes it with `impl Sub<V> for {Self}`"
)]
pub trait Sub<V> {
    /// Subtracts an amount. `false` means that the state has not changed.
    fn sub(&mut self, amount: V) -> bool;
}

/// A dimension that `set = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `set`",
    label = "`set` does not fit this dimension",
    note = "a dimension of your own takes it with `impl Set<V> for {Self}`"
)]
pub trait Set<V> {
    /// Sets the value. `false` means that the state has not changed.
    fn set(&mut self, value: V) -> bool;
}
