//! The baseline: what the collector has taken, from which deltas count.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mvx_metrics::{DimensionValue, HistogramSnapshot, MeanSnapshot, Number};

use super::form::Form;
use super::points::may_fall;

/// The last delivered value of each series.
#[derive(Debug, Default)]
pub(super) struct Baseline {
    groups: HashMap<GroupKey, Group>,
    /// How many groups there were, the forgotten ones included.
    last_group: u64,
    series: HashMap<SeriesKey, Series>,
    /// The groups whose series are kept in this push.
    kept: HashSet<u64>,
}

/// The namespace and the entity of a group.
pub(super) type GroupKey = (Arc<str>, Option<Arc<str>>);

/// The group of a series, its family and its labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SeriesKey {
    /// The number of the group, which no other group ever has.
    pub(super) group: u64,
    pub(super) family: usize,
    pub(super) labels: Vec<Cow<'static, str>>,
}

/// A group of recorders.
#[derive(Debug)]
struct Group {
    number: u64,
    /// The number of the last push whose totals had the group.
    seen: u64,
}

#[derive(Debug)]
struct Series {
    delivered: Delivered,
    /// The number of the last push whose totals had the series.
    seen: u64,
}

/// A value that a request has.
#[derive(Debug, Clone)]
pub(super) struct Delivered {
    value: Value,
    /// Since when the value counts, and when it was read, in nanoseconds since 1970.
    created: u64,
    time: u64,
}

/// A value, as small as possible: there is one for each series.
#[derive(Debug, Clone)]
enum Value {
    Count(u64),
    Other(Box<DimensionValue>),
}

/// An update of the baseline, once its request is delivered.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) series: SeriesKey,
    pub(super) delivered: Delivered,
}

/// What a value has counted since the last delivery, and since when.
#[derive(Debug)]
pub(super) struct Interval {
    pub(super) value: DimensionValue,
    pub(super) start: u64,
}

impl Delivered {
    pub(super) fn new(value: &DimensionValue, created: u64, time: u64) -> Self {
        let value = match value {
            DimensionValue::Unsigned(count) => Value::Count(*count),
            value => Value::Other(Box::new(value.clone())),
        };
        Self { value, created, time }
    }
}

impl Baseline {
    /// The number of a group, which counts as seen.
    pub(super) fn group(&mut self, group: &GroupKey, push: u64) -> u64 {
        if let Some(group) = self.groups.get_mut(group) {
            group.seen = push;
            return group.number;
        }
        self.last_group += 1;
        self.groups.insert(group.clone(), Group { number: self.last_group, seen: push });
        self.last_group
    }

    /// The interval of a series since its last delivery; `None` when nothing was counted since. The series counts as seen.
    ///
    /// A value that counts since a later time than the delivered one, or that has fallen, counts from 0.
    pub(super) fn interval(
        &mut self,
        series: &SeriesKey,
        value: &DimensionValue,
        created: u64,
        push: u64,
    ) -> Option<Interval> {
        let Some(series) = self.series.get_mut(series) else {
            return Some(Interval { value: value.clone(), start: created });
        };
        series.seen = push;
        let Delivered { value: earlier, created: earlier_created, time } = &series.delivered;
        let since = if created > *earlier_created { None } else { earlier.until(value) };
        match since {
            Some(Since::Nothing) => None,
            Some(Since::Value(value)) => Some(Interval { value, start: *time }),
            // Intervals do not overlap.
            None => Some(Interval { value: value.clone(), start: created.max(*time) }),
        }
    }

    /// Deltas of a series count from this value on.
    pub(super) fn update(&mut self, Update { series, delivered }: Update, push: u64) {
        self.series.insert(series, Series { delivered, seen: push });
    }

    /// Keeps the series of a group whose recorders could not all be read: their next intervals begin where the last ones end.
    pub(super) fn keep(&mut self, group: u64) {
        self.kept.insert(group);
    }

    /// Forgets the groups and the series that the totals of a push did not have.
    pub(super) fn forget_unseen(&mut self, push: u64) {
        let kept = std::mem::take(&mut self.kept);
        self.series.retain(|key, series| series.seen == push || kept.contains(&key.group));
        self.groups.retain(|_, group| group.seen == push);
    }

    /// Forgets all groups but these, and their series.
    pub(super) fn forget_groups_but(&mut self, groups: &HashSet<GroupKey>) {
        self.groups.retain(|group, _| groups.contains(group));
        let numbers: HashSet<_> = self.groups.values().map(|group| group.number).collect();
        self.series.retain(|key, _| numbers.contains(&key.group));
    }

    /// How many series there are.
    pub(super) fn len(&self) -> usize {
        self.series.len()
    }
}

/// What came after an earlier value.
#[derive(Debug, PartialEq)]
enum Since {
    Nothing,
    Value(DimensionValue),
}

impl Value {
    /// What came between this value and a later one; `None` when the later one has fallen or is of another type.
    fn until(&self, later: &DimensionValue) -> Option<Since> {
        let earlier = match (self, later) {
            (Self::Count(earlier), DimensionValue::Unsigned(later)) => {
                let count = later.checked_sub(*earlier)?;
                return Some(Since::of(count, DimensionValue::Unsigned(count)));
            }
            (Self::Other(earlier), _) => earlier,
            (Self::Count(_), _) => return None,
        };
        match (&**earlier, later) {
            (DimensionValue::Duration(earlier), DimensionValue::Duration(later)) => {
                let duration = later.checked_sub(*earlier)?;
                Some(Since::of(u64::from(!duration.is_zero()), duration.into()))
            }
            (DimensionValue::Mean(earlier), DimensionValue::Mean(later)) => mean(earlier, later),
            (DimensionValue::Histogram(earlier), DimensionValue::Histogram(later)) => {
                histogram(earlier, later)
            }
            _ => None,
        }
    }
}

impl Since {
    fn of(count: u64, value: DimensionValue) -> Self {
        if count == 0 { Self::Nothing } else { Self::Value(value) }
    }
}

/// The means that have intervals are of numbers that are never negative: their sums do not fall.
fn mean(earlier: &MeanSnapshot<Number>, later: &MeanSnapshot<Number>) -> Option<Since> {
    let has_fallen = later.count < earlier.count || later.sum.partial_cmp(&earlier.sum)?.is_lt();
    if has_fallen {
        return None;
    }
    let mean = later.since(earlier);
    Some(Since::of(mean.count, DimensionValue::Mean(mean)))
}

/// By how much of itself a sum of floating-point numbers may fall without a restart.
const MAX_ROUNDING: f64 = 1e-9;

fn histogram(earlier: &HistogramSnapshot<Number>, later: &HistogramSnapshot<Number>) -> Option<Since> {
    let has_fallen = match (earlier.sum, later.sum) {
        _ if may_fall(later) => false,
        // The order in which recorders are added up may change, and with it the rounding.
        (Number::Float(earlier), Number::Float(later)) => later < earlier * (1.0 - MAX_ROUNDING),
        (earlier, later) => later < earlier,
    };
    if has_fallen {
        return None;
    }
    let interval = later.since(earlier);
    let [counted, before, after] =
        [&interval, earlier, later].map(|histogram| u128::from(histogram.buckets.count()));
    // A bucket that has fallen is empty in the interval, so the others count more than the whole.
    if before + counted != after {
        return None;
    }
    Some(Since::of(interval.count, DimensionValue::Histogram(interval)))
}

/// Whether points of this kind have deltas.
pub(super) fn has_deltas(form: Form) -> bool {
    matches!(form, Form::MonotonicSum | Form::Histogram | Form::ExponentialHistogram)
}
