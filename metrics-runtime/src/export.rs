//! Export: the metrics of a runtime in the formats of Prometheus. Feature `openmetrics`.
//!
//! [`MetricsRuntime::exposition`](crate::MetricsRuntime::exposition) reads the recorders one by one and renders their totals, and
//! [`MetricsRuntime::exposition_of`](crate::MetricsRuntime::exposition_of) those of several runtimes.
//! [`Totals::exposition`](crate::Totals::exposition) renders totals that were read before, also those of another process, and
//! [`RuntimeSnapshot::exposition`](crate::RuntimeSnapshot::exposition) a snapshot. All work in the calling thread and never in the
//! event loop. The module `http`, in the feature `http`, serves the same bytes over HTTP.
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
//! tuples of these. This holds for breakdowns of counters, sums, means, work in flight, histograms, counts of different values,
//! and windows of these. So `increase()` in Prometheus sees a first failure. Windows of means and histograms have no series while
//! they are empty. The option `zeros = off` of the field shows labels only after their first event.
//!
//! # Names
//!
//! | declared | in the text | example |
//! |---|---|---|
//! | metric and dimension | joined with `_`; all but ASCII letters, digits and `_` becomes `_` | `disk.io` and `reads`: `disk_io_reads` |
//! | unit | a suffix that appears once, wherever the declared names have it; `%` is spelled `percent`, `/` is spelled `_per_` | `read_bytes`, unit `bytes`: `disk_io_read_bytes` |
//! | counters | `_total` as the last suffix, once | `reads_total`: `disk_io_reads_total` |
//! | other types | no `_total` at the end | gauge `open_total`: `disk_io_open` |
//! | labels of a breakdown | as [`by`](macro@crate::Metric#names-of-labels) names them | `by = outcome`: `outcome="success"` |
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
//! | `Distinct` | gauge with the estimate | a value of several recorders counts once; stays |
//! | `Top<L, D>` | two gauges with labels: the values, and with `_error` after the name how much each may be too large. A unit stands behind it: `heaviest_error_bytes` | the largest of all labels; stays |
//! | `Breakdown<L, D>` | as `D`, with labels | label by label, within its `limit`; as `D` |
//! | `Recent<D, SECS>` | gauge, because it may fall; a mean shows the mean, a histogram the quantiles 0.5, 0.9, 0.95 and 0.99 with a label `quantile` | as `D`; goes with its recorder |
//! | a custom number | unknown | by its type's `MERGE` or the field's `merge = ..`, else left out; stays |
//! | several named custom values ([`DimensionValue::map`](crate::DimensionValue::map)) | one family for each, with its name at the end | as a custom number |
//!
//! Durations are in seconds. Empty values, unknown extremes, texts and lists have no series, and neither have the mean and the
//! quantiles of an empty window. In OpenMetrics counters, histograms and summaries also have `_created`, the time since when they
//! count; windows have not. In Protobuf it is the field `created_timestamp`.
//!
//! A histogram without declared buckets is shown at powers of two: from the octave of its smallest value to that of its largest one,
//! with 0 where it has zeros or negative values. All series of a family show the bounds that one of them needs. A bound that was shown
//! stays, and new ones are added as values need them. So a query may add up the series of one program bound by bound. Other
//! programs may show other bounds: name `buckets` where a query adds up several programs. Too small a `max_buckets` makes buckets wider than an octave, and a bound inside of such a bucket counts all of it: see
//! [how many are needed](crate::Histogram#how-many-buckets). A negative power of two counts the values below it, without those equal
//! to it.
//!
//! Bounds are written as OpenMetrics asks: `0.5`, `1000.0`, and from a million on, or below a ten-thousandth, `1e+06` and `1e-05`. The
//! labels of a query must be written in the same way.
//!
//! A `Top` shows all kept labels, each with two series. A label that is no longer kept leaves, and another one comes. So
//! `keep = 2_000` means 4,000 series in each scrape, and Prometheus stores those of all labels that ever were there. No option
//! shows only the first 20; `topk(20, ..)` shortens the answer of a query, not the scrape. A metric with a large
//! `keep` may be in a runtime of its own, which gets the events too and which `/metrics` does not serve. A page of the program then
//! shows the first entries of its snapshot.
//!
//! A custom dimension that does not declare how it merges is not in a rollup. It is listed in
//! [`Totals::left_out`](crate::Totals::left_out) and in [`Exposition::skipped`].
//!
//! # Native histograms
//!
//! [`Format::Protobuf`] has the same families, labels and numbers as the texts, in messages of Protocol Buffers. It is for
//! Prometheus with native histograms. A `Histogram<T>` without declared bounds is one such histogram there: one series with all of
//! its buckets, at most 160, or as many as the `max_buckets` of its field allows. The texts show the powers of two only.
//!
//! | version | native histograms are switched on by |
//! |---|---|
//! | 2.40 to 3.8 | the argument `--enable-feature=native-histograms` |
//! | 3.8 and later | the setting `scrape_native_histograms: true`, for all jobs or for one |
//!
//! Prometheus then asks for this format, and [`Format::negotiate`] finds it. Queries name the histogram without `_bucket`, and
//! group without `le`:
//!
//! ```text
//! histogram_quantile(0.95, sum by (route) (rate(http_requests_duration_seconds[5m])))
//! histogram_fraction(0, 0.25, rate(http_requests_duration_seconds[5m]))
//! histogram_count(rate(http_requests_duration_seconds[5m]))
//! ```
//!
//! Prometheus finds the bucket that has the exact quantile, and interpolates inside of it. So the error is at most 4.5% when the
//! largest value is at most 950 times the smallest, and at most 9.1% up to 900,000 times, and 19% up to 9 * 10<sup>11</sup> times.
//! [`HistogramSnapshot::quantile`](crate::HistogramSnapshot::quantile) answers the middle of the bucket, with half of these errors.
//!
//! * Buckets become coarser where Prometheus has none so fine, above scale 8. The zero bucket also has the values up to
//!   2<sup>-128</sup>.
//! * The message of a native histogram has the buckets of the texts too. Prometheus keeps both with
//!   `always_scrape_classic_histograms`, so that a dashboard can move from one to the other. Other clients that read the format,
//!   such as Telegraf, know these buckets only.
//! * Histograms with declared bounds stay classic ones.
//! * A histogram below scale -4 is a classic one, and so is one that was written by hand with more than 2<sup>63</sup> values.
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

mod bounds;
mod exposition;
mod family;
mod family_key;
mod family_type;
mod format;
mod groups;
mod labels;
mod memory;
mod name;
mod options;
mod power_bounds;
mod process;
mod protobuf;
mod series;
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
#[cfg(feature = "page")]
pub(crate) use exposition::skipped_of;
#[cfg(feature = "http")]
pub(crate) use skipped::warn;
