//! The snapshot of a whole runtime: its recorders one by one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::collector::{Collector, ReadRecorder};
use super::constant_labels::ConstantLabels;
use super::removed::RemovedRecorders;
use super::shared_text::{self, distinct, fitting_stats};
use super::value::{Scope, Totals};
use crate::snapshot::{MetricSnapshot, MetricSnapshots, Timestamp};
use crate::state::{MetricsRecorderState, MetricsRuntimeState};
use crate::stats::RecorderStats;

/// The state of a runtime with all its recorders, read by [`MetricsRuntime::snapshot`](crate::MetricsRuntime::snapshot).
///
/// Serialises with serde as `{"namespace", "status", "taken_at", "started_at", "recorders": [{"id", "entity_id", "namespace",
/// "status", "created_at", "stats", "metrics"}, ..]}`, and is read back equal. Times are seconds since 1970. `==` does not
/// compare them.
///
/// ```
/// use mvx_metrics::{MetricsRuntime, RuntimeSnapshot};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// runtime.create_recorder("north")?;
/// runtime.create_recorder("south")?;
/// for recorder in runtime.snapshot()?.recorders {
///     println!("{} is {}: {} events, {} dropped", recorder.id, recorder.status, recorder.stats.accepted, recorder.stats.dropped);
/// }
/// let snapshot = runtime.snapshot()?;
/// let json = serde_json::to_string(&snapshot)?;
/// assert_eq!(serde_json::from_str::<RuntimeSnapshot>(&json)?, snapshot);
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct RuntimeSnapshot {
    /// The runtime's namespace.
    #[serde(with = "shared_text")]
    pub namespace: Arc<str>,
    #[serde(default, skip_serializing_if = "ConstantLabels::is_empty")]
    pub(crate) labels: ConstantLabels,
    /// The state the runtime was in.
    pub status: MetricsRuntimeState,
    pub(crate) taken_at: Timestamp,
    pub(crate) started_at: Timestamp,
    /// The recorders in the order of their creation.
    #[serde(deserialize_with = "distinct_recorders")]
    pub recorders: Vec<RecorderSnapshot>,
    #[serde(skip)]
    pub(crate) removed: Arc<RemovedRecorders>,
}

/// The state of one recorder at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecorderSnapshot {
    /// The id under which the recorder is registered.
    #[serde(with = "shared_text")]
    pub id: Arc<str>,
    /// The measured entity.
    #[serde(with = "shared_text")]
    pub entity_id: Arc<str>,
    /// The recorder's namespace.
    #[serde(with = "shared_text")]
    pub namespace: Arc<str>,
    /// The state the recorder was in.
    pub status: MetricsRecorderState,
    pub(crate) created_at: Timestamp,
    /// The counts of its events.
    #[serde(deserialize_with = "fitting_stats")]
    pub stats: RecorderStats,
    /// The state of its metrics, in the order of their registration.
    #[serde(serialize_with = "MetricSnapshots::serialize_declared")]
    pub metrics: MetricSnapshots,
    /// Whether the metrics could not be read, because a handler or another reader held them for long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
    /// The last states of replaced metrics.
    #[serde(skip)]
    pub(crate) replaced: Vec<MetricSnapshot>,
}

fn distinct_recorders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RecorderSnapshot>, D::Error> {
    distinct(deserializer, |recorder: &RecorderSnapshot| format!("the recorder `{}`", recorder.id))
}

impl RuntimeSnapshot {
    /// The constant labels of the process, set with [`MetricsRuntimeBuilder::label`](crate::MetricsRuntimeBuilder::label).
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        self.labels.as_map()
    }

    /// When the snapshot was taken.
    #[must_use]
    pub fn taken_at(&self) -> SystemTime {
        self.taken_at.system_time()
    }

    /// When the runtime was started.
    #[must_use]
    pub fn started_at(&self) -> SystemTime {
        self.started_at.system_time()
    }

    /// The totals of these recorders.
    ///
    /// A rollup contains the counts of recorders that were removed before the snapshot, and of metrics that were replaced,
    /// unless the snapshot was read back.
    #[must_use]
    pub fn totals(&self, scope: Scope) -> Totals {
        let mut collector =
            Collector::new(scope, &self.namespace, &self.labels, self.status, self.started_at, &self.removed)
                .of_another_time();
        for recorder in &self.recorders {
            collector.add(recorder.read());
        }
        collector.finish(self.taken_at)
    }
}

impl Serialize for RuntimeSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for RuntimeSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut snapshot = Self::deserialize(deserializer)?;
        for recorder in &mut snapshot.recorders {
            recorder.metrics.set_taken_at(snapshot.taken_at);
        }
        Ok(snapshot)
    }
}

impl PartialEq for RuntimeSnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.namespace == other.namespace
            && self.labels == other.labels
            && self.status == other.status
            && self.recorders == other.recorders
    }
}

impl RecorderSnapshot {
    pub(crate) fn of(recorder: ReadRecorder<'_>) -> Self {
        Self {
            id: Arc::clone(recorder.id),
            entity_id: Arc::clone(recorder.entity_id),
            namespace: Arc::clone(recorder.namespace),
            status: recorder.status,
            created_at: recorder.created_at,
            stats: recorder.stats,
            metrics: recorder.metrics.into_iter().collect(),
            stalled: recorder.stalled,
            replaced: recorder.replaced,
        }
    }

    pub(crate) fn read(&self) -> ReadRecorder<'_> {
        ReadRecorder {
            id: &self.id,
            entity_id: &self.entity_id,
            namespace: &self.namespace,
            status: self.status,
            created_at: self.created_at,
            stats: self.stats.clone(),
            metrics: self.metrics.iter().cloned().collect(),
            stalled: self.stalled,
            replaced: self.replaced.clone(),
        }
    }

    /// When the recorder was created.
    #[must_use]
    pub fn created_at(&self) -> SystemTime {
        self.created_at.system_time()
    }
}

impl PartialEq for RecorderSnapshot {
    fn eq(&self, other: &Self) -> bool {
        let Self { id, entity_id, namespace, status, created_at: _, stats, metrics, stalled, replaced: _ } =
            self;
        (id, entity_id, namespace, status, stats, metrics, stalled)
            == (
                &other.id,
                &other.entity_id,
                &other.namespace,
                &other.status,
                &other.stats,
                &other.metrics,
                &other.stalled,
            )
    }
}
