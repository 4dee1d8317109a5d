//! Aggregates: the values of dimensions that are more than one number, and all that they can do without their declaration.

use super::distinct::DistinctSnapshot;
use super::extreme::Extreme;
use super::histogram::{BucketRange, Buckets, HistogramSnapshot};
use super::mean::{InFlightSnapshot, MeanSnapshot};
use super::merge::Merge;
use super::top::TopSnapshot;
use super::value::{DimensionValue, Dimensions};
use crate::descriptor::DimensionKind;
use crate::number::{Number, NumberType};

/// A value of several numbers. [`for_aggregate`] and [`for_aggregates`] list the types that implement it.
pub(crate) trait Aggregate: Merge + Clone {
    /// The kind of a dimension with such values.
    const KIND: DimensionKind;

    /// The type of its numbers; `None` where there is but one.
    fn number_type(&self) -> Option<NumberType>;

    /// Whether both values combine.
    fn has_form_of(&self, other: &Self) -> bool;

    /// What was recorded after `earlier`; the whole value where it does not tell.
    fn interval(&self, earlier: &Self) -> Self;

    /// Whether counting began anew after `earlier`.
    fn has_fallen(&self, earlier: &Self) -> bool;

    /// Whether nothing was recorded.
    fn is_zero(&self) -> bool;

    /// The value of the same form in which nothing was recorded.
    fn zero(&self) -> Self;

    /// Whether its numbers only grow.
    fn never_falls(&self) -> bool;

    /// Raises numbers that are lower than in `earlier`. Called only where the value never falls.
    fn raise(&mut self, earlier: &Self);

    /// The form that it is read as.
    fn plain(&self) -> DimensionValue;
}

/// Runs code with the aggregate in a value, or other code when there is none.
macro_rules! for_aggregate {
    ($value:expr, |$aggregate:ident| $code:expr, else $otherwise:expr) => {
        match $value {
            $crate::snapshot::DimensionValue::Mean($aggregate) => $code,
            $crate::snapshot::DimensionValue::InFlight($aggregate) => $code,
            $crate::snapshot::DimensionValue::Histogram($aggregate) => $code,
            $crate::snapshot::DimensionValue::Distinct($aggregate) => $code,
            $crate::snapshot::DimensionValue::Top($aggregate) => $code,
            _ => $otherwise,
        }
    };
}
pub(crate) use for_aggregate;

/// Runs code with the aggregates of one type in two values, or other code when there are none.
macro_rules! for_aggregates {
    ($one:expr, $other:expr, |$left:ident, $right:ident| $code:expr, else $otherwise:expr) => {
        match ($one, $other) {
            (
                $crate::snapshot::DimensionValue::Mean($left),
                $crate::snapshot::DimensionValue::Mean($right),
            ) => $code,
            (
                $crate::snapshot::DimensionValue::InFlight($left),
                $crate::snapshot::DimensionValue::InFlight($right),
            ) => $code,
            (
                $crate::snapshot::DimensionValue::Histogram($left),
                $crate::snapshot::DimensionValue::Histogram($right),
            ) => $code,
            (
                $crate::snapshot::DimensionValue::Distinct($left),
                $crate::snapshot::DimensionValue::Distinct($right),
            ) => $code,
            ($crate::snapshot::DimensionValue::Top($left), $crate::snapshot::DimensionValue::Top($right)) => {
                $code
            }
            _ => $otherwise,
        }
    };
}
pub(crate) use for_aggregates;

impl Aggregate for MeanSnapshot<Number> {
    const KIND: DimensionKind = DimensionKind::Mean;

    fn number_type(&self) -> Option<NumberType> {
        Some(self.sum.number_type())
    }

    fn has_form_of(&self, other: &Self) -> bool {
        self.sum.number_type() == other.sum.number_type()
    }

    fn interval(&self, earlier: &Self) -> Self {
        self.since(earlier)
    }

    fn has_fallen(&self, earlier: &Self) -> bool {
        self.count < earlier.count
    }

    fn is_zero(&self) -> bool {
        self.count == 0
    }

    fn zero(&self) -> Self {
        self.since(self)
    }

    fn never_falls(&self) -> bool {
        matches!(self.sum, Number::Unsigned(_) | Number::Duration(_))
    }

    fn raise(&mut self, earlier: &Self) {
        self.count = self.count.max(earlier.count);
        if earlier.sum > self.sum {
            self.sum = earlier.sum;
        }
    }

    fn plain(&self) -> DimensionValue {
        DimensionValue::map([("sum", self.sum.into()), ("count", self.count.into())])
    }
}

impl Aggregate for InFlightSnapshot {
    const KIND: DimensionKind = DimensionKind::InFlight;

    fn number_type(&self) -> Option<NumberType> {
        None
    }

    fn has_form_of(&self, _other: &Self) -> bool {
        true
    }

    fn interval(&self, earlier: &Self) -> Self {
        self.since(earlier)
    }

    fn has_fallen(&self, earlier: &Self) -> bool {
        self.started < earlier.started || self.finished < earlier.finished
    }

    fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    fn zero(&self) -> Self {
        Self::default()
    }

    /// Both counts grow, but the value that is shown is their difference.
    fn never_falls(&self) -> bool {
        false
    }

    fn raise(&mut self, _earlier: &Self) {}

    fn plain(&self) -> DimensionValue {
        DimensionValue::map([("started", self.started.into()), ("finished", self.finished.into())])
    }
}

impl Aggregate for HistogramSnapshot<Number> {
    const KIND: DimensionKind = DimensionKind::Histogram;

    fn number_type(&self) -> Option<NumberType> {
        Some(self.sum.number_type())
    }

    fn has_form_of(&self, other: &Self) -> bool {
        self.sum.number_type() == other.sum.number_type() && self.has_buckets_of(other)
    }

    fn interval(&self, earlier: &Self) -> Self {
        self.since(earlier)
    }

    fn has_fallen(&self, earlier: &Self) -> bool {
        self.has_fallen_since(earlier)
    }

    fn is_zero(&self) -> bool {
        self.count == 0
    }

    fn zero(&self) -> Self {
        self.since(self)
    }

    fn never_falls(&self) -> bool {
        true
    }

    fn raise(&mut self, earlier: &Self) {
        self.raise_to(earlier);
    }

    fn plain(&self) -> DimensionValue {
        let number = |number: Number| DimensionValue::from(number);
        let extreme = |extreme: Extreme<Number>| DimensionValue::from(extreme);
        let mut fields = Dimensions::default();
        fields.push("count", self.count);
        fields.push("sum", number(self.sum));
        fields.push("min", extreme(self.min));
        fields.push("max", extreme(self.max));
        match &self.buckets {
            Buckets::Explicit(buckets) => {
                let buckets = buckets.iter().map(|bucket| {
                    let bound = bucket.upper_bound.map_or(DimensionValue::Empty, number);
                    DimensionValue::map([("up_to", bound), ("count", bucket.count.into())])
                });
                fields.push("buckets", DimensionValue::List(buckets.collect()));
            }
            Buckets::Exponential(buckets) => {
                let range = |range: &BucketRange| {
                    let offset = DimensionValue::Signed(range.offset.into());
                    DimensionValue::map([("offset", offset), ("counts", range.counts.clone().into())])
                };
                fields.push("scale", i64::from(buckets.scale));
                fields.push("zero", buckets.zero);
                fields.push("positive", range(&buckets.positive));
                fields.push("negative", range(&buckets.negative));
            }
        }
        DimensionValue::Map(fields)
    }
}

impl Aggregate for DistinctSnapshot {
    const KIND: DimensionKind = DimensionKind::Distinct;

    fn number_type(&self) -> Option<NumberType> {
        None
    }

    fn has_form_of(&self, _other: &Self) -> bool {
        true
    }

    /// Two unions do not tell which values are new.
    fn interval(&self, _earlier: &Self) -> Self {
        self.clone()
    }

    fn has_fallen(&self, earlier: &Self) -> bool {
        self.has_fallen_since(earlier)
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn zero(&self) -> Self {
        Self::default()
    }

    fn never_falls(&self) -> bool {
        true
    }

    fn raise(&mut self, earlier: &Self) {
        self.merge(earlier);
    }

    fn plain(&self) -> DimensionValue {
        let registers = DimensionValue::Text(self.registers());
        DimensionValue::map([("estimate", self.estimate().into()), ("registers", registers)])
    }
}

impl Aggregate for TopSnapshot<(), Number> {
    const KIND: DimensionKind = DimensionKind::Top;

    fn number_type(&self) -> Option<NumberType> {
        Some(self.unseen().number_type())
    }

    fn has_form_of(&self, other: &Self) -> bool {
        self.unseen().number_type() == other.unseen().number_type()
    }

    /// The labels of an interval are not the difference: a label that was not kept may have had more.
    fn interval(&self, _earlier: &Self) -> Self {
        self.clone()
    }

    /// A label that is gone was replaced by a larger one.
    fn has_fallen(&self, _earlier: &Self) -> bool {
        false
    }

    fn is_zero(&self) -> bool {
        self.is_empty()
    }

    fn zero(&self) -> Self {
        self.emptied()
    }

    fn never_falls(&self) -> bool {
        true
    }

    /// The texts show gauges, so the labels that can be read stand alone.
    fn raise(&mut self, _earlier: &Self) {}

    fn plain(&self) -> DimensionValue {
        let number = |number: Number| DimensionValue::from(number);
        let entries = self.iter().map(|entry| {
            let labels: Vec<String> = entry.labels.iter().map(|text| text.clone().into_owned()).collect();
            DimensionValue::map([
                ("labels", labels.into()),
                ("value", number(entry.value)),
                ("error", number(entry.error)),
            ])
        });
        let entries: Vec<DimensionValue> = entries.collect();
        DimensionValue::map([
            ("keep", (self.keep() as u64).into()),
            ("unseen", number(self.unseen())),
            ("entries", entries.into()),
        ])
    }
}
