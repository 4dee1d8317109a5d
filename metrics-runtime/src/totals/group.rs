//! The parts of totals: groups of recorders, namespaces, recorders, and what is left out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::shared_text::{self, fitting_stats};
use crate::dispatch::TypedMetric;
use crate::snapshot::{MetricSnapshots, Timestamp};
use crate::state::MetricsRecorderState;
use crate::stats::RecorderStats;

/// The totals of the recorders of a namespace, or of an entity.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GroupTotals {
    /// The recorders' namespace.
    #[serde(with = "shared_text")]
    pub namespace: Arc<str>,
    /// The measured entity in [`Scope::PerEntity`](crate::Scope::PerEntity); `None` in a rollup.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "shared_text::optional")]
    pub entity_id: Option<Arc<str>>,
    /// The counts of the events of all recorders. Event types that a metric listens to have a count of dropped events from
    /// the beginning, 0 at first.
    #[serde(deserialize_with = "fitting_stats")]
    pub stats: RecorderStats,
    /// The metrics. `failed` has the first failure.
    #[serde(serialize_with = "MetricSnapshots::serialize_declared")]
    pub metrics: MetricSnapshots,
    /// For each metric that has failed, in how many recorders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<Cow<'static, str>, u64>,
    pub(super) counting_since: Timestamp,
}

/// How many recorders a namespace has, and how many it has lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NamespaceRecorders {
    /// The namespace.
    #[serde(with = "shared_text")]
    pub namespace: Arc<str>,
    /// The registered recorders by state. All states are there, also those of no recorder.
    pub by_state: BTreeMap<MetricsRecorderState, u64>,
    /// How many registered recorders could not be read, because a handler or another reader held their metrics for long.
    pub stalled: u64,
    /// How many recorders were removed.
    pub removed: u64,
    /// How many of the removed ones could not be read yet, because a handler still runs.
    pub unread: u64,
}

/// One registered recorder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RecorderTotals {
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
    pub(super) created_at: Timestamp,
    /// The counts of its events.
    #[serde(deserialize_with = "fitting_stats")]
    pub stats: RecorderStats,
    /// Whether the metrics could not be read, because a handler or another reader held them for long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stalled: bool,
}

/// A dimension that totals do not contain, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeftOut {
    /// The namespace of the group.
    #[serde(with = "shared_text")]
    pub namespace: Arc<str>,
    /// The metric's name.
    pub metric: String,
    /// The dimension's name; empty when several dimensions or the whole metric are left out.
    pub dimension: String,
    /// Why the totals do not contain all of its values.
    pub reason: Cow<'static, str>,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, dimension, reason, .. } = self;
        if dimension.is_empty() {
            return write!(formatter, "values of the metric `{metric}` are left out: {reason}");
        }
        write!(formatter, "`{dimension}` of the metric `{metric}` is left out: {reason}")
    }
}

impl GroupTotals {
    /// The typed total of a derived metric of this group. `None` as in [`Totals::get`](crate::Totals::get).
    #[must_use]
    pub fn get<M: TypedMetric>(&self) -> Option<M::Snapshot> {
        let metric = self.metrics.get(M::NAME)?;
        M::restore(metric, metric.times.taken_at)
    }

    /// Since when the recorders' events are counted: the start of the runtime in a rollup, else the creation of the entity's first
    /// recorder.
    #[must_use]
    pub fn counting_since(&self) -> SystemTime {
        self.counting_since.system_time()
    }

    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn created(&self) -> Timestamp {
        self.counting_since
    }
}

impl PartialEq for GroupTotals {
    fn eq(&self, other: &Self) -> bool {
        let Self { namespace, entity_id, stats, metrics, failed, counting_since: _ } = self;
        (namespace, entity_id, stats, metrics, failed)
            == (&other.namespace, &other.entity_id, &other.stats, &other.metrics, &other.failed)
    }
}

impl RecorderTotals {
    /// When the recorder was created.
    #[must_use]
    pub fn created_at(&self) -> SystemTime {
        self.created_at.system_time()
    }
}

impl PartialEq for RecorderTotals {
    fn eq(&self, other: &Self) -> bool {
        let Self { id, entity_id, namespace, status, created_at: _, stats, stalled } = self;
        (id, entity_id, namespace, status, stats, stalled)
            == (&other.id, &other.entity_id, &other.namespace, &other.status, &other.stats, &other.stalled)
    }
}
