//! Merging two values of one dimension.

use crate::descriptor::{DimensionDescriptor, DimensionKind, MergeRule};
use crate::dimension::Measure;
use crate::snapshot::{DimensionValue, HistogramSnapshot, Number};

/// The rule by which the values of a dimension merge. Only gauges and custom values obey the declared one.
pub(super) fn merge_rule(dimension: &DimensionDescriptor) -> MergeRule {
    use DimensionKind::{Counter, Custom, Gauge, Histogram, InFlight, Max, Mean, Min, Sum};
    match dimension.kind {
        Min => MergeRule::Min,
        Max => MergeRule::Max,
        Counter | Sum | Mean | InFlight | Histogram => MergeRule::Sum,
        Gauge | Custom => dimension.merge,
    }
}

/// Whether values of this shape can be merged.
pub(super) fn is_mergeable(value: &DimensionValue) -> bool {
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

/// Merges `from` into `into`. Returns `false`, and changes nothing, when their shapes differ.
pub(super) fn merge(rule: MergeRule, into: &mut DimensionValue, from: &DimensionValue) -> bool {
    use DimensionValue::{Duration, Empty, Float, Histogram, InFlight, Mean, Signed, Unsigned};
    match (&mut *into, from) {
        (_, Empty) => {}
        (Empty, _) => *into = from.clone(),
        (Unsigned(into), Unsigned(from)) => *into = combine(rule, *into, *from, u64::saturating_add),
        (Signed(into), Signed(from)) => *into = combine(rule, *into, *from, i64::saturating_add),
        (Float(into), Float(from)) => *into = combine(rule, *into, *from, saturating_sum),
        (Duration(into), Duration(from)) => {
            *into = combine(rule, *into, *from, std::time::Duration::saturating_add);
        }
        (Mean { sum, count }, Mean { sum: from_sum, count: from_count }) => {
            *sum = saturating_sum(*sum, *from_sum);
            *count = count.saturating_add(*from_count);
        }
        (InFlight { started, finished }, InFlight { started: from_started, finished: from_finished }) => {
            *started = started.saturating_add(*from_started);
            *finished = finished.saturating_add(*from_finished);
        }
        (Histogram(into), Histogram(from)) => return merge_histogram(into, from),
        _ => return false,
    }
    true
}

/// Raises a counter or histogram to at least the value of `least`. Returns `false`, and changes nothing, when their shapes differ.
pub(super) fn max_merge(value: &mut DimensionValue, least: &DimensionValue) -> bool {
    match (value, least) {
        (DimensionValue::Histogram(histogram), DimensionValue::Histogram(least)) => {
            max_merge_histogram(histogram, least)
        }
        (value, least) => merge(MergeRule::Max, value, least),
    }
}

fn merge_histogram(into: &mut HistogramSnapshot<Number>, from: &HistogramSnapshot<Number>) -> bool {
    if !has_same_bounds(into, from) {
        return false;
    }
    let Some(sum) = combine_numbers(MergeRule::Sum, into.sum, from.sum) else {
        return false;
    };
    into.sum = sum;
    into.count = into.count.saturating_add(from.count);
    merge_extremes(into, from);
    for (into, from) in into.buckets.iter_mut().zip(&from.buckets) {
        into.count = into.count.saturating_add(from.count);
    }
    true
}

/// Raises bucket by bucket, so that the count still is the sum of the buckets.
fn max_merge_histogram(histogram: &mut HistogramSnapshot<Number>, least: &HistogramSnapshot<Number>) -> bool {
    if !has_same_bounds(histogram, least) {
        return false;
    }
    for (bucket, least) in histogram.buckets.iter_mut().zip(&least.buckets) {
        bucket.count = bucket.count.max(least.count);
    }
    histogram.count = histogram.buckets.iter().fold(0, |sum, bucket| sum.saturating_add(bucket.count));
    histogram.sum = combine_numbers(MergeRule::Max, histogram.sum, least.sum).unwrap_or(histogram.sum);
    merge_extremes(histogram, least);
    true
}

fn has_same_bounds(one: &HistogramSnapshot<Number>, other: &HistogramSnapshot<Number>) -> bool {
    one.buckets.len() == other.buckets.len()
        && one.buckets.iter().zip(&other.buckets).all(|(one, other)| one.upper_bound == other.upper_bound)
}

fn merge_extremes(into: &mut HistogramSnapshot<Number>, from: &HistogramSnapshot<Number>) {
    into.min = merge_extreme(MergeRule::Min, into.min, from.min);
    into.max = merge_extreme(MergeRule::Max, into.max, from.max);
}

fn merge_extreme(rule: MergeRule, into: Option<Number>, from: Option<Number>) -> Option<Number> {
    match (into, from) {
        (Some(into), Some(from)) => combine_numbers(rule, into, from).or(Some(into)),
        (into, from) => into.or(from),
    }
}

fn combine_numbers(rule: MergeRule, one: Number, other: Number) -> Option<Number> {
    use Number::{Duration, Float, Signed, Unsigned};
    Some(match (one, other) {
        (Unsigned(one), Unsigned(other)) => Unsigned(combine(rule, one, other, u64::saturating_add)),
        (Signed(one), Signed(other)) => Signed(combine(rule, one, other, i64::saturating_add)),
        (Float(one), Float(other)) => Float(combine(rule, one, other, saturating_sum)),
        (Duration(one), Duration(other)) => {
            Duration(combine(rule, one, other, std::time::Duration::saturating_add))
        }
        _ => return None,
    })
}

fn combine<T: PartialOrd>(rule: MergeRule, one: T, other: T, add: impl FnOnce(T, T) -> T) -> T {
    match rule {
        MergeRule::Sum => add(one, other),
        MergeRule::Min if other < one => other,
        MergeRule::Max if other > one => other,
        MergeRule::Min | MergeRule::Max => one,
    }
}

/// A sum that is finite if both numbers are. Custom dimensions may have infinite values.
fn saturating_sum(one: f64, other: f64) -> f64 {
    if one.is_finite() && other.is_finite() { one.plus(other) } else { one + other }
}
