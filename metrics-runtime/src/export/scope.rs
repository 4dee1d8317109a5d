//! Which recorders share their series.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::memory::Memory;
use super::totals::{Presence, Totals};
use crate::recorder::{MetricsRecorderState, Observation, RecorderCore};
use crate::runtime::RecorderSnapshot;

/// Which recorders share their series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Scope {
    /// All recorders of a namespace are rolled up into one. What removed recorders had counted stays in the totals, so that
    /// a counter never falls.
    #[default]
    Rollup,
    /// Each measured entity has series of its own, labelled `entity_id`. Those of a removed recorder are gone at once.
    PerEntity,
}

/// What removed recorders had counted, by namespace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retired {
    namespaces: BTreeMap<Arc<str>, Arc<RetiredTotals>>,
    /// Removed recorders whose metrics could not be read since.
    late: Vec<Late>,
    memory: Memory,
}

#[derive(Debug, Clone)]
struct RetiredTotals {
    totals: Totals,
    recorders: u64,
}

/// A removed recorder whose metrics could not be read since.
#[derive(Clone)]
struct Late(Arc<RecorderCore>);

impl fmt::Debug for Late {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.entity_id())
    }
}

impl Retired {
    /// Takes in the last state of a recorder, or the recorder as long as its metrics cannot be read.
    pub(crate) fn add(&mut self, recorder: &Arc<RecorderCore>, last: &Observation) {
        if last.metrics.is_none() {
            self.late.push(Late(Arc::clone(recorder)));
            return;
        }
        let namespace = recorder.shared_namespace();
        let retired = self.namespaces.entry(Arc::clone(namespace)).or_insert_with(|| {
            let totals = Totals::with_places(self.memory.places(namespace));
            Arc::new(RetiredTotals { totals, recorders: 0 })
        });
        // Copied only while a snapshot from before is still in use.
        let retired = Arc::make_mut(retired);
        retired.recorders += 1;
        retired.totals.add_stats(&last.stats, Presence::Removed);
        for (position, (descriptor, metric)) in last.metrics.iter().flatten().enumerate() {
            retired.totals.add_metric(position, descriptor, metric, Presence::Removed);
        }
    }

    /// The recorders whose metrics could not be read so far.
    pub(crate) fn late(&self) -> Vec<Arc<RecorderCore>> {
        self.late.iter().map(|late| Arc::clone(&late.0)).collect()
    }

    /// Takes in one of them, now that it could be read.
    pub(crate) fn settle(&mut self, recorder: &Arc<RecorderCore>, last: &Observation) {
        // Perhaps somebody else was faster. The caller has it too, so nothing of the user's is dropped here.
        if let Some(place) = self.late.iter().position(|late| Arc::ptr_eq(&late.0, recorder)) {
            self.late.remove(place);
            self.add(recorder, last);
        }
    }
}

/// The recorders that share their series, as one.
#[derive(Debug)]
pub(super) struct Scoped {
    pub(super) namespace: Arc<str>,
    pub(super) entity_id: Option<Arc<str>>,
    pub(super) totals: Totals,
    /// The recorders of a namespace; `None` for a single entity.
    pub(super) recorders: Option<Recorders>,
}

impl Scoped {
    /// Whether the metrics of some recorder are missing.
    pub(super) fn is_incomplete(&self) -> bool {
        self.recorders.as_ref().is_some_and(|recorders| recorders.stalled > 0)
    }
}

/// How many recorders there are.
#[derive(Debug, Default)]
pub(super) struct Recorders {
    pub(super) by_state: [u64; STATES.len()],
    pub(super) removed: u64,
    /// Those whose metrics could not be read.
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

/// Sorts recorders into scopes.
pub(crate) struct Collector {
    scope: Scope,
    scopes: Vec<Scoped>,
    memory: Memory,
    namespaces: HashMap<Arc<str>, usize>,
    entities: HashMap<(Arc<str>, Arc<str>), usize>,
    /// The namespace of the recorder before, which is mostly that of the next one.
    last: usize,
}

impl Collector {
    pub(crate) fn new(scope: Scope, namespace: &Arc<str>, retired: &Retired) -> Self {
        let mut collector = Self {
            scope,
            scopes: Vec::new(),
            memory: retired.memory.clone(),
            namespaces: HashMap::new(),
            entities: HashMap::new(),
            last: 0,
        };
        // There is always at least the one scope of the runtime itself.
        collector.namespace(namespace);
        for (namespace, retired) in &retired.namespaces {
            let place = collector.namespace(namespace);
            let scoped = &mut collector.scopes[place];
            scoped.recorders.get_or_insert_default().removed = retired.recorders;
            if scope == Scope::Rollup {
                scoped.totals = retired.totals.clone();
            }
        }
        for Late(recorder) in &retired.late {
            let place = collector.namespace(recorder.shared_namespace());
            let scoped = &mut collector.scopes[place];
            let recorders = scoped.recorders.get_or_insert_default();
            recorders.removed += 1;
            recorders.stalled += 1;
            if scope == Scope::Rollup {
                scoped.totals.add_stats(&recorder.stats(), Presence::Removed);
            }
        }
        collector
    }

    pub(crate) fn add(&mut self, recorder: &RecorderSnapshot) {
        let namespace = self.namespace(&recorder.namespace);
        let recorders = self.scopes[namespace].recorders.get_or_insert_default();
        if let Some(state) = STATES.iter().position(|state| *state == recorder.status) {
            recorders.by_state[state] += 1;
        }
        recorders.stalled += u64::from(recorder.stalled);
        let place = match self.scope {
            Scope::Rollup => namespace,
            Scope::PerEntity => self.entity(&recorder.namespace, &recorder.entity_id),
        };
        let totals = &mut self.scopes[place].totals;
        totals.add_stats(&recorder.stats, Presence::Live);
        for (position, (metric, descriptor)) in recorder.metrics.iter().zip(&recorder.descriptors).enumerate()
        {
            totals.add_metric(position, descriptor, metric, Presence::Live);
        }
    }

    pub(super) fn finish(self) -> (Vec<Scoped>, Memory) {
        (self.scopes, self.memory)
    }

    fn namespace(&mut self, namespace: &Arc<str>) -> usize {
        if self.scopes.get(self.last).is_some_and(|last| Arc::ptr_eq(&last.namespace, namespace)) {
            return self.last;
        }
        let next = self.scopes.len();
        let place = *self.namespaces.entry(Arc::clone(namespace)).or_insert(next);
        if place == next {
            self.push(namespace, None);
        }
        self.last = place;
        place
    }

    fn entity(&mut self, namespace: &Arc<str>, entity_id: &Arc<str>) -> usize {
        let next = self.scopes.len();
        let key = (Arc::clone(namespace), Arc::clone(entity_id));
        let place = *self.entities.entry(key).or_insert(next);
        if place == next {
            self.push(namespace, Some(Arc::clone(entity_id)));
        }
        place
    }

    fn push(&mut self, namespace: &Arc<str>, entity_id: Option<Arc<str>>) {
        let recorders = entity_id.is_none().then(Recorders::default);
        let totals = match self.scope {
            Scope::Rollup => Totals::with_places(self.memory.places(namespace)),
            Scope::PerEntity => Totals::default(),
        };
        self.scopes.push(Scoped { namespace: Arc::clone(namespace), entity_id, totals, recorders });
    }
}
