//! Merging snapshots without types, and the intervals between them.

use super::breakdown::positions;
use super::declaration::{Declaration, difference, fingerprint};
use super::distinct::DistinctSnapshot;
use super::mean::InFlightSnapshot;
use super::merge::{Merge, MergeError};
use super::metric::MetricSnapshot;
use super::output::combine;
use super::value::{BreakdownEntry, DimensionValue};
use crate::descriptor::{CombineValues, DimensionDescriptor, MergeRule};
use crate::label::OTHER;
use crate::number::Arithmetic;
use crate::panics;
use crate::thread_role;
use std::borrow::Cow;

impl MetricSnapshot {
    /// The declaration of this snapshot's metric if the other one has the same.
    pub(crate) fn declaration_shared_with(&self, other: &Self) -> Result<Declaration, MergeError> {
        let metric = || self.name.to_string();
        if self.name != other.name {
            return Err(MergeError::OtherMetric { metric: metric(), other: other.name.to_string() });
        }
        let (Some(own), Some(others)) = (&self.declaration, &other.declaration) else {
            return Err(MergeError::Undeclared { metric: metric() });
        };
        if own.fingerprint() != others.fingerprint() {
            let difference = difference(&own.descriptor().dimensions, &others.descriptor().dimensions);
            return Err(MergeError::OtherDeclaration { metric: metric(), difference });
        }
        // The one that knows how types of the user's own merge.
        let knows_types = |declaration: &Declaration| {
            let mut dimensions = declaration.descriptor().dimensions.iter();
            dimensions.any(|declared| declared.merge_values.0.is_some())
        };
        Ok(if knows_types(own) { own.clone() } else { others.clone() })
    }
}

impl MetricSnapshot {
    /// Adds what the metric of `other` has recorded. Nothing changes when the result is an error.
    ///
    /// A dimension of your own that does not declare how it merges keeps its value. Dimensions that merge by their type's own
    /// rule need the type in this program.
    ///
    /// # Errors
    ///
    /// When the metrics have different names or declarations, when a declaration is not known, or when a value does not have
    /// the declared form.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge_within(other, None)
    }

    /// Like [`merge`](Self::merge). With `limits`, a breakdown keeps at most that many times the labels of its own limit, and counts
    /// further ones in `other`.
    pub(crate) fn merge_within(&mut self, other: &Self, limits: Option<usize>) -> Result<(), MergeError> {
        let declaration = self.declaration_shared_with(other)?;
        let others = other.dimensions.finder();
        let mut merged = self.dimensions.clone();
        for (index, (name, value)) in merged.iter_mut().enumerate() {
            let declared = declaration.dimension_at(index, name);
            let (Some(declared), Some(from)) = (declared, others(index, name)) else { continue };
            let Some(rule) = declared.merge else { continue };
            if rule == MergeRule::Own && own_merge(declared).is_none() {
                return Err(self.unknown_type(name));
            }
            let max_labels =
                limits.zip(declared.limit).map_or(usize::MAX, |(limits, limit)| limit.saturating_mul(limits));
            if !merge_in_place(declared, value, from, max_labels) {
                return Err(self.other_form(name));
            }
        }
        self.dimensions = merged;
        self.add_missing(&declaration, other);
        self.invalid = self.invalid.saturating_add(other.invalid);
        if self.failed.is_none() {
            self.failed.clone_from(&other.failed);
        }
        self.times = self.times.merged(other.times);
        self.declaration = Some(declaration);
        Ok(())
    }

    /// Adds the dimensions that only `other` has. A snapshot that failed has none.
    fn add_missing(&mut self, declaration: &Declaration, other: &Self) {
        let own = self.dimensions.finder();
        let dimensions = other.dimensions.iter().enumerate();
        let missing = dimensions.filter(|(index, (name, _))| own(*index, name).is_none());
        let missing: Vec<_> = missing.map(|(_, (name, value))| (name.to_owned(), value.clone())).collect();
        drop(own);
        if missing.is_empty() {
            return;
        }
        for (name, value) in missing {
            self.dimensions.push(name, value);
        }
        self.dimensions.sort_by_key(|name| declaration.position_of(name).unwrap_or(usize::MAX));
    }

    /// What the metric has recorded after `earlier`: counts subtract, gauges and counts of different values keep the later
    /// value, and extremes are unknown.
    ///
    /// When counting began anew meanwhile, the interval counts from 0.
    ///
    /// # Errors
    ///
    /// The same as those of [`merge`](Self::merge).
    pub fn since(&self, earlier: &Self) -> Result<Self, MergeError> {
        let restarted = self.restarted_since(earlier)?;
        let mut interval = self.clone();
        if restarted {
            return Ok(interval);
        }
        let declaration = self.declaration_shared_with(earlier)?;
        let before = earlier.dimensions.finder();
        for (index, (name, value)) in interval.dimensions.iter_mut().enumerate() {
            let Some(declared) = declaration.dimension_at(index, name) else { continue };
            if before(index, name).is_some_and(|earlier| !subtract(declared, value, earlier)) {
                return Err(self.other_form(name));
            }
        }
        interval.invalid = self.invalid.saturating_sub(earlier.invalid);
        Ok(interval)
    }

    /// Whether the metric began to count anew after `earlier`: its recorder was created again, or the metric was replaced.
    ///
    /// # Errors
    ///
    /// The same as those of [`merge`](Self::merge).
    pub fn restarted_since(&self, earlier: &Self) -> Result<bool, MergeError> {
        let declaration = self.declaration_shared_with(earlier)?;
        if self.times.restarted_since(earlier.times) || self.invalid < earlier.invalid {
            return Ok(true);
        }
        let before = earlier.dimensions.finder();
        for (index, (name, value)) in self.dimensions.iter().enumerate() {
            let Some(declared) = declaration.dimension_at(index, name) else { continue };
            match before(index, name) {
                Some(earlier) if has_fallen(declared, value, earlier) => return Ok(true),
                // The earlier snapshot failed.
                None if declared.merge.is_some() => return Err(self.other_form(name)),
                _ => {}
            }
        }
        Ok(false)
    }

    fn unknown_type(&self, dimension: &str) -> MergeError {
        MergeError::UnknownType { metric: self.name.to_string(), dimension: dimension.to_owned() }
    }

    fn other_form(&self, dimension: &str) -> MergeError {
        MergeError::OtherForm { metric: self.name.to_string(), dimension: dimension.to_owned() }
    }
}

impl MetricSnapshot {
    /// Whether the metric declares these dimensions, as far as they merge.
    pub(crate) fn is_declared_as(&self, dimensions: &[DimensionDescriptor]) -> bool {
        self.declaration.as_ref().is_some_and(|own| own.fingerprint() == fingerprint(dimensions))
    }

    /// Whether the metrics have one name and one declaration.
    pub(crate) fn is_declared_like(&self, other: &Self) -> bool {
        let fingerprint = |metric: &Self| metric.declaration.as_ref().map(Declaration::fingerprint);
        self.name == other.name && fingerprint(self) == fingerprint(other)
    }

    /// Whether all dimensions say how they merge.
    pub(crate) fn merges_completely(&self) -> bool {
        let declared = self.declaration().map(|declared| &declared.dimensions);
        declared.is_some_and(|dimensions| dimensions.iter().all(|dimension| dimension.merge.is_some()))
    }
}

/// Merges two values of one dimension. Returns `false`, and changes nothing, when they do not have the declared form, or when
/// the dimension declares no rule.
pub(crate) fn merge_values(
    declared: &DimensionDescriptor,
    into: &mut DimensionValue,
    from: &DimensionValue,
) -> bool {
    if !matches!(into, DimensionValue::Breakdown(_) | DimensionValue::Map(_)) {
        return merge_in_place(declared, into, from, usize::MAX);
    }
    let mut merged = into.clone();
    let is_merged = merge_in_place(declared, &mut merged, from, usize::MAX);
    if is_merged {
        *into = merged;
    }
    is_merged
}

/// The same, but a breakdown or a map that is not merged may have changed.
fn merge_in_place(
    declared: &DimensionDescriptor,
    into: &mut DimensionValue,
    from: &DimensionValue,
    max_labels: usize,
) -> bool {
    use DimensionValue::{Breakdown, Empty};
    match (&mut *into, from) {
        (_, Empty) => true,
        (Empty, _) => {
            *into = from.clone();
            true
        }
        (Breakdown(into), Breakdown(from)) => merge_entries(declared, into, from, max_labels),
        _ => merge_plain_values(declared, into, from),
    }
}

fn merge_entries(
    declared: &DimensionDescriptor,
    into: &mut Vec<BreakdownEntry>,
    from: &[BreakdownEntry],
    max_labels: usize,
) -> bool {
    let own = into.len();
    for (position, entry) in positions(into, from).into_iter().zip(from) {
        match position {
            Some(index) => {
                if !merge_plain_values(declared, &mut into[index].value, &entry.value) {
                    return false;
                }
            }
            None if into.len() < max_labels => into.push(entry.clone()),
            None => {
                let is_other = |entry: &BreakdownEntry| entry.labels.iter().all(|label| label == OTHER);
                if let Some(other) = into.iter_mut().find(|entry| is_other(entry)) {
                    if !merge_plain_values(declared, &mut other.value, &entry.value) {
                        return false;
                    }
                } else {
                    let labels = vec![Cow::Borrowed(OTHER); entry.labels.len()];
                    into.push(BreakdownEntry { labels, value: entry.value.clone() });
                }
            }
        }
    }
    if into.len() > own {
        // Entries that begin with the same parts stand side by side.
        into.sort_by(|left, right| left.labels.cmp(&right.labels));
    }
    true
}

/// The type's own rule, if the type is known here.
fn own_merge(declared: &DimensionDescriptor) -> Option<CombineValues> {
    declared.merge_values.0?.merge
}

/// Runs a rule of the user's own, and answers whether it applied. After a panic it answers `None`, and the values are as before.
/// A call from the rule that would wait for metrics is refused: the caller may hold a lock.
fn run_own_rule(rule: CombineValues, into: &mut DimensionValue, other: &DimensionValue) -> Option<bool> {
    let _role = thread_role::enter_metrics();
    panics::catch(|| rule(into, other)).ok()
}

/// Merges two values that are no breakdowns, or those of one label.
pub(crate) fn merge_plain_values(
    declared: &DimensionDescriptor,
    into: &mut DimensionValue,
    from: &DimensionValue,
) -> bool {
    use DimensionValue::{
        Bool, Distinct, Duration, Empty, Float, Histogram, InFlight, List, Map, Mean, Signed, Text, Top,
        Unknown, Unsigned,
    };
    let Some(rule) = declared.merge_rule() else { return false };
    if rule == MergeRule::Own {
        return own_merge(declared).and_then(|merge| run_own_rule(merge, into, from)) == Some(true);
    }
    match (&mut *into, from) {
        // No rule is about texts, so the first one stays.
        (_, Empty) | (Text(_), Text(_)) | (Bool(_), Bool(_)) | (List(_), List(_)) => true,
        (Empty, _) => {
            *into = from.clone();
            true
        }
        (Unsigned(into), Unsigned(from)) => combine(rule, into, from),
        (Signed(into), Signed(from)) => combine(rule, into, from),
        (Float(into), Float(from)) => combine(rule, into, from),
        (Duration(into), Duration(from)) => combine(rule, into, from),
        (Unknown, from) => from.number().is_some() || *from == Unknown,
        (into, Unknown) if into.number().is_some() => {
            *into = Unknown;
            true
        }
        (Mean(into), Mean(from)) if into.has_type_of(from) => {
            Merge::merge(into, from);
            true
        }
        (InFlight(into), InFlight(from)) => {
            Merge::merge(into, from);
            true
        }
        (Histogram(into), Histogram(from)) if into.has_form_of(from) => {
            into.merge(from);
            true
        }
        (Distinct(into), Distinct(from)) => {
            Merge::merge(into, from);
            true
        }
        (Top(into), Top(from)) if into.number_type() == from.number_type() => {
            Merge::merge(into, from);
            true
        }
        (Map(into), Map(from)) => {
            let mut all = true;
            for (position, (name, from)) in into.positions_of(from).into_iter().zip(from.iter()) {
                match position.and_then(|position| into.value_mut(position)) {
                    Some(into) => all &= merge_plain_values(declared, into, from),
                    None => into.push(name.to_owned(), from.clone()),
                }
            }
            all
        }
        _ => false,
    }
}

/// Takes an earlier value away from a later one, so that the interval stays. Returns `false` when they do not have the declared form.
fn subtract(declared: &DimensionDescriptor, later: &mut DimensionValue, earlier: &DimensionValue) -> bool {
    use crate::descriptor::DimensionKind::{Counter, Custom, Gauge, Max, Min, Sum, Top};
    use DimensionValue::{Breakdown, Distinct, Empty, Histogram, InFlight, Mean, Unknown};
    match (declared.kind, &mut *later, earlier) {
        // A window keeps its later value.
        _ if declared.window.is_some() => true,
        (_, _, Empty) | (_, Empty, _) => true,
        (_, Breakdown(later), Breakdown(earlier)) => {
            let mut pairs = positions(earlier, later).into_iter().zip(later);
            pairs.all(|(position, entry)| {
                position.is_none_or(|index| subtract(declared, &mut entry.value, &earlier[index].value))
            })
        }
        _ if declared.is_of_own_type() => {
            // Where the value does not have the form of the type's output, the later one stays.
            declared.merge_values.0.is_none_or(|rules| run_own_rule(rules.since, later, earlier).is_some())
        }
        // Which values are new in the interval cannot be told from two unions: the later one stays. What the largest labels have had
        // in an interval is not the difference: other labels may have had more.
        (Gauge | Custom | Top, ..) | (_, Distinct(_), Distinct(_)) => true,
        (_, Mean(later), Mean(earlier)) if later.has_type_of(earlier) => {
            *later = later.since(earlier);
            true
        }
        (_, InFlight(later), InFlight(earlier)) => {
            *later = later.since(earlier);
            true
        }
        (_, Histogram(later), Histogram(earlier)) if later.has_form_of(earlier) => {
            *later = later.since(earlier);
            true
        }
        (Counter | Sum, later, earlier) => {
            let numbers = later.number().zip(earlier.number());
            let numbers = numbers.filter(|(own, earlier)| own.number_type() == earlier.number_type());
            if let Some((own, earlier)) = numbers {
                *later = DimensionValue::from(own.minus(earlier));
            }
            numbers.is_some()
        }
        (Min | Max, later, earlier) => {
            let is_extreme = |value: &DimensionValue| *value == Unknown || value.number().is_some();
            let are_extremes = is_extreme(later) && is_extreme(earlier);
            if are_extremes {
                *later = Unknown;
            }
            are_extremes
        }
        _ => false,
    }
}

/// The value of a window in which nothing was recorded: what stays of a recorder that is gone.
pub(crate) fn emptied(declared: &DimensionDescriptor, value: &DimensionValue) -> DimensionValue {
    use crate::descriptor::DimensionKind::{Counter, Sum};
    use DimensionValue::{Breakdown, Distinct, Empty, Histogram, InFlight, Mean};
    if let Breakdown(_) = value {
        // Its labels are gone.
        return Breakdown(Vec::new());
    }
    if let Some(empty) = declared.merge_values.0.and_then(|rules| rules.empty) {
        let mut emptied = value.clone();
        let _role = thread_role::enter_metrics();
        return panics::catch(|| empty(&mut emptied)).map_or(Empty, |()| emptied);
    }
    match value {
        Mean(mean) => Mean(mean.since(mean)),
        InFlight(in_flight) => InFlight(in_flight.since(in_flight)),
        Histogram(histogram) => Histogram(histogram.since(histogram)),
        Distinct(_) => Distinct(DistinctSnapshot::default()),
        value if matches!(declared.kind, Counter | Sum) => {
            value.number().map_or(Empty, |number| DimensionValue::from(number.minus(number)))
        }
        _ => Empty,
    }
}

/// Whether a count is lower than it was, or a label is gone that had more than zero.
fn has_fallen(declared: &DimensionDescriptor, later: &DimensionValue, earlier: &DimensionValue) -> bool {
    use crate::descriptor::DimensionKind::{Counter, Sum};
    use DimensionValue::{Breakdown, Distinct, Duration, Histogram, InFlight, Mean, Unsigned};
    match (declared.kind, later, earlier) {
        _ if declared.window.is_some() => false,
        (_, Breakdown(later), Breakdown(earlier)) => {
            let mut pairs = positions(later, earlier).into_iter().zip(earlier);
            pairs.any(|(position, earlier)| match position {
                Some(index) => has_fallen(declared, &later[index].value, &earlier.value),
                None => !may_vanish(declared, &earlier.value),
            })
        }
        _ if declared.is_of_own_type() => false,
        (_, Mean(later), Mean(earlier)) => later.count < earlier.count,
        (_, InFlight(later), InFlight(earlier)) => {
            later.started < earlier.started || later.finished < earlier.finished
        }
        (_, Histogram(later), Histogram(earlier)) => later.has_fallen_since(earlier),
        (_, Distinct(later), Distinct(earlier)) => later.has_fallen_since(earlier),
        (Counter | Sum, Unsigned(later), Unsigned(earlier)) => later < earlier,
        (Sum, Duration(later), Duration(earlier)) => later < earlier,
        _ => false,
    }
}

/// Whether a label with this value may vanish although nothing began to count anew: it has counted nothing, or it is a gauge, which
/// goes with its recorder.
fn may_vanish(declared: &DimensionDescriptor, value: &DimensionValue) -> bool {
    use crate::descriptor::DimensionKind::{Counter, Gauge, Sum};
    match value {
        DimensionValue::Mean(mean) => mean.count == 0,
        DimensionValue::InFlight(in_flight) => *in_flight == InFlightSnapshot::default(),
        DimensionValue::Histogram(histogram) => histogram.count == 0,
        DimensionValue::Distinct(distinct) => distinct.is_empty(),
        value if matches!(declared.kind, Counter | Sum) && !declared.is_of_own_type() => {
            value.number().is_some_and(|number| number.as_f64() == 0.0)
        }
        _ => declared.kind == Gauge,
    }
}
