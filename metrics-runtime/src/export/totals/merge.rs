//! How two values of the same dimension become one.

use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule};
use crate::dimension::Measure;
use crate::snapshot::{DimensionValue, HistogramSnapshot, Number};

/// How numbers combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Add,
    Min,
    Max,
}

impl Rule {
    pub(super) fn of(dimension: &DimensionDescriptor) -> Self {
        use DimensionKind::{Counter, Custom, Gauge, Histogram, InFlight, Max, Mean, Min, Sum};
        match dimension.kind {
            Min => Self::Min,
            Max => Self::Max,
            Counter | Sum | Mean | InFlight | Histogram => Self::Add,
            Gauge | Custom => match dimension.merge {
                MergeRule::Sum => Self::Add,
                MergeRule::Min => Self::Min,
                MergeRule::Max => Self::Max,
            },
        }
    }

    fn number<T: PartialOrd>(self, into: T, from: T, add: impl FnOnce(T, T) -> T) -> T {
        match self {
            Self::Add => add(into, from),
            Self::Min if from < into => from,
            Self::Max if from > into => from,
            Self::Min | Self::Max => into,
        }
    }
}

/// Whether there can be a total of values of that shape.
pub(super) fn adds_up(value: &DimensionValue) -> bool {
    use DimensionValue::{
        Breakdown, Duration, Empty, Float, Histogram, InFlight, Map, Mean, Signed, Text, Unsigned,
    };
    match value {
        Unsigned(_) | Signed(_) | Float(_) | Duration(_) | Mean { .. } | InFlight { .. } | Histogram(_) => {
            true
        }
        Empty | Text(_) | Map(_) | Breakdown(_) => false,
    }
}

/// Takes a value into another one; `false`, and nothing changes, when they are not of the same shape.
pub(super) fn merge(rule: Rule, into: &mut DimensionValue, from: &DimensionValue) -> bool {
    use DimensionValue::{Duration, Empty, Float, Histogram, InFlight, Mean, Signed, Unsigned};
    match (&mut *into, from) {
        (_, Empty) => {}
        (Empty, _) => *into = from.clone(),
        (Unsigned(into), Unsigned(from)) => *into = rule.number(*into, *from, u64::saturating_add),
        (Signed(into), Signed(from)) => *into = rule.number(*into, *from, i64::saturating_add),
        (Float(into), Float(from)) => *into = rule.number(*into, *from, sum),
        (Duration(into), Duration(from)) => {
            *into = rule.number(*into, *from, std::time::Duration::saturating_add);
        }
        (Mean { sum, count }, Mean { sum: more, count: times }) => {
            *sum = self::sum(*sum, *more);
            *count = count.saturating_add(*times);
        }
        (InFlight { started, finished }, InFlight { started: begun, finished: ended }) => {
            *started = started.saturating_add(*begun);
            *finished = finished.saturating_add(*ended);
        }
        (Histogram(into), Histogram(from)) => return merge_histogram(into, from),
        _ => return false,
    }
    true
}

/// Makes a value that only grows as large as another one; `false`, and nothing changes, when they are not of the same shape.
pub(super) fn grown(value: &mut DimensionValue, least: &DimensionValue) -> bool {
    match (value, least) {
        (DimensionValue::Histogram(histogram), DimensionValue::Histogram(least)) => {
            if !same_bounds(histogram, least) {
                return false;
            }
            for (bucket, least) in histogram.buckets.iter_mut().zip(&least.buckets) {
                bucket.count = bucket.count.max(least.count);
            }
            histogram.count =
                histogram.buckets.iter().fold(0, |sum, bucket| sum.saturating_add(bucket.count));
            histogram.sum = combined(Rule::Max, histogram.sum, least.sum).unwrap_or(histogram.sum);
            histogram.min = extremum(Rule::Min, histogram.min, least.min);
            histogram.max = extremum(Rule::Max, histogram.max, least.max);
        }
        (value, least) => return merge(Rule::Max, value, least),
    }
    true
}

fn same_bounds(one: &HistogramSnapshot<Number>, other: &HistogramSnapshot<Number>) -> bool {
    one.buckets.len() == other.buckets.len()
        && one.buckets.iter().zip(&other.buckets).all(|(one, other)| one.upper_bound == other.upper_bound)
}

fn merge_histogram(into: &mut HistogramSnapshot<Number>, from: &HistogramSnapshot<Number>) -> bool {
    if !same_bounds(into, from) {
        return false;
    }
    let Some(sum) = combined(Rule::Add, into.sum, from.sum) else {
        return false;
    };
    into.sum = sum;
    into.count = into.count.saturating_add(from.count);
    into.min = extremum(Rule::Min, into.min, from.min);
    into.max = extremum(Rule::Max, into.max, from.max);
    for (into, from) in into.buckets.iter_mut().zip(&from.buckets) {
        into.count = into.count.saturating_add(from.count);
    }
    true
}

fn extremum(rule: Rule, into: Option<Number>, from: Option<Number>) -> Option<Number> {
    match (into, from) {
        (Some(into), Some(from)) => combined(rule, into, from).or(Some(into)),
        (into, from) => into.or(from),
    }
}

fn combined(rule: Rule, into: Number, from: Number) -> Option<Number> {
    use Number::{Duration, Float, Signed, Unsigned};
    Some(match (into, from) {
        (Unsigned(into), Unsigned(from)) => Unsigned(rule.number(into, from, u64::saturating_add)),
        (Signed(into), Signed(from)) => Signed(rule.number(into, from, i64::saturating_add)),
        (Float(into), Float(from)) => Float(rule.number(into, from, sum)),
        (Duration(into), Duration(from)) => {
            Duration(rule.number(into, from, std::time::Duration::saturating_add))
        }
        _ => return None,
    })
}

/// The sum, which saturates unless a dimension of the user's own came with an infinity.
fn sum(into: f64, from: f64) -> f64 {
    if into.is_finite() && from.is_finite() { into.plus(from) } else { into + from }
}
