//! Reading a runtime: its recorders one by one while they go on, and their totals.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::inner::{Result, RuntimeInner, invalid_state};
use super::registry::RegisteredRecorder;
use crate::engine::{Observation, RecorderInner};
use crate::log::OperationKind;
use crate::snapshot::Timestamp;
use crate::state::MetricsRuntimeState;
use crate::totals::{
    Collector, Memory, ReadRecorder, RecorderSnapshot, RemovedRecorders, RuntimeSnapshot, Scope, Totals,
};

/// How many recorders are asked together to process their pending events.
const DRAIN_BATCH_SIZE: usize = 256;
/// How many recorders are listed under one lock of the registry.
const LIST_BATCH_SIZE: usize = 256;
/// How long an observer of a runtime waits for pending events to be processed, for all recorders together.
const OBSERVER_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The recorders of a runtime, listed while it goes on.
pub(super) struct Registered {
    /// After the shutdown, only those that are still being removed.
    pub(super) recorders: Vec<RegisteredRecorder>,
    /// After the shutdown, the last states of the recorders that there were when it began.
    pub(super) last: Option<Arc<Vec<RecorderSnapshot>>>,
    status: MetricsRuntimeState,
    started_at: Timestamp,
    /// Recorders that were listed before the shutdown. They are kept because no recorder may be dropped under a lock.
    outdated: Vec<RegisteredRecorder>,
}

impl Registered {
    pub(super) fn none() -> Self {
        Self {
            recorders: Vec::new(),
            last: None,
            status: MetricsRuntimeState::Running,
            started_at: Timestamp::default(),
            outdated: Vec::new(),
        }
    }
}

/// The recorders of a runtime, and a copy of the removed ones' state, at one moment.
pub(crate) struct RecorderList {
    registered: Registered,
    removed: Arc<RemovedRecorders>,
}

impl RecorderList {
    /// Reads the recorders one by one. Returns how long it waited for other threads.
    pub(crate) fn read(&self, mut add: impl FnMut(ReadRecorder<'_>)) -> Duration {
        let Registered { recorders, last, .. } = &self.registered;
        last.iter().flat_map(|last| last.iter()).map(RecorderSnapshot::read).for_each(&mut add);
        let deadline = Instant::now() + OBSERVER_DRAIN_TIMEOUT;
        let mut waited = Duration::ZERO;
        for batch in recorders.chunks(DRAIN_BATCH_SIZE) {
            let requests: Vec<_> = batch.iter().map(|recorder| recorder.inner.request_drain()).collect();
            let began = Instant::now();
            for (recorder, request) in batch.iter().zip(&requests) {
                if let Some(request) = request {
                    recorder.inner.wait_drained(request, deadline);
                }
            }
            waited += began.elapsed();
            for recorder in batch {
                let observation = recorder.inner.observe();
                waited += observation.waited();
                add(read_recorder(&recorder.id, &recorder.inner, observation));
            }
        }
        waited
    }
}

impl RecorderList {
    /// Reads the recorders one by one and adds them up. Returns how long it waited for other threads, too.
    fn add_up(&self, mut collector: Collector) -> (Totals, Duration) {
        let waited = self.read(|recorder| collector.add(recorder));
        (collector.finish(Timestamp::now()), waited)
    }
}

pub(super) fn read_recorder<'a>(
    id: &'a Arc<str>,
    recorder: &'a RecorderInner,
    observation: Observation,
) -> ReadRecorder<'a> {
    ReadRecorder {
        id,
        entity_id: recorder.entity_id(),
        namespace: recorder.namespace(),
        status: observation.status,
        created_at: recorder.created_at(),
        stats: observation.stats,
        stalled: observation.metrics.is_none(),
        metrics: observation.metrics.unwrap_or_default(),
        replaced: observation.replaced,
    }
}

impl RuntimeInner {
    pub(crate) fn snapshot(&self) -> Result<RuntimeSnapshot> {
        self.logged(OperationKind::Read, "metrics_runtime.snapshot", || {
            let list = self.list_recorders()?;
            let mut recorders: Vec<RecorderSnapshot> = Vec::with_capacity(list.registered.recorders.len());
            list.read(|recorder| recorders.push(RecorderSnapshot::of(recorder)));
            let taken_at = Timestamp::now();
            for recorder in &mut recorders {
                recorder.metrics.set_taken_at(taken_at);
            }
            Ok(RuntimeSnapshot {
                namespace: Arc::clone(self.namespace()),
                labels: self.config.labels.clone(),
                status: list.registered.status,
                taken_at,
                started_at: list.registered.started_at,
                recorders,
                removed: list.removed,
            })
        })
    }

    pub(crate) fn totals(&self, scope: Scope) -> Result<Totals> {
        self.logged(OperationKind::Read, "metrics_runtime.totals", || {
            let list = self.list_recorders()?;
            Ok(list.add_up(self.collector(scope, &list)).0)
        })
    }

    /// The totals without the list of the recorders.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn totals_for_text(&self, scope: Scope) -> Result<Totals> {
        Ok(self.timed_totals(scope)?.0)
    }

    /// The same, and how long the call waited for other threads.
    #[allow(dead_code, reason = "the features `openmetrics` and `page` use it")]
    pub(crate) fn timed_totals(&self, scope: Scope) -> Result<(Totals, Duration)> {
        let list = self.list_recorders()?;
        Ok(list.add_up(self.collector(scope, &list).without_recorders()))
    }

    /// What the totals of this runtime remember.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn totals_memory(&self) -> Arc<Memory> {
        Arc::clone(&self.removed.lock().memory)
    }

    fn collector(&self, scope: Scope, list: &RecorderList) -> Collector {
        Collector::new(
            scope,
            self.namespace(),
            &self.config.labels,
            list.registered.status,
            list.registered.started_at,
            &list.removed,
        )
    }

    /// Lists the recorders. They are read later, without a lock.
    pub(crate) fn list_recorders(&self) -> Result<RecorderList> {
        self.check_may_wait()?;
        self.add_late_metrics();
        // The list is declared before the lock, so that the lock is free first, after an error too.
        let mut registered = Registered::none();
        // While this lock is held no recorder is removed.
        let removed_recorders = self.removed.lock();
        self.list_registered(&mut registered)?;
        let removed = Arc::new(removed_recorders.clone());
        drop(removed_recorders);
        registered.outdated = Vec::new();
        Ok(RecorderList { registered, removed })
    }

    /// Lists the recorders in the registry, in the order of their numbers. Recorders may be dropped with this list, which runs
    /// user code. So the caller drops it when it holds no lock.
    pub(super) fn list_registered(&self, list: &mut Registered) -> Result<()> {
        let mut next = Some(0);
        while let Some(mut from) = next {
            // The list grows while the registry is free.
            list.recorders.reserve(LIST_BATCH_SIZE);
            let state = self.state();
            (list.started_at, list.status) = (state.started_at, state.state);
            match (state.state, &state.last) {
                (MetricsRuntimeState::Running, _) => {}
                (MetricsRuntimeState::Closed | MetricsRuntimeState::Failure, Some(final_states)) => {
                    if list.last.is_none() {
                        // After a shutdown the registry has only recorders that are still being removed.
                        list.outdated = mem::take(&mut list.recorders);
                        from = 0;
                        list.last = Some(Arc::clone(&final_states.lock()));
                    }
                }
                (status, _) => return Err(invalid_state(status, MetricsRuntimeState::USABLE)),
            }
            next = state.registry.list(from, LIST_BATCH_SIZE, &mut list.recorders);
            // Other threads that need the registry get it before the next part of the list.
            drop(state);
        }
        Ok(())
    }

    /// Reads the removed recorders that could not be read when they were removed.
    fn add_late_metrics(&self) {
        let unread = self.removed.lock().unread();
        for recorder in unread {
            // A snapshot is user code, so no lock is held.
            if let Some(observation) = recorder.try_observe_final() {
                self.removed.lock().add_late(&recorder, &observation);
            }
        }
    }
}
