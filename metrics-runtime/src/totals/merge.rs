//! Merging the totals of several processes, and groups whose series cannot be told apart.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::group::{GroupTotals, LeftOut, NamespaceRecorders};
use super::labels_of_both::with_labels_of_both;
use super::memory::Memory;
use super::sums::{GroupSums, Presence, Shown};
use super::value::Totals;
use crate::snapshot::{Merge, MergeError, MetricSnapshot, MetricSnapshots};

impl Totals {
    /// Adds the totals of another process, or of another runtime. Nothing changes when the result is an error.
    ///
    /// Groups of one namespace and one entity become one group. Labels beyond the limit of a breakdown go to `other`.
    /// Recorders are listed one after the other. Constant labels stay where both have the same. A dimension of both that does not
    /// say how it merges is left out. Where metrics of other libraries, which have one dimension without a name, have other labels, the
    /// result has the labels of both, and an empty text for one that is missing.
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
                Some(namespace) => namespace.merge(from),
                None => self.namespaces.push(from.clone()),
            }
        }
        self.recorders.extend(other.recorders.iter().cloned());
        let mut known: HashSet<LeftOut> = self.left_out.iter().cloned().collect();
        left_out.retain(|left_out| known.insert(left_out.clone()));
        self.left_out.append(&mut left_out);
        self.labels.retain_common(&other.labels);
        self.taken_at = self.taken_at.max(other.taken_at);
        self.started_at = self.started_at.earliest(other.started_at);
        Ok(())
    }
}

impl Totals {
    /// The totals of several runtimes as one, in the order of the runtimes. Groups of one namespace become one group, as in
    /// [`GroupTotals::add_up`].
    #[allow(dead_code, reason = "the feature `page` uses it")]
    pub(crate) fn add_up(all: Vec<Self>) -> Option<Self> {
        let mut all = all.into_iter();
        let mut sum = all.next()?;
        let others: Vec<Self> = all.collect();
        if others.is_empty() {
            return Some(sum);
        }
        let own = std::mem::take(&mut sum.groups);
        let groups = own.iter().chain(others.iter().flat_map(|totals| &totals.groups));
        let mut members: Vec<Vec<&GroupTotals>> = Vec::new();
        let mut indexes: HashMap<&Arc<str>, usize> = HashMap::new();
        for group in groups {
            let index = *indexes.entry(&group.namespace).or_insert(members.len());
            match members.get_mut(index) {
                Some(members) => members.push(group),
                None => members.push(vec![group]),
            }
        }
        let mut left_out = std::mem::take(&mut sum.left_out);
        let added_up = members.iter().filter_map(|members| match &members[..] {
            [group] => Some((*group).clone()),
            groups => GroupTotals::add_up(groups, None, &mut left_out),
        });
        let added_up = added_up.collect();
        let mut indexes: HashMap<Arc<str>, usize> = (sum.namespaces.iter().enumerate())
            .map(|(index, namespace)| (Arc::clone(&namespace.namespace), index))
            .collect();
        for other in &others {
            for from in &other.namespaces {
                let index = *indexes.entry(Arc::clone(&from.namespace)).or_insert(sum.namespaces.len());
                match sum.namespaces.get_mut(index) {
                    Some(own) => own.merge(from),
                    None => sum.namespaces.push(from.clone()),
                }
            }
            left_out.extend(other.left_out.iter().cloned());
            sum.taken_at = sum.taken_at.max(other.taken_at);
            sum.started_at = sum.started_at.earliest(other.started_at);
        }
        (sum.groups, sum.left_out) = (added_up, left_out);
        Some(sum)
    }
}

impl NamespaceRecorders {
    pub(crate) fn merge(&mut self, other: &Self) {
        for (state, recorders) in &other.by_state {
            let count = self.by_state.entry(*state).or_default();
            *count = count.saturating_add(*recorders);
        }
        self.stalled = self.stalled.saturating_add(other.stalled);
        self.removed = self.removed.saturating_add(other.removed);
        self.unread = self.unread.saturating_add(other.unread);
    }
}

impl GroupTotals {
    /// Several groups as one, with the namespace and the entity of the first. Dimensions of one name that are declared in
    /// different ways do not fail the call: the first declaration is shown, and `left_out` gets the others.
    ///
    /// `memory` keeps the labels and the declarations that are shown under a key, so that later calls show the same ones.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn add_up(
        groups: &[&Self],
        memory: Option<(&Arc<Memory>, &Arc<str>)>,
        left_out: &mut Vec<LeftOut>,
    ) -> Option<Self> {
        let (first, others) = groups.split_first()?;
        let mut sums = match memory {
            Some((memory, key)) => GroupSums::of_namespace(Shown::of(memory, key)),
            None => GroupSums::default(),
        };
        for group in groups {
            sums.add_stats(&group.stats, Presence::Live);
            for (position, metric) in group.metrics.iter().enumerate() {
                sums.add_metric(position, Cow::Borrowed(metric), Presence::Live);
            }
        }
        sums.for_each_left_out(&mut |dimension| left_out.push(dimension.of(&first.namespace)));
        let mut merged = Self {
            namespace: Arc::clone(&first.namespace),
            entity_id: first.entity_id.clone(),
            stats: sums.stats.clone(),
            // The sums count the groups that have a failed metric, and not the recorders.
            metrics: sums.finish().0.into_iter().collect(),
            failed: first.failed.clone(),
            counting_since: first.counting_since,
        };
        for other in others {
            merged.add_failed(other);
            merged.counting_since = merged.counting_since.earliest(other.counting_since);
        }
        Some(merged)
    }

    fn add_failed(&mut self, other: &Self) {
        for (metric, failed) in &other.failed {
            let count = self.failed.entry(metric.clone()).or_default();
            *count = count.saturating_add(*failed);
        }
    }

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
        self.add_failed(other);
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
    let alike = with_labels_of_both(one, other);
    let [one, other] = alike.as_ref().map_or([one, other], |[one, other]| [one, other]);
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
