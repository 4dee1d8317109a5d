//! Export: the metrics of a runtime as text for Prometheus. Feature `openmetrics`.
//!
//! [`MetricsRuntime::exposition`](crate::MetricsRuntime::exposition) reads the recorders one by one and renders their totals, and
//! [`MetricsRuntime::exposition_of`](crate::MetricsRuntime::exposition_of) those of several runtimes.
//! [`Totals::exposition`](crate::Totals::exposition) renders totals that were read before, also those of another process, and
//! [`RuntimeSnapshot::exposition`](crate::RuntimeSnapshot::exposition) a snapshot. All work in the calling thread and never in the
//! event loop. The module `http`, in the feature `http`, serves the same text over HTTP.
//! [`ExpositionOptions`] choose scope and format, name the labels of all series, show the process, and switch `_created` off.
//!
//! # Scopes
//!
//! [`Scope::Rollup`] shows the totals of each namespace, including the counts of removed recorders and of replaced metrics. A
//! recorder is removed and its last state is added to the totals in one step. So no scrape misses a recorder or counts it twice.
//! The totals take as much memory as two recorders of each kind in each namespace. Where a breakdown has a `limit`, the
//! labels seen first have series of their own, and keep them while recorders come and go. The labels of a gauge go with
//! their recorders.
//!
//! [`Scope::PerEntity`] shows each entity. There a metric that replaces another one counts from zero, as after a restart of the
//! program, and its `_created` series has the later time.
//!
//! A recorder cannot be read while a handler does not return; then `mvx_metrics_recorders_stalled` is not 0. Meanwhile the
//! counters and histograms of a rollup show at least the values they have shown before. If such a recorder is removed, its counts
//! are added as soon as it can be read. After a shutdown the text is that of the final state.
//!
//! # Labels of all series
//!
//! Every series has the label `namespace`, and in [`Scope::PerEntity`] `entity_id`. Both can be
//! [renamed](ExpositionOptions::namespace_label) or left out. Series that then coincide are added up, those of the library's health
//! too.
//!
//! Labels of the process, set with [`MetricsRuntimeBuilder::label`](crate::MetricsRuntimeBuilder::label), are on every series too,
//! or in the one series [`target_info`](ExpositionOptions::target_info). Prometheus joins it with
//! `* on (job, instance) group_left (region) target_info`. [`ExpositionOptions::label`] adds labels to one exposition.
//!
//! # Several runtimes
//!
//! In an exposition of several runtimes each family stands once, with the series of all. The series of each runtime have the labels
//! of that runtime. Series with equal labels are added up, so runtimes may share a namespace. The first runtime remembers which
//! dimension has which name. So expositions of the same runtimes name them in one order.
//!
//! # Series that begin with 0
//!
//! Labels that a type knows, at most 64 of them, have their series from the registration on: variants of an enum, `bool`, and
//! tuples of these. This holds for breakdowns of counters, sums, means, work in flight and histograms. So `increase()` in
//! Prometheus sees a first failure. The option `zeros = off` of the field shows labels only after their first event.
//!
//! # Names
//!
//! | declared | in the text | example |
//! |---|---|---|
//! | metric and dimension | joined with `_`; all but ASCII letters, digits and `_` becomes `_` | `disk.io` and `reads`: `disk_io_reads` |
//! | unit | a suffix that appears once, wherever the declared names have it; `%` is spelled `percent`, `/` is spelled `_per_` | `read_bytes`, unit `bytes`: `disk_io_read_bytes` |
//! | counters | `_total` as the last suffix, once | `reads_total`: `disk_io_reads_total` |
//! | other types | no `_total` at the end | gauge `open_total`: `disk_io_open` |
//! | labels of a breakdown | as [`by`](macro@crate::Metric#labels) names them | `by = outcome`: `outcome="success"` |
//! | labels `namespace`, `entity_id`, `le`, `quantile`, `__..` of a breakdown, and those with the name of a constant label | prefixed with `exported_` | `exported_namespace` |
//!
//! # Types
//!
//! | dimension | type | in a rollup |
//! |---|---|---|
//! | `Counter`, `Sum<u64>`, `Sum<Duration>` | counter | adds up; stays when a recorder is removed |
//! | `Sum<i64>`, `Sum<f64>` | gauge, because it may fall | adds up; stays |
//! | `Min<T>`, `Max<T>` | gauge | the minimum, the maximum; stays |
//! | `Mean<u64>`, `Mean<Duration>` | summary with `_sum` and `_count` | both add up; stay |
//! | `Mean<i64>`, `Mean<f64>` | gauge with the mean, because the sum may fall | the mean of all values; stays |
//! | `InFlight` | gauge, started minus finished | adds up; stays, as work may end in another recorder than it began in |
//! | `Gauge<T>` | gauge | by its `merge` rule; goes with its recorder |
//! | `Histogram<T>` | histogram | adds up bucket by bucket; stays |
//! | `Breakdown<L, D>` | as `D`, with labels | label by label, within its `limit`; as `D` |
//! | `Recent<D, SECS>` | gauge, because it may fall; a mean shows the mean, a histogram the quantiles 0.5, 0.9, 0.95 and 0.99 with a label `quantile` | as `D`; goes with its recorder |
//! | a custom number | unknown | by its type's `MERGE` or the field's `merge = ..`, else left out; stays |
//! | several named custom values ([`DimensionValue::map`](crate::DimensionValue::map)) | one family for each, with its name at the end | as a custom number |
//!
//! Durations are in seconds. Empty values, unknown extremes, texts and lists have no series, and neither have the mean and the
//! quantiles of an empty window. In OpenMetrics counters, histograms and summaries also have `_created`, the time since when they
//! count; windows have not.
//!
//! A custom dimension that does not declare how it merges is not in a rollup. It is listed in
//! [`Totals::left_out`](crate::Totals::left_out) and in [`Exposition::skipped`].
//!
//! # When names clash
//!
//! The first exposition that shows a name gives it to one dimension of one metric, for the life of the runtime. Later
//! expositions skip any other dimension that would get the same name, and a histogram of the same name with other buckets. Such
//! dimensions are listed in [`Exposition::skipped`], logged, and counted in `mvx_metrics_dimensions_left_out`.
//!
//! # The library's own health
//!
//! `mvx_metrics_events_accepted_total`, `.._processed_total`, `.._dropped_total` by `event_type`, `.._rejected_total`,
//! `.._discarded_total`, `mvx_metrics_events_pending`, `mvx_metrics_recorders` by `state`, `mvx_metrics_recorders_removed_total`,
//! `mvx_metrics_recorders_stalled`, `mvx_metrics_metrics_failed` and `mvx_metrics_values_invalid_total` by `metric`. They begin with 0:
//! the dropped events have a series for each event type that a registered metric listens to, the last two for each metric.
//!
//! CPU time, memory and files of the process come with the feature `process`: `ExpositionOptions::process`. Linux only.

mod exposition;
mod family;
mod family_key;
mod family_type;
mod format;
mod groups;
mod health;
mod labels;
mod memory;
mod name;
mod options;
mod parts;
mod process;
mod skipped;
mod text;

pub use crate::totals::Scope;
pub use exposition::{Exposition, UnreadRuntime};
pub use format::Format;
pub use options::ExpositionOptions;
pub use skipped::Skipped;

#[cfg(feature = "http")]
pub(crate) use exposition::exposition_of;
#[cfg(feature = "http")]
pub(crate) use exposition::read_all;
#[cfg(feature = "http")]
pub(crate) use skipped::warn;
