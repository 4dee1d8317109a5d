//! The collector: sorts recorders into groups that share series, and adds them up.

use std::collections::HashMap;
use std::sync::Arc;

use super::history::SeriesHistory;
use super::removed::{RemovedTotals, UnreadRecorder};
use super::totals::{Presence, Totals};
use crate::runtime::RecorderSnapshot;
use crate::state::MetricsRecorderState;

/// Which recorders share series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Scope {
    /// All recorders of a namespace share series, which show their totals. The counts of removed recorders stay in the
    /// totals, so a counter never falls.
    #[default]
    Rollup,
    /// Each measured entity has series of its own, labelled `entity_id`. The series of a removed recorder disappear at once.
    PerEntity,
}

/// Recorders that share series, as one.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) namespace: Arc<str>,
    pub(super) entity_id: Option<Arc<str>>,
    pub(super) totals: Totals,
    /// How many recorders the namespace has; `None` for the group of one entity.
    pub(super) recorders: Option<RecorderCounts>,
}

impl Group {
    /// Whether the totals lack the metrics of some recorder.
    pub(super) fn is_incomplete(&self) -> bool {
        self.recorders.as_ref().is_some_and(|recorders| recorders.stalled > 0)
    }
}

/// How many recorders a namespace has.
#[derive(Debug, Default)]
pub(super) struct RecorderCounts {
    /// In the order of [`STATES`].
    pub(super) by_state: [u64; STATES.len()],
    pub(super) removed: u64,
    /// Recorders that could not be read.
    pub(super) stalled: u64,
}

pub(super) const STATES: [MetricsRecorderState; 7] = [
    MetricsRecorderState::Virgin,
    MetricsRecorderState::Starting,
    MetricsRecorderState::Running,
    MetricsRecorderState::Stopping,
    MetricsRecorderState::Stopped,
    MetricsRecorderState::Failure,
    MetricsRecorderState::Cancelled,
];

/// Sorts recorders into groups and adds them up.
pub(super) struct Collector {
    scope: Scope,
    groups: Vec<Group>,
    history: SeriesHistory,
    /// The index of the group of each namespace.
    namespaces: HashMap<Arc<str>, usize>,
    /// The index of the group of each namespace and entity.
    entities: HashMap<(Arc<str>, Arc<str>), usize>,
    /// The index of the namespace of the last recorder. Most often the next recorder has the same one.
    last_namespace: usize,
}

impl Collector {
    /// A collector that has collected the removed recorders. The runtime's own namespace always has a group.
    pub(super) fn new(scope: Scope, namespace: &Arc<str>, removed: &RemovedTotals) -> Self {
        let mut collector = Self {
            scope,
            groups: Vec::new(),
            history: removed.history.clone(),
            namespaces: HashMap::new(),
            entities: HashMap::new(),
            last_namespace: 0,
        };
        collector.find_or_push_namespace(namespace);
        for (namespace, removed) in &removed.namespaces {
            let index = collector.find_or_push_namespace(namespace);
            let group = &mut collector.groups[index];
            group.recorders.get_or_insert_default().removed = removed.recorders;
            if scope == Scope::Rollup {
                group.totals = removed.totals.clone();
            }
        }
        for UnreadRecorder(recorder) in &removed.unread {
            let index = collector.find_or_push_namespace(recorder.namespace());
            let group = &mut collector.groups[index];
            let recorders = group.recorders.get_or_insert_default();
            recorders.removed += 1;
            recorders.stalled += 1;
            if scope == Scope::Rollup {
                group.totals.add_stats(&recorder.stats(), Presence::Removed);
            }
        }
        collector
    }

    /// Adds a registered recorder to its group.
    pub(super) fn add(&mut self, recorder: &RecorderSnapshot) {
        let namespace = self.find_or_push_namespace(&recorder.namespace);
        let recorders = self.groups[namespace].recorders.get_or_insert_default();
        if let Some(state) = STATES.iter().position(|state| *state == recorder.status) {
            recorders.by_state[state] += 1;
        }
        recorders.stalled += u64::from(recorder.stalled);
        let index = match self.scope {
            Scope::Rollup => namespace,
            Scope::PerEntity => self.find_or_push_entity(&recorder.namespace, &recorder.entity_id),
        };
        let totals = &mut self.groups[index].totals;
        totals.add_stats(&recorder.stats, Presence::Live);
        for (position, (metric, descriptor)) in recorder.metrics.iter().zip(&recorder.descriptors).enumerate()
        {
            totals.add_metric(position, descriptor, metric, Presence::Live);
        }
    }

    /// The groups. In a rollup, incomplete ones show counters and histograms as they were shown last, at least.
    pub(super) fn finish(self) -> (Vec<Group>, SeriesHistory) {
        let Self { scope, mut groups, history, .. } = self;
        if scope == Scope::Rollup {
            for group in groups.iter_mut().filter(|group| group.is_incomplete()) {
                history.fill_gaps(&group.namespace, &mut group.totals);
            }
        }
        (groups, history)
    }

    fn find_or_push_namespace(&mut self, namespace: &Arc<str>) -> usize {
        if self.groups.get(self.last_namespace).is_some_and(|last| Arc::ptr_eq(&last.namespace, namespace)) {
            return self.last_namespace;
        }
        let next = self.groups.len();
        let index = *self.namespaces.entry(Arc::clone(namespace)).or_insert(next);
        if index == next {
            self.push_group(namespace, None);
        }
        self.last_namespace = index;
        index
    }

    fn find_or_push_entity(&mut self, namespace: &Arc<str>, entity_id: &Arc<str>) -> usize {
        let next = self.groups.len();
        let key = (Arc::clone(namespace), Arc::clone(entity_id));
        let index = *self.entities.entry(key).or_insert(next);
        if index == next {
            self.push_group(namespace, Some(Arc::clone(entity_id)));
        }
        index
    }

    fn push_group(&mut self, namespace: &Arc<str>, entity_id: Option<Arc<str>>) {
        let recorders = entity_id.is_none().then(RecorderCounts::default);
        let totals = match self.scope {
            Scope::Rollup => Totals::with_label_slots(self.history.get_or_create_label_slots(namespace)),
            Scope::PerEntity => Totals::default(),
        };
        self.groups.push(Group { namespace: Arc::clone(namespace), entity_id, totals, recorders });
    }
}
