//! Export: the metrics of a runtime as text for Prometheus. Feature `openmetrics`.
//!
//! [`MetricsRuntime::exposition`](crate::MetricsRuntime::exposition) reads the recorders one by one and renders them.
//! [`RuntimeSnapshot::exposition`](crate::RuntimeSnapshot::exposition) renders a snapshot. Both work in the calling thread and
//! never in the event loop. The module `http`, in the feature `http`, serves the same text over HTTP.
//!
//! # Scopes
//!
//! [`Scope::Rollup`] shows the totals of each namespace, including the counts of removed recorders. A recorder is
//! removed and its last state is added to the totals in one step. So no scrape misses a recorder or counts it twice.
//! The totals take as much memory as two recorders of each kind in each namespace. Where a breakdown has a `limit`, the
//! labels seen first have series of their own, and keep them while recorders come and go. The labels of a gauge go with
//! their recorders.
//!
//! [`Scope::PerEntity`] shows each entity.
//!
//! A metric that replaces another one in its recorder counts from zero, as after a restart of the program. A recorder cannot be
//! read while a handler does not return; then `mvx_metrics_recorders_stalled` is not 0. Meanwhile the counters and histograms
//! of a rollup show at least the values they have shown before. If such a recorder is removed, its counts are added as soon as
//! it can be read.
//!
//! # Names
//!
//! | declared | in the text | example |
//! |---|---|---|
//! | metric and dimension | joined with `_`; all but ASCII letters, digits and `_` becomes `_` | `disk.io` and `reads`: `disk_io_reads` |
//! | unit | a suffix that appears once, wherever the declared names have it; `%` is spelled `percent`, `/` is spelled `_per_` | `read_bytes`, unit `bytes`: `disk_io_read_bytes` |
//! | counters | `_total` as the last suffix, once | `reads_total`: `disk_io_reads_total` |
//! | other types | no `_total` at the end | gauge `open_total`: `disk_io_open` |
//! | labels of a breakdown | the names of the event's fields | `by = outcome`: `outcome="success"` |
//! | labels `namespace`, `entity_id`, `le`, `quantile`, `__..` of a breakdown | prefixed with `exported_` | `exported_namespace` |
//!
//! # Types
//!
//! | dimension | type | in a rollup |
//! |---|---|---|
//! | `Counter`, `Sum<u64>`, `Sum<Duration>` | counter | adds up; stays when a recorder is removed |
//! | `Sum<i64>`, `Sum<f64>` | gauge, because it may fall | adds up; stays |
//! | `Min<T>`, `Max<T>` | gauge | the minimum, the maximum; stays |
//! | `Mean<T>` | gauge | the mean of all values; stays |
//! | `InFlight` | gauge, started minus finished | adds up; stays, as work may end in another recorder than it began in |
//! | `Gauge<T>` | gauge | by its `merge` rule; goes with its recorder |
//! | `Histogram<T>` | histogram | adds up bucket by bucket; stays |
//! | `Breakdown<L, D>` | as `D`, with labels | label by label, within its `limit`; as `D` |
//! | a custom number | unknown | by its `merge` rule; stays |
//! | several named custom values ([`DimensionValue::map`](crate::DimensionValue::map)) | one family for each, with its name at the end | as a custom number |
//!
//! Durations are in seconds. Empty values and texts have no series.
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
//! `mvx_metrics_recorders_stalled`, `mvx_metrics_metrics_failed` and `mvx_metrics_values_invalid_total` by `metric`.

mod collector;
mod exposition;
mod family;
mod family_key;
mod family_type;
mod format;
mod health;
mod history;
mod name;
mod removed;
mod skipped_log;
mod text;
mod totals;

pub use collector::Scope;
pub use exposition::Exposition;
pub use family::Skipped;
pub use format::Format;

#[cfg(feature = "http")]
pub(crate) use exposition::exposition;
pub(crate) use removed::RemovedTotals;
#[cfg(feature = "http")]
pub(crate) use skipped_log::warn;
