//! Export: the metrics of a runtime as text for Prometheus. Feature `openmetrics`.
//!
//! The module `http` serves this text over HTTP; it is in the feature `http`.
//!
//! Everything here reads snapshots, in the thread that asks for it and never on the metrics loop.
//! [`MetricsRuntime::exposition`](crate::MetricsRuntime::exposition) reads the recorders one by one and renders them,
//! [`RuntimeSnapshot::exposition`](crate::RuntimeSnapshot::exposition) renders what was read before.
//!
//! # Scopes
//!
//! [`Scope::Rollup`] shows the totals of each namespace. They include what removed recorders had counted: a recorder is
//! among the live ones until, in one step, its last state is added to the totals of the removed, so no scrape misses it or
//! counts it twice. Those totals take as much memory as two recorders of each kind in each namespace. Where a breakdown has a
//! `limit`, the labels that came first have the places, and keep them whatever recorders come and go; those of a gauge go with
//! their recorders. [`Scope::PerEntity`] shows each entity.
//!
//! A metric that is replaced in its recorder begins anew, as after a restart of the program. While a handler does not
//! come to an end, its recorder cannot be read, and `mvx_metrics_recorders_stalled` is not 0: counters and histograms of a
//! rollup then show what they have shown before, at least, and a recorder that is removed meanwhile is taken in later.
//!
//! # Names
//!
//! | what | becomes | example |
//! |---|---|---|
//! | metric and dimension | joined with `_`; all but ASCII letters, digits and `_` becomes `_` | `disk.io` and `reads`: `disk_io_reads` |
//! | unit | a suffix, once, whatever the declaration said; `%` is spelled `percent`, `/` is spelled `_per_` | `read_bytes`, unit `bytes`: `disk_io_read_bytes` |
//! | counters | `_total` as the last suffix, once | `reads_total`: `disk_io_reads_total` |
//! | other types | no `_total` at the end | gauge `open_total`: `disk_io_open` |
//! | labels of a breakdown | the names of the event's fields | `by = outcome`: `outcome="success"` |
//! | labels `namespace`, `entity_id`, `le`, `quantile`, `__..` of a breakdown | after `exported_` | `exported_namespace` |
//!
//! # Types
//!
//! | dimension | type | in a rollup |
//! |---|---|---|
//! | `Counter`, `Sum<u64>`, `Sum<Duration>` | counter | adds up; stays when a recorder is removed |
//! | `Sum<i64>`, `Sum<f64>` | gauge, because it may fall | adds up; stays |
//! | `Min<T>`, `Max<T>` | gauge | the least, the most; stays |
//! | `Mean<T>` | gauge | the mean of all values; stays |
//! | `InFlight` | gauge, started minus finished | adds up; stays, as work may end in another recorder than it began in |
//! | `Gauge<T>` | gauge | by its `merge` rule; gone with its recorder |
//! | `Histogram<T>` | histogram | adds up bucket by bucket; stays |
//! | `Breakdown<L, D>` | as `D`, with labels | label by label, within its `limit`; as `D` |
//! | a custom number | unknown | by its `merge` rule; stays |
//! | several custom values by name ([`DimensionValue::map`](crate::DimensionValue::map)) | one family for each, named after it, too | as a custom number |
//!
//! Durations are in seconds. What is empty has no series, and neither has a text.
//!
//! # When names clash
//!
//! A name stands for one dimension of one metric, from the first exposition on and for as long as the runtime lives. Another
//! dimension that would get the same name, or a histogram of other buckets under the name of the first, is left out of the
//! exposition, which says so in [`Exposition::skipped`], in the log, and in `mvx_metrics_dimensions_left_out`.
//!
//! # The library's own health
//!
//! `mvx_metrics_events_accepted_total`, `.._processed_total`, `.._dropped_total` by `event_type`, `.._rejected_total`,
//! `.._discarded_total`, `mvx_metrics_events_pending`, `mvx_metrics_recorders` by `state`, `mvx_metrics_recorders_removed_total`,
//! `mvx_metrics_recorders_stalled`, `mvx_metrics_metrics_failed` and `mvx_metrics_values_invalid_total` by `metric`.

mod exposition;
mod family;
mod format;
mod health;
mod memory;
mod name;
mod scope;
mod text;
mod totals;

pub use exposition::Exposition;
pub use family::Skipped;
pub use format::Format;
pub use scope::Scope;

pub(crate) use exposition::Reported;
pub(crate) use scope::Retired;
