//! The snapshot of a whole runtime. Its recorders are read one by one while they go on.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use super::inner::{Result, RuntimeInner};
use super::registry::RegisteredRecorder;
use crate::descriptor::MetricDescriptor;
use crate::engine::{Observation, RecorderStats};
use crate::log::OperationKind;
use crate::snapshot::MetricSnapshots;
use crate::state::{MetricsRecorderState, MetricsRuntimeState};

/// How many recorders are asked together to process their pending events.
const DRAIN_BATCH_SIZE: usize = 256;
/// How many recorders are listed under one lock of the registry.
const LIST_BATCH_SIZE: usize = 256;
/// How long an observer of a runtime waits for pending events to be processed, for all recorders together.
const OBSERVER_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of a runtime with all its recorders, read by [`MetricsRuntime::snapshot`](crate::MetricsRuntime::snapshot).
///
/// Serialises with serde as `{"namespace", "status", "recorders": [{"id", "entity_id", "namespace", "status", "stats",
/// "metrics"}, ..]}`.
///
/// ```
/// use mvx_metrics::MetricsRuntime;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// runtime.create_recorder("north")?;
/// runtime.create_recorder("south")?;
/// for recorder in runtime.snapshot()?.recorders {
///     println!("{} is {}: {} events, {} dropped", recorder.id, recorder.status, recorder.stats.accepted, recorder.stats.dropped);
/// }
/// let json = serde_json::to_value(runtime.snapshot()?)?;
/// assert_eq!((&json["status"], &json["recorders"][1]["id"]), (&"RUNNING".into(), &"south".into()));
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RuntimeSnapshot {
    /// The runtime's namespace.
    #[serde(serialize_with = "text")]
    pub namespace: Arc<str>,
    /// The state the runtime was in.
    pub status: MetricsRuntimeState,
    /// The recorders in the order of their creation.
    pub recorders: Vec<RecorderSnapshot>,
    /// The state that an extension keeps of removed recorders.
    #[serde(skip)]
    #[allow(dead_code, reason = "only an extension reads it")]
    pub(crate) removed: Arc<dyn Any + Send + Sync>,
}

/// The state of one recorder at one moment.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RecorderSnapshot {
    /// The id under which the recorder is registered.
    #[serde(serialize_with = "text")]
    pub id: Arc<str>,
    /// The measured entity.
    #[serde(serialize_with = "text")]
    pub entity_id: Arc<str>,
    /// The recorder's namespace.
    #[serde(serialize_with = "text")]
    pub namespace: Arc<str>,
    /// The state the recorder was in.
    pub status: MetricsRecorderState,
    /// The counts of its events.
    pub stats: RecorderStats,
    /// The state of its metrics, in the order of their registration.
    pub metrics: MetricSnapshots,
    /// Whether the metrics could not be read, because a handler or another reader held them for long.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
    /// The declarations of the metrics, in the same order.
    #[serde(skip)]
    pub descriptors: Vec<MetricDescriptor>,
}

impl RecorderSnapshot {
    fn new(registered: &RegisteredRecorder, observation: Observation) -> Self {
        let stalled = observation.metrics.is_none();
        let (descriptors, metrics): (Vec<_>, Vec<_>) = observation.metrics.into_iter().flatten().unzip();
        Self {
            id: Arc::clone(&registered.id),
            entity_id: Arc::clone(registered.inner.entity_id()),
            namespace: Arc::clone(registered.inner.namespace()),
            status: observation.status,
            stats: observation.stats,
            metrics: metrics.into_iter().collect(),
            stalled,
            descriptors,
        }
    }
}

/// The recorders of a runtime, and a copy of the removed ones' state, at one moment.
pub(crate) struct RecorderList {
    recorders: Vec<RegisteredRecorder>,
    pub(crate) removed: Arc<dyn Any + Send + Sync>,
}

impl RecorderList {
    /// Reads the recorders one by one.
    pub(crate) fn read(&self, mut add: impl FnMut(RecorderSnapshot)) {
        let deadline = Instant::now() + OBSERVER_DRAIN_TIMEOUT;
        for batch in self.recorders.chunks(DRAIN_BATCH_SIZE) {
            let requests: Vec<_> = batch.iter().map(|recorder| recorder.inner.request_drain()).collect();
            for (recorder, request) in batch.iter().zip(&requests) {
                if let Some(request) = request {
                    recorder.inner.wait_drained(request, deadline);
                }
            }
            for recorder in batch {
                add(RecorderSnapshot::new(recorder, recorder.inner.observe()));
            }
        }
    }
}

impl RuntimeInner {
    pub(crate) fn snapshot(&self) -> Result<RuntimeSnapshot> {
        self.logged(OperationKind::Read, "metrics_runtime.snapshot", || {
            let list = self.list_recorders()?;
            let mut recorders = Vec::with_capacity(list.recorders.len());
            list.read(|recorder| recorders.push(recorder));
            Ok(RuntimeSnapshot {
                namespace: Arc::clone(self.namespace()),
                status: MetricsRuntimeState::Running,
                recorders,
                removed: list.removed,
            })
        })
    }

    /// Lists the recorders. They are read later, without a lock.
    pub(crate) fn list_recorders(&self) -> Result<RecorderList> {
        self.check_may_wait()?;
        self.add_late_metrics();
        // While this lock is held no recorder is removed.
        let removed_recorders = self.removed.lock();
        let mut recorders = Vec::new();
        let mut next = Some(0);
        while let Some(from) = next {
            // The list grows while the registry is free.
            recorders.reserve(LIST_BATCH_SIZE);
            let state = self.running()?;
            next = state.registry.list(from, LIST_BATCH_SIZE, &mut recorders);
            // Other threads that need the registry get it before the next part of the list.
            drop(state);
        }
        Ok(RecorderList { recorders, removed: removed_recorders.copy() })
    }

    /// Reads the removed recorders that could not be read when they were removed.
    fn add_late_metrics(&self) {
        let unread = self.removed.lock().unread();
        for recorder in unread {
            // A snapshot is user code, so no lock is held.
            if let Some(observation) = recorder.try_observe_drained() {
                self.removed.lock().add_late(&recorder, &observation);
            }
        }
    }
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
