//! What the page shows: the answer to `GET page/data`, as JSON.
//!
//! The service takes samples of its runtimes, for all clients together. Rates are those between the last two samples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::descriptor::DimensionKind;
use crate::state::{MetricsRecorderState, MetricsRuntimeState};

/// One look at a running program: the answer to `GET page/data`.
///
/// The query chooses what it has. Each parameter is optional, one that is not known is ignored, and a value that cannot be read counts as
/// missing:
///
/// | parameter | chooses | default |
/// |---|---|---|
/// | `namespace` | recorders and metrics of this namespace | all |
/// | `search` | recorders with this text in their id or entity id, in any case | all |
/// | `sort` | the order of the recorders: `rate`, `age`, `pending`, `loss` (dropped, rejected and discarded events) or `id` | `rate` |
/// | `order` | `asc` or `desc` | `asc` for ids, else `desc` |
/// | `page`, `size` | the page of the recorders, from 1, and how many it has, 1 to 200 | 1, 25 |
/// | `metric_search` | metrics with this text in their name, in any case | all |
/// | `metric_page` | the page of the metrics, from 1; each has 24 | 1 |
///
/// Names, ids, labels and texts are cut after 256 characters, and then end with `…`. An answer has at most 4 MiB, and usually less than 100 KiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PageData {
    /// The number of the last sample of the metrics. A client that has seen it already has all points of its charts.
    pub sample: u64,
    /// When the last sample of the metrics was taken: seconds since 1970.
    pub taken_at: f64,
    /// The seconds between the last two samples of the metrics; `None` after the first one, which has no rates.
    pub interval: Option<f64>,
    /// In how many seconds a client should look again. It grows with the time that a sample takes, so that looking stays cheap.
    pub next_look: f64,
    /// The runtimes of the service.
    pub runtimes: Vec<RuntimeRow>,
    /// The first 100 namespaces by name.
    pub namespaces: Vec<NamespaceRow>,
    /// How many namespaces there are.
    pub namespaces_total: usize,
    /// What is wrong, the worst first: at most 100, of which no kind takes the place of another one.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problems_total: usize,
    /// One page of the recorders.
    pub recorders: Listed<RecorderRow>,
    /// One page of the metrics, by namespace and name.
    pub metrics: Listed<MetricCard>,
}

/// One page of a longer list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listed<T> {
    /// How many there are in all.
    pub total: usize,
    /// How many fit the search.
    pub matching: usize,
    /// The number of this page, from 1. The last page is shown where the query asks for a later one.
    pub page: usize,
    /// How many a page has.
    pub size: usize,
    /// Those of this page.
    pub rows: Vec<T>,
}

/// One runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RuntimeRow {
    /// Its namespace.
    pub namespace: String,
    /// Its state.
    pub status: MetricsRuntimeState,
}

/// The recorders of one namespace, with the removed ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NamespaceRow {
    /// The namespace.
    pub namespace: String,
    /// The number of recorders by state.
    pub recorders: BTreeMap<MetricsRecorderState, u64>,
    /// The number of removed recorders.
    pub removed: u64,
    /// The recorders whose metrics could not be read in time.
    pub stalled: u64,
    /// Events taken into a queue.
    pub accepted: u64,
    /// Accepted events per second.
    pub rate: Option<f64>,
    /// Accepted events not yet processed.
    pub pending: u64,
    /// Events dropped at the limit.
    pub dropped: u64,
    /// Events handed back.
    pub rejected: u64,
    /// Accepted events lost to a failure.
    pub discarded: u64,
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// The namespace.
    pub namespace: String,
    /// What it is about: a metric, a type of events, a dimension or a recorder.
    pub subject: String,
    /// How many there are: failed recorders, dropped events, and so on.
    pub count: u64,
    /// The reason, empty where the kind tells all.
    pub detail: String,
}

/// The kinds of problems, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// A recorder has failed; the subject is its id.
    FailedRecorder,
    /// A metric is quarantined; the count says in how many recorders.
    QuarantinedMetric,
    /// Events of this type were dropped.
    DroppedEvents,
    /// Accepted events were lost to a failure.
    DiscardedEvents,
    /// Recorders could not be read in time.
    StalledRecorders,
    /// A dimension is missing in totals or texts.
    LeftOutDimension,
    /// Values of the metric could not be recorded.
    InvalidValues,
}

/// One recorder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecorderRow {
    /// The id under which it is registered.
    pub id: String,
    /// The measured entity.
    pub entity_id: String,
    /// Its namespace.
    pub namespace: String,
    /// Its state.
    pub status: MetricsRecorderState,
    /// How long it has existed, in seconds.
    pub age: f64,
    /// Accepted events per second; `None` when it is in one sample only.
    pub rate: Option<f64>,
    /// Events taken into its queue.
    pub accepted: u64,
    /// Accepted events not yet processed.
    pub pending: u64,
    /// Events dropped at the limit.
    pub dropped: u64,
    /// Events handed back.
    pub rejected: u64,
    /// Accepted events lost to a failure.
    pub discarded: u64,
}

/// One metric of one namespace: the totals of all its recorders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricCard {
    /// The namespace.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// The help text, empty when there is none.
    pub help: String,
    /// In how many recorders it is quarantined.
    pub failed: u64,
    /// How many values could not be recorded.
    pub invalid: u64,
    /// Its dimensions, up to about 32 KiB of them. A value of several named ones is shown as several dimensions.
    pub dimensions: Vec<DimensionCard>,
    /// How many further dimensions it has.
    pub more_dimensions: usize,
}

/// One dimension of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DimensionCard {
    /// The dimension's name.
    pub name: String,
    /// The help text, empty when there is none.
    pub help: String,
    /// The kind of aggregate.
    pub kind: DimensionKind,
    /// The unit of the numbers: `seconds` for all durations.
    pub unit: Option<String>,
    /// The seconds that a window shows.
    pub window: Option<u64>,
    /// The value, in seconds for durations: of a mean and of a histogram the mean, of a `Distinct` the estimate, of work in flight the
    /// present amount, of a `Top` the largest value. That of a breakdown is the value of all labels together, as the dimension merges them: of
    /// counters their sum, of minima the least. `None` while there is none.
    pub value: Option<f64>,
    /// A value that is no number: a text, `true` or `false`, or JSON.
    pub text: Option<String>,
    /// By how much the count grew per second between the last two samples: that of a counter, a sum, of the values in a mean or a
    /// histogram. `None` for what does not count, and after the first sample.
    pub rate: Option<f64>,
    /// The distribution of a histogram; of a breakdown of histograms, that of all labels together.
    pub distribution: Option<Distribution>,
    /// The labels of a breakdown or a `Top`.
    pub labels: Option<LabelRows>,
}

/// The values of a histogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Distribution {
    /// How many values there are in all.
    pub count: u64,
    /// The bounds of the buckets, rising: bucket `i` has the values above `bounds[i]`, up to `bounds[i + 1]`. `None` is no bound.
    pub bounds: Vec<Option<f64>>,
    /// How many values came between the last two samples, by bucket: one fewer than bounds. Empty after the first sample. A window has the values
    /// that it shows.
    pub recent: Vec<u64>,
    /// The quantiles 0.5, 0.9 and 0.99 of these values; of all values while `recent` has none. `None` without values.
    pub quantiles: [Option<f64>; 3],
}

/// The largest labels of a dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LabelRows {
    /// The names of the parts of a label.
    pub names: Vec<String>,
    /// How many labels there are.
    pub total: usize,
    /// At most 10, those with the highest rate first, then those with the largest value.
    pub rows: Vec<LabelRow>,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LabelRow {
    /// The texts of its parts, each at most 256 characters long.
    pub label: Vec<String>,
    /// As [`DimensionCard::value`].
    pub value: Option<f64>,
    /// As [`DimensionCard::rate`].
    pub rate: Option<f64>,
}
