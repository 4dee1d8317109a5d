//! The snapshot of a whole runtime: all its recorders, read one by one while they go on.

use std::sync::Arc;
#[cfg(feature = "openmetrics")]
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use crate::descriptor::MetricDescriptor;
use crate::log::Kind;
use crate::recorder::{MetricsRecorder, MetricsRecorderState, Observation, RecorderStats};
use crate::runtime::registry::Listed;
use crate::runtime::shared::Shared;
use crate::runtime::{MetricsRuntime, MetricsRuntimeState, Result};
use crate::snapshot::MetricSnapshots;

/// How many recorders are asked at a time to process what is pending.
const BATCH: usize = 256;
/// How many recorders are listed under one lock of the registry.
const LISTED_AT_ONCE: usize = 256;
/// How long the observer of a runtime waits in all for pending events to be processed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The state of a runtime with all its recorders, read by [`MetricsRuntime::snapshot`].
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
    #[cfg(feature = "openmetrics")]
    #[serde(skip)]
    pub(crate) retired: crate::export::Retired,
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
    /// What became of its events.
    pub stats: RecorderStats,
    /// The state of its metrics, in the order of their registration.
    pub metrics: MetricSnapshots,
    /// Whether the metrics could not be read because one of their handlers would not come to an end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
    /// What the metrics measure, in the same order.
    #[serde(skip)]
    pub descriptors: Vec<MetricDescriptor>,
}

impl RecorderSnapshot {
    fn new(listed: &Listed, observation: Observation) -> Self {
        let stalled = observation.metrics.is_none();
        let (descriptors, metrics): (Vec<_>, Vec<_>) = observation.metrics.into_iter().flatten().unzip();
        Self {
            id: Arc::clone(&listed.id),
            entity_id: Arc::clone(listed.core.shared_entity_id()),
            namespace: Arc::clone(listed.core.shared_namespace()),
            status: observation.status,
            stats: observation.stats,
            metrics: metrics.into_iter().collect(),
            stalled,
            descriptors,
        }
    }
}

impl MetricsRuntime {
    /// The state of all recorders with their metrics, in the order of their creation.
    ///
    /// Recorders are read one after the other while all of them go on; nothing is locked meanwhile but the one recorder
    /// that is being read, for some microseconds. Events accepted before the call are included unless a hook of their
    /// recorder is in progress, its handlers are stuck, or there are more than can be processed within two seconds.
    ///
    /// # Errors
    /// [`InvalidState`](crate::MetricsRuntimeError::InvalidState) unless the runtime runs;
    /// [`WouldDeadlock`](crate::MetricsRuntimeError::WouldDeadlock) in a hook.
    pub fn snapshot(&self) -> Result<RuntimeSnapshot> {
        self.shared.snapshot()
    }

    /// As [`snapshot`](Self::snapshot), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there.
    pub async fn snapshot_async(&self) -> Result<RuntimeSnapshot> {
        self.in_thread(Shared::snapshot).await
    }
}

/// The recorders of a runtime and what removed ones have counted, at one moment: a recorder is among the first or in the
/// second, and never in both.
pub(crate) struct Census {
    recorders: Vec<Listed>,
    #[cfg(feature = "openmetrics")]
    pub(crate) retired: crate::export::Retired,
}

impl Census {
    /// Reads the recorders one by one.
    pub(crate) fn visit(&self, mut visit: impl FnMut(RecorderSnapshot)) {
        let deadline = Instant::now() + PATIENCE;
        for batch in self.recorders.chunks(BATCH) {
            let wishes = batch.iter().map(|listed| (listed, listed.core.wish()));
            for (listed, wish) in wishes.collect::<Vec<_>>() {
                if let Some(wish) = wish {
                    listed.core.grant(&wish, deadline);
                }
            }
            for listed in batch {
                visit(RecorderSnapshot::new(listed, listed.core.observe()));
            }
        }
    }

    /// How many recorders there are.
    pub(crate) fn len(&self) -> usize {
        self.recorders.len()
    }
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Result<RuntimeSnapshot> {
        self.logged(Kind::Read, "metrics_runtime.snapshot", || {
            let census = self.census()?;
            let mut recorders = Vec::with_capacity(census.len());
            census.visit(|recorder| recorders.push(recorder));
            Ok(RuntimeSnapshot {
                namespace: Arc::clone(self.shared_namespace()),
                status: MetricsRuntimeState::Running,
                recorders,
                #[cfg(feature = "openmetrics")]
                retired: census.retired,
            })
        })
    }

    /// Lists the recorders; reading them comes later, without a lock.
    pub(crate) fn census(&self) -> Result<Census> {
        self.refuse_to_wait_here()?;
        #[cfg(feature = "openmetrics")]
        self.settle_late();
        #[cfg(feature = "openmetrics")]
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        // Piece by piece, so that nobody waits for the registry for long. Meanwhile nothing is removed from it: that needs
        // the lock on what is retired.
        let mut recorders = Vec::new();
        let mut next = Some(0);
        while let Some(from) = next {
            self.let_others_in();
            // Not under the lock.
            recorders.reserve(LISTED_AT_ONCE);
            next = self.running()?.registry.list(from, LISTED_AT_ONCE, &mut recorders);
        }
        Ok(Census {
            recorders,
            #[cfg(feature = "openmetrics")]
            retired: retired.clone(),
        })
    }

    /// Takes in the removed recorders that can be read at last.
    #[cfg(feature = "openmetrics")]
    fn settle_late(&self) {
        let retired = || self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let late = retired().late();
        for recorder in late {
            // Under no lock: snapshots are somebody else's code.
            if let Some(observation) = recorder.observe_if_idle() {
                retired().settle(&recorder, &observation);
            }
        }
    }

    /// Ends the removal of a recorder. What it has counted stays, from the very moment it is not listed any more.
    pub(super) fn retire(&self, number: u64, recorder: &MetricsRecorder) {
        #[cfg(feature = "openmetrics")]
        let observation = recorder.core().observe();
        #[cfg(feature = "openmetrics")]
        if observation.metrics.is_none() && self.log_policy() != crate::LogPolicy::Silent {
            // A subscriber is somebody else's code.
            crate::unwind::contain(|| {
                tracing::warn!(
                    target: "mvx_metrics::export", event = "metrics_export.late", entity_id = recorder.entity_id(),
                    error = "a handler holds the metrics of a removed recorder: the totals lack them until it lets go"
                );
            });
        }
        #[cfg(feature = "openmetrics")]
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(feature = "openmetrics")]
        retired.add(recorder.core(), &observation);
        #[cfg(not(feature = "openmetrics"))]
        let _ = recorder;
        let removed = self.control().registry.remove(number);
        #[cfg(feature = "openmetrics")]
        drop(retired);
        drop(removed);
    }
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
