//! The collector: sorts recorders into groups that share their totals, and adds them up.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::constant_labels::ConstantLabels;
use super::group::{GroupTotals, NamespaceRecorders, RecorderTotals};
use super::memory::Memory;
use super::removed::{RemovedRecorders, UnreadRecorder};
use super::sums::{GroupSums, Presence, Shown};
use super::value::{Scope, Totals};
use crate::snapshot::{MetricSnapshot, Timestamp};
use crate::state::{MetricsRecorderState, MetricsRuntimeState};
use crate::stats::RecorderStats;

/// How many dimensions totals list as left out.
const MAX_LEFT_OUT: usize = 1_000;

/// Sorts recorders into groups and adds them up.
pub(crate) struct Collector {
    totals: Totals,
    groups: Vec<Group>,
    memory: Arc<Memory>,
    /// The index of each namespace.
    namespaces: HashMap<Arc<str>, usize>,
    /// The index of the group of each namespace and entity.
    entities: HashMap<(Arc<str>, Arc<str>), usize>,
    /// The index of the namespace of the last recorder. Most often the next recorder has the same one.
    last_namespace: usize,
    /// Whether these totals are the runtime's present ones. They are raised to those that were shown last, and kept as the last ones.
    are_present: bool,
    /// Whether the totals list the recorders. Text does not show them.
    lists_recorders: bool,
    /// For each namespace, how many recorders are in each of `STATES`.
    states: Vec<[u64; STATES.len()]>,
}

const STATES: [MetricsRecorderState; 7] = [
    MetricsRecorderState::Virgin,
    MetricsRecorderState::Starting,
    MetricsRecorderState::Running,
    MetricsRecorderState::Stopping,
    MetricsRecorderState::Stopped,
    MetricsRecorderState::Failure,
    MetricsRecorderState::Cancelled,
];

/// A registered recorder at one moment.
pub(crate) struct ReadRecorder<'a> {
    pub(crate) id: &'a Arc<str>,
    pub(crate) entity_id: &'a Arc<str>,
    pub(crate) namespace: &'a Arc<str>,
    pub(crate) status: MetricsRecorderState,
    pub(crate) created_at: Timestamp,
    pub(crate) stats: RecorderStats,
    pub(crate) metrics: Vec<MetricSnapshot>,
    /// Whether the metrics could not be read.
    pub(crate) stalled: bool,
    /// The last states of replaced metrics.
    pub(crate) replaced: Vec<MetricSnapshot>,
}

/// Recorders that share their totals.
struct Group {
    namespace: Arc<str>,
    entity_id: Option<Arc<str>>,
    sums: GroupSums,
    /// Whether the sums lack the metrics of some recorder.
    is_incomplete: bool,
    counting_since: Timestamp,
}

impl Collector {
    /// A collector that has collected the removed recorders. The runtime's own namespace always is a namespace of the totals.
    pub(crate) fn new(
        scope: Scope,
        namespace: &Arc<str>,
        labels: &ConstantLabels,
        status: MetricsRuntimeState,
        started_at: Timestamp,
        removed: &RemovedRecorders,
    ) -> Self {
        let totals = Totals {
            scope,
            namespace: Arc::clone(namespace),
            labels: labels.clone(),
            status,
            taken_at: Timestamp::default(),
            started_at,
            groups: Vec::new(),
            namespaces: Vec::new(),
            recorders: Vec::new(),
            left_out: Vec::new(),
            memory: Some(Arc::clone(&removed.memory)),
        };
        let mut collector = Self {
            totals,
            groups: Vec::new(),
            memory: Arc::clone(&removed.memory),
            namespaces: HashMap::new(),
            entities: HashMap::new(),
            last_namespace: 0,
            are_present: true,
            lists_recorders: true,
            states: Vec::new(),
        };
        collector.find_or_push_namespace(namespace);
        for (namespace, removed) in &removed.namespaces {
            let index = collector.find_or_push_namespace(namespace);
            collector.totals.namespaces[index].removed = removed.recorders;
            if scope == Scope::Rollup {
                collector.groups[index].sums = removed.sums.clone();
            }
        }
        for UnreadRecorder(recorder) in &removed.unread {
            let index = collector.find_or_push_namespace(recorder.namespace());
            let counts = &mut collector.totals.namespaces[index];
            counts.removed += 1;
            counts.unread += 1;
            if scope == Scope::Rollup {
                collector.groups[index].sums.add_stats(&recorder.stats(), Presence::Removed);
                collector.groups[index].is_incomplete = true;
            }
        }
        collector
    }

    /// For totals that are not the runtime's present ones: they are neither raised to the last ones nor kept as the last ones.
    pub(super) fn of_another_time(mut self) -> Self {
        self.are_present = false;
        self
    }

    /// Leaves out the list of the recorders.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn without_recorders(mut self) -> Self {
        self.lists_recorders = false;
        self
    }

    /// Adds a registered recorder to its group.
    pub(crate) fn add(&mut self, recorder: ReadRecorder<'_>) {
        let ReadRecorder { id, entity_id, namespace, status, created_at, stats, metrics, stalled, replaced } =
            recorder;
        let index = self.find_or_push_namespace(namespace);
        if let Some(state) = STATES.iter().position(|state| *state == status) {
            self.states[index][state] += 1;
        }
        self.totals.namespaces[index].stalled += u64::from(stalled);
        let index = match self.totals.scope {
            Scope::Rollup => index,
            Scope::PerEntity => self.find_or_push_entity(namespace, entity_id),
        };
        let group = &mut self.groups[index];
        group.is_incomplete |= stalled || metrics.iter().chain(&replaced).any(MetricSnapshot::is_unread);
        group.counting_since = group.counting_since.earliest(created_at);
        group.sums.add_stats(&stats, Presence::Live);
        for (position, metric) in metrics.into_iter().enumerate() {
            group.sums.add_metric(position, Cow::Owned(metric), Presence::Live);
        }
        if self.totals.scope == Scope::Rollup {
            for metric in replaced {
                group.sums.add_metric(0, Cow::Owned(metric), Presence::Removed);
            }
        }
        if self.lists_recorders {
            self.totals.recorders.push(RecorderTotals {
                id: Arc::clone(id),
                entity_id: Arc::clone(entity_id),
                namespace: Arc::clone(namespace),
                status,
                created_at,
                stats,
                stalled,
            });
        }
    }

    /// The totals of recorders that were read until `taken_at`. In a rollup, incomplete groups show counts as they were shown
    /// last, at least.
    pub(crate) fn finish(self, taken_at: Timestamp) -> Totals {
        let Self { mut totals, groups, memory, states, are_present, .. } = self;
        for (namespace, states) in totals.namespaces.iter_mut().zip(states) {
            namespace.by_state = STATES.into_iter().zip(states).collect();
        }
        totals.taken_at = taken_at;
        let mut left_out = HashSet::new();
        for Group { namespace, entity_id, sums, is_incomplete, counting_since } in groups {
            sums.for_each_left_out(&mut |dimension| {
                if left_out.len() >= MAX_LEFT_OUT {
                    return;
                }
                let left = dimension.of(&namespace);
                if left_out.insert(left.clone()) {
                    totals.left_out.push(left);
                }
            });
            let stats = sums.stats.clone();
            let (metrics, failed) = sums.finish();
            let metrics = metrics.into_iter().collect();
            let failed = failed.into_iter().collect();
            let mut group = GroupTotals { namespace, entity_id, stats, metrics, failed, counting_since };
            group.metrics.set_taken_at(totals.taken_at);
            if totals.scope == Scope::Rollup && are_present {
                if is_incomplete {
                    memory.with_last(&Arc::clone(&group.namespace), |last| group.raise_to(last));
                }
                memory.store(&group);
            }
            totals.groups.push(group);
        }
        totals
    }

    fn find_or_push_namespace(&mut self, namespace: &Arc<str>) -> usize {
        let last = self.totals.namespaces.get(self.last_namespace);
        if last.is_some_and(|last| Arc::ptr_eq(&last.namespace, namespace)) {
            return self.last_namespace;
        }
        let next = self.totals.namespaces.len();
        let index = *self.namespaces.entry(Arc::clone(namespace)).or_insert(next);
        if index == next {
            let namespace = Arc::clone(namespace);
            if self.totals.scope == Scope::Rollup {
                let sums = GroupSums::of_namespace(Shown::of(&self.memory, &namespace));
                let namespace = Arc::clone(&namespace);
                // The events of removed recorders are counted too.
                let counting_since = self.totals.started_at;
                self.groups.push(Group {
                    namespace,
                    entity_id: None,
                    sums,
                    is_incomplete: false,
                    counting_since,
                });
            }
            let by_state = BTreeMap::new();
            let namespace = NamespaceRecorders { namespace, by_state, stalled: 0, removed: 0, unread: 0 };
            self.totals.namespaces.push(namespace);
            self.states.push([0; STATES.len()]);
        }
        self.last_namespace = index;
        index
    }

    fn find_or_push_entity(&mut self, namespace: &Arc<str>, entity_id: &Arc<str>) -> usize {
        let next = self.groups.len();
        let key = (Arc::clone(namespace), Arc::clone(entity_id));
        let index = *self.entities.entry(key).or_insert(next);
        if index == next {
            let (namespace, entity_id) = (Arc::clone(namespace), Some(Arc::clone(entity_id)));
            let sums = GroupSums::default();
            let counting_since = Timestamp::default();
            self.groups.push(Group { namespace, entity_id, sums, is_incomplete: false, counting_since });
        }
        index
    }
}
