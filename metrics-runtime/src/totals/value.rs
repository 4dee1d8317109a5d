//! Totals as a value.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::constant_labels::ConstantLabels;
use super::group::{GroupTotals, LeftOut, NamespaceRecorders, RecorderTotals};
use super::memory::Memory;
use super::shared_text::{self, distinct};
use crate::dispatch::TypedMetric;
use crate::snapshot::{Merge, Timestamp};
use crate::state::MetricsRuntimeState;

/// Which recorders share their totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// All recorders of a namespace share their totals. The counts of removed recorders and of replaced metrics stay in the
    /// totals, so a counter never falls.
    #[default]
    Rollup,
    /// Each measured entity has totals of its own. Those of a removed recorder disappear at once.
    PerEntity,
}

/// The metrics of all recorders of a runtime, added up: read by [`MetricsRuntime::totals`](crate::MetricsRuntime::totals).
///
/// Totals have the same numbers as the text for Prometheus. They serialise with serde, and are read back equal, with JSON and
/// with MessagePack with field names. Each metric also has the key `declaration`, so the totals of several processes
/// [merge](Totals::merge). `==` compares the numbers and not the times.
///
/// ```
/// use mvx_metrics::{Counter, Metric, MetricsRuntime, Scope, Totals, metric_event};
///
/// #[metric_event]
/// struct Greeted;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Greeted))]
/// struct Greetings {
///     total: Counter,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// for id in ["north", "south"] {
///     let recorder = runtime.create_recorder(id)?;
///     recorder.metric::<Greetings>()?;
///     recorder.emit(Greeted);
/// }
/// runtime.stop_and_remove_recorder("south")?;
///
/// let totals = runtime.totals(Scope::Rollup)?;
/// assert_eq!(totals.get::<Greetings>("example").map(|greetings| greetings.total), Some(2));
/// assert_eq!((totals.recorders.len(), totals.namespaces[0].removed), (1, 1));
///
/// let json = serde_json::to_string(&totals)?;
/// assert_eq!(serde_json::from_str::<Totals>(&json)?, totals);
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
#[non_exhaustive]
pub struct Totals {
    /// Which recorders share their totals.
    pub scope: Scope,
    /// The runtime's namespace.
    #[serde(with = "shared_text")]
    pub namespace: Arc<str>,
    #[serde(default, skip_serializing_if = "ConstantLabels::is_empty")]
    pub(super) labels: ConstantLabels,
    /// The state the runtime was in.
    pub status: MetricsRuntimeState,
    pub(super) taken_at: Timestamp,
    pub(super) started_at: Timestamp,
    /// The recorders that share their totals: one group for each namespace, or one for each entity.
    #[serde(deserialize_with = "distinct_groups")]
    pub groups: Vec<GroupTotals>,
    /// All namespaces, in the order of the groups.
    #[serde(deserialize_with = "distinct_namespaces")]
    pub namespaces: Vec<NamespaceRecorders>,
    /// The registered recorders in the order of their creation.
    pub recorders: Vec<RecorderTotals>,
    /// The dimensions that the totals do not contain.
    pub left_out: Vec<LeftOut>,
    #[serde(skip)]
    pub(super) memory: Option<Arc<Memory>>,
}

impl Totals {
    /// The typed total of a derived metric in a namespace; in [`Scope::PerEntity`] merged over all entities.
    ///
    /// `None` when no recorder of the namespace has the metric, or when recorders have metrics of this name that are declared in
    /// another way. Also `None` when a dimension of the metric has no total, because it does not say how it merges. A metric that
    /// is written by hand has no typed total.
    #[must_use]
    pub fn get<M: TypedMetric<Snapshot: Merge>>(&self, namespace: &str) -> Option<M::Snapshot> {
        let groups = self.groups.iter().filter(|group| *group.namespace == *namespace);
        let mut merged: Option<M::Snapshot> = None;
        for metric in groups.filter_map(|group| group.metrics.get(M::NAME)) {
            let snapshot = M::restore(metric, self.taken_at)?;
            match &mut merged {
                None => merged = Some(snapshot),
                Some(merged) if metric.merges_completely() => merged.merge(&snapshot),
                Some(_) => return None,
            }
        }
        merged
    }

    /// The typed total of a derived metric of one entity. `None` as in [`get`](Self::get), and in a rollup.
    #[must_use]
    pub fn get_entity<M: TypedMetric>(&self, namespace: &str, entity_id: &str) -> Option<M::Snapshot> {
        let mut groups = self.groups.iter();
        let group = groups
            .find(|group| *group.namespace == *namespace && group.entity_id.as_deref() == Some(entity_id))?;
        group.get::<M>()
    }

    /// The constant labels of the process, set with [`MetricsRuntimeBuilder::label`](crate::MetricsRuntimeBuilder::label).
    /// Merged totals have those that are equal in all.
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        self.labels.as_map()
    }

    /// When the totals were read.
    #[must_use]
    pub fn taken_at(&self) -> SystemTime {
        self.taken_at.system_time()
    }

    /// The same in seconds since 1970.
    #[allow(dead_code, reason = "the feature `page` uses it")]
    pub(crate) fn taken_at_seconds(&self) -> f64 {
        self.taken_at.as_seconds()
    }

    /// When the runtime was started.
    #[must_use]
    pub fn started_at(&self) -> SystemTime {
        self.started_at.system_time()
    }

    /// What the totals of the runtime remember; `None` for totals that were read back.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn memory(&self) -> Option<&Arc<Memory>> {
        self.memory.as_ref()
    }

    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn runtime_started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How long a recorder has existed when the totals were read.
    #[must_use]
    pub fn age(&self, recorder: &RecorderTotals) -> Duration {
        self.taken_at().duration_since(recorder.created_at()).unwrap_or_default()
    }
}

impl Serialize for Totals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Totals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut totals = Self::deserialize(deserializer)?;
        for group in &mut totals.groups {
            group.metrics.set_taken_at(totals.taken_at);
        }
        Ok(totals)
    }
}

impl PartialEq for Totals {
    fn eq(&self, other: &Self) -> bool {
        self.scope == other.scope
            && self.namespace == other.namespace
            && self.labels == other.labels
            && self.status == other.status
            && self.groups == other.groups
            && self.namespaces == other.namespaces
            && self.recorders == other.recorders
            && self.left_out == other.left_out
    }
}

fn distinct_groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<GroupTotals>, D::Error> {
    distinct(deserializer, |group: &GroupTotals| match &group.entity_id {
        Some(entity_id) => format!("the entity `{entity_id}` of the namespace `{}`", group.namespace),
        None => format!("the namespace `{}`", group.namespace),
    })
}

fn distinct_namespaces<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<NamespaceRecorders>, D::Error> {
    distinct(deserializer, |namespace: &NamespaceRecorders| {
        format!("the namespace `{}`", namespace.namespace)
    })
}
