//! Merging the totals of several processes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::group::{GroupTotals, LeftOut};
use super::sums::{GroupSums, Presence};
use super::value::Totals;
use crate::snapshot::{Merge, MergeError, MetricSnapshot, MetricSnapshots};

impl Totals {
    /// Adds the totals of another process, or of another runtime. Nothing changes when the result is an error.
    ///
    /// Groups of one namespace and one entity become one group. Labels beyond the limit of a breakdown go to `other`.
    /// Recorders are listed one after the other. A dimension of both that does not say how it merges is left out.
    ///
    /// # Errors
    ///
    /// When the scopes differ, and when the metrics of one name are declared in different ways.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.scope != other.scope {
            return Err(MergeError::OtherScope);
        }
        let mut groups = self.groups.clone();
        let mut left_out = other.left_out.clone();
        let key = |group: &GroupTotals| (Arc::clone(&group.namespace), group.entity_id.clone());
        let mut indexes: HashMap<_, _> =
            groups.iter().enumerate().map(|(index, group)| (key(group), index)).collect();
        for from in &other.groups {
            let index = *indexes.entry(key(from)).or_insert(groups.len());
            match groups.get_mut(index) {
                Some(group) => group.merge(from, &mut left_out)?,
                None => groups.push(from.clone()),
            }
        }
        self.groups = groups;
        let mut indexes: HashMap<_, _> = (self.namespaces.iter().enumerate())
            .map(|(index, namespace)| (Arc::clone(&namespace.namespace), index))
            .collect();
        for from in &other.namespaces {
            let index = *indexes.entry(Arc::clone(&from.namespace)).or_insert(self.namespaces.len());
            match self.namespaces.get_mut(index) {
                Some(namespace) => {
                    for (state, recorders) in &from.by_state {
                        let count = namespace.by_state.entry(*state).or_default();
                        *count = count.saturating_add(*recorders);
                    }
                    namespace.stalled = namespace.stalled.saturating_add(from.stalled);
                    namespace.removed = namespace.removed.saturating_add(from.removed);
                    namespace.unread = namespace.unread.saturating_add(from.unread);
                }
                None => self.namespaces.push(from.clone()),
            }
        }
        self.recorders.extend(other.recorders.iter().cloned());
        let mut known: HashSet<LeftOut> = self.left_out.iter().cloned().collect();
        left_out.retain(|left_out| known.insert(left_out.clone()));
        self.left_out.append(&mut left_out);
        self.taken_at = self.taken_at.max(other.taken_at);
        self.started_at = self.started_at.earliest(other.started_at);
        Ok(())
    }
}

impl GroupTotals {
    fn merge(&mut self, other: &Self, left_out: &mut Vec<LeftOut>) -> Result<(), MergeError> {
        let mut metrics: Vec<MetricSnapshot> = self.metrics.iter().cloned().collect();
        let mut indexes: HashMap<_, _> =
            metrics.iter().enumerate().map(|(index, metric)| (metric.name.clone(), index)).collect();
        for from in &other.metrics {
            let index = *indexes.entry(from.name.clone()).or_insert(metrics.len());
            match metrics.get_mut(index) {
                Some(metric) => *metric = merged(&self.namespace, metric, from, left_out)?,
                None => metrics.push(from.clone()),
            }
        }
        self.metrics = metrics.into_iter().collect::<MetricSnapshots>();
        self.stats.merge(&other.stats);
        self.counting_since = self.counting_since.earliest(other.counting_since);
        for (metric, failed) in &other.failed {
            let count = self.failed.entry(metric.clone()).or_default();
            *count = count.saturating_add(*failed);
        }
        Ok(())
    }
}

/// Two metrics as one, within the limits of their breakdowns. `left_out` gets the dimensions that the result does not contain.
fn merged(
    namespace: &Arc<str>,
    one: &MetricSnapshot,
    other: &MetricSnapshot,
    left_out: &mut Vec<LeftOut>,
) -> Result<MetricSnapshot, MergeError> {
    // The check is the one of two snapshots; its result keeps all labels.
    one.clone().merge(other)?;
    let mut first = one.clone();
    first.declaration = Some(one.declaration_shared_with(other)?);
    let mut sums = GroupSums::default();
    for metric in [&first, other] {
        sums.add_metric(0, Cow::Borrowed(metric), Presence::Live);
    }
    sums.for_each_left_out(&mut |dimension| left_out.push(dimension.of(namespace)));
    let (metrics, _) = sums.finish();
    Ok(metrics.into_iter().next().unwrap_or(first))
}
