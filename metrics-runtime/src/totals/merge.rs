//! Merging the totals of several processes.

use std::borrow::Cow;

use super::group::GroupTotals;
use super::sums::{GroupSums, Presence};
use super::value::Totals;
use crate::snapshot::{Merge, MergeError, MetricSnapshot, MetricSnapshots};

impl Totals {
    /// Adds the totals of another process, or of another runtime. Nothing changes when the result is an error.
    ///
    /// Groups of one namespace and one entity become one group. Labels beyond the limit of a breakdown go to `other`.
    /// Recorders are listed one after the other.
    ///
    /// # Errors
    ///
    /// When the scopes differ, and when the metrics of one name are declared in different ways.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.scope != other.scope {
            return Err(MergeError::OtherScope);
        }
        let mut groups = self.groups.clone();
        for from in &other.groups {
            let same = |group: &&mut GroupTotals| {
                (&group.namespace, &group.entity_id) == (&from.namespace, &from.entity_id)
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.merge(from)?,
                None => groups.push(from.clone()),
            }
        }
        self.groups = groups;
        for from in &other.namespaces {
            match self.namespaces.iter_mut().find(|namespace| namespace.namespace == from.namespace) {
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
        let new = other.left_out.iter().filter(|left_out| !self.left_out.contains(left_out));
        let new: Vec<_> = new.cloned().collect();
        self.left_out.extend(new);
        self.taken_at = self.taken_at.max(other.taken_at);
        self.started_at = self.started_at.earliest(other.started_at);
        Ok(())
    }
}

impl GroupTotals {
    fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        let mut metrics: Vec<MetricSnapshot> = self.metrics.iter().cloned().collect();
        for from in &other.metrics {
            match metrics.iter_mut().find(|metric| metric.name == from.name) {
                Some(metric) => *metric = merged(metric, from)?,
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

/// Two metrics as one, within the limits of their breakdowns.
fn merged(one: &MetricSnapshot, other: &MetricSnapshot) -> Result<MetricSnapshot, MergeError> {
    // The check is the one of two snapshots; its result keeps all labels.
    one.clone().merge(other)?;
    let mut first = one.clone();
    first.declaration = Some(one.declaration_shared_with(other)?);
    let mut sums = GroupSums::default();
    for metric in [&first, other] {
        sums.add_metric(0, Cow::Borrowed(metric), Presence::Live);
    }
    let (metrics, _) = sums.finish();
    Ok(metrics.into_iter().next().unwrap_or(first))
}
