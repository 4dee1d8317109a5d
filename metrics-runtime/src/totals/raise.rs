//! Raising incomplete totals to earlier ones, so that no counter falls while a recorder cannot be read.

use super::group::GroupTotals;
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::snapshot::{DimensionValue, HistogramSnapshot, MetricSnapshot, Number};

impl GroupTotals {
    /// Raises each count to at least its value in `earlier`. The complete totals would be no smaller.
    pub(super) fn raise_to(&mut self, earlier: &Self) {
        for earlier in &earlier.metrics {
            if let Some(metric) = self.metrics.get_mut(&earlier.name) {
                raise_metric(metric, earlier);
            } else {
                let mut metric = earlier.clone();
                metric.failed = None;
                clear_what_may_fall(&mut metric);
                self.metrics.push(metric);
            }
        }
        for event_type in earlier.stats.dropped_by_type.keys() {
            self.stats.dropped_by_type.entry(event_type.clone()).or_default();
        }
    }
}

fn raise_metric(metric: &mut MetricSnapshot, earlier: &MetricSnapshot) {
    metric.invalid = metric.invalid.max(earlier.invalid);
    metric.times = metric.times.merged(earlier.times);
    let Some(declaration) = &earlier.declaration else { return };
    for (index, (name, earlier)) in earlier.dimensions.iter().enumerate() {
        let Some(declared) = declaration.dimension_at(index, name) else { continue };
        if let Some(value) = metric.dimensions.get_mut(name) {
            raise(declared, value, earlier);
        }
    }
}

fn raise(declared: &DimensionDescriptor, value: &mut DimensionValue, earlier: &DimensionValue) {
    use DimensionValue::{Breakdown, Duration, Empty, Histogram, Mean, Unsigned};
    match (&mut *value, earlier) {
        (Breakdown(entries), Breakdown(earlier)) => {
            let own = entries.len();
            for earlier in earlier {
                match entries.iter_mut().find(|entry| entry.labels == earlier.labels) {
                    Some(entry) => raise(declared, &mut entry.value, &earlier.value),
                    None if never_falls(declared, &earlier.value) => entries.push(earlier.clone()),
                    None => {}
                }
            }
            if entries.len() > own {
                // Entries that begin with the same parts stand side by side.
                entries.sort_by(|left, right| left.labels.cmp(&right.labels));
            }
        }
        (_, earlier) if !never_falls(declared, earlier) => {}
        (Histogram(histogram), Histogram(earlier)) => raise_histogram(histogram, earlier),
        (Mean(mean), Mean(earlier)) => {
            mean.count = mean.count.max(earlier.count);
            if earlier.sum > mean.sum {
                mean.sum = earlier.sum;
            }
        }
        (Unsigned(value), Unsigned(earlier)) => *value = (*value).max(*earlier),
        (Duration(value), Duration(earlier)) => *value = (*value).max(*earlier),
        (Empty, earlier) => *value = earlier.clone(),
        _ => {}
    }
}

/// Raises bucket by bucket, so that the count still is the sum of the buckets.
fn raise_histogram(histogram: &mut HistogramSnapshot<Number>, earlier: &HistogramSnapshot<Number>) {
    if !histogram.has_bounds_of(earlier) {
        return;
    }
    for (bucket, earlier) in histogram.buckets.iter_mut().zip(&earlier.buckets) {
        bucket.count = bucket.count.max(earlier.count);
    }
    histogram.count = histogram.buckets.iter().fold(0, |sum, bucket| sum.saturating_add(bucket.count));
    if earlier.sum > histogram.sum {
        histogram.sum = earlier.sum;
    }
    histogram.min.merge(earlier.min, |new, old| new < old);
    histogram.max.merge(earlier.max, |new, old| new > old);
}

fn clear_what_may_fall(metric: &mut MetricSnapshot) {
    let Some(declaration) = metric.declaration.clone() else { return };
    for (index, (name, value)) in metric.dimensions.iter_mut().enumerate() {
        let Some(declared) = declaration.dimension_at(index, name) else { continue };
        match value {
            DimensionValue::Breakdown(entries) => entries.retain(|entry| never_falls(declared, &entry.value)),
            value if !never_falls(declared, value) => *value = DimensionValue::Empty,
            _ => {}
        }
    }
}

/// Whether values like this one only grow.
fn never_falls(declared: &DimensionDescriptor, value: &DimensionValue) -> bool {
    use DimensionKind::{Counter, Sum};
    use DimensionValue::{Duration, Histogram, Mean, Unsigned};
    match (declared.kind, value) {
        (_, Histogram(_)) | (Counter | Sum, Unsigned(_) | Duration(_)) => true,
        (_, Mean(mean)) => matches!(mean.sum, Number::Unsigned(_) | Number::Duration(_)),
        _ => false,
    }
}
