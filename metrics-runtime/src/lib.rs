//! Metrics from typed domain events.
//!
//! Production code emits events that say what happened. Metrics turn these events into numbers. Neither depends on the other:
//!
//! ```text
//! production code -> event -> recorder handoff (bounded queue) -> runtime thread
//!                 -> dispatch table (TypeId) -> metric state -> snapshot -> consumer / exporter
//! ```
//!
//! * An **event** is a plain struct or enum with [`#[metric_event]`](macro@metric_event). It says what happened: an upload
//!   ended, with this result, after this time.
//! * A **metric** is a struct with [`#[derive(Metric)]`](macro@Metric). Its fields are its dimensions. A field's type says how
//!   values are aggregated; its attribute says where they come from.
//! * A [`MetricsRecorder`] is the handle that a component holds. There is one for each measured scope: a component, a
//!   connection, a session. It takes events from any thread, in sync and async code, usually without a lock. The call never
//!   waits for room or for other events.
//! * The [`MetricsRuntime`] belongs to the application. It has one thread for all its recorders.
//! * A **snapshot** is the state at one moment, [typed](MetricHandle::snapshot) or [by name](MetricsRecorder::metric_snapshots).
//!   `later.since(&earlier)` is the interval between two.
//! * [`Totals`] add up the recorders of a runtime, with those that were removed.
//!
//! ```
//! use mvx_metrics::{Counter, Max, Metric, MetricsRuntime, metric_event};
//! use std::time::Duration;
//!
//! #[metric_event]
//! struct UploadEnded {
//!     stored: bool,
//!     elapsed: Duration,
//! }
//!
//! #[derive(Metric, Default)]
//! #[metric(on(UploadEnded))]
//! struct Uploads {
//!     total: Counter,
//!     #[dimension(when = |e| !e.stored)]
//!     failed: Counter,
//!     #[dimension(value = elapsed)]
//!     slowest: Max<Duration>,
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let runtime = MetricsRuntime::new("example")?;
//!     runtime.start()?;
//!     let recorder = runtime.create_recorder("uploads")?;
//!     let uploads = recorder.metric::<Uploads>()?;
//!
//!     recorder.emit(UploadEnded { stored: true, elapsed: Duration::from_millis(30) });
//!     recorder.emit(UploadEnded { stored: false, elapsed: Duration::from_millis(70) });
//!
//!     let uploads = uploads.snapshot()?;
//!     assert_eq!((uploads.total, uploads.failed), (2, 1));
//!     assert_eq!(uploads.slowest, Some(Duration::from_millis(70)));
//!     runtime.shutdown()?;
//!     Ok(())
//! }
//! ```
//!
//! The [`guide`] continues from here, with a chapter for each task.
//!
//! # Where things are
//!
//! | to | use |
//! |---|---|
//! | emit events | [`metric_event`](macro@metric_event), [`MetricEvent`]; [`Recorder`], the trait that a component depends on; [`EmitOnDrop`] |
//! | declare metrics | [`Metric`](macro@Metric), [`Label`](macro@Label); [`Counter`], [`Sum`], [`Min`], [`Max`], [`Mean`], [`Gauge`], [`InFlight`], [`Histogram`], [`Distinct`], [`Breakdown`], [`Top`], [`Recent`] |
//! | run recorders | [`MetricsRuntime`], [`MetricsRuntimeBuilder`], [`RecorderOptions`], [`MetricsRecorder`], [`LifecycleHandle`] |
//! | read numbers | [`MetricHandle`], [`Totals`], [`RuntimeObserver`], [`MetricSnapshots`], [`DimensionValue`], [`RuntimeSnapshot`], [`RecorderStats`], [`MetricDescriptor`]; `export` |
//! | merge and compare | [`Merge`], [`MergeError`], [`MeanSnapshot`], [`InFlightSnapshot`], [`HistogramSnapshot`], [`Buckets`], [`DistinctSnapshot`], [`TopSnapshot`], [`Extreme`] |
//! | react to starts, stops and changes | [`RecorderHooks`], [`RecorderContext`]; [`ChangeListener`], [`MetricChange`] |
//! | test | [`testing::CaptureRecorder`], [`HandleEvent::handle`], [`TypedMetric::typed_snapshot`] |
//! | list all metrics, and see what a change breaks | `catalogue` |
//! | extend | metrics by hand: [`Metric`](trait@Metric), [`HandleEvent`], [`EventHandler`]; recorders of your own: [`Recorder`], [`AnyEvent`]; dimensions of your own: [`Dimension`], [`feed`] |
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `openmetrics` | `export`: text for Prometheus, and Protobuf for its native histograms; no further dependency |
//! | `http` | `openmetrics`, and `http`: a service for axum and hyper, and an endpoint that Prometheus scrapes; depends on hyper and flate2 |
//! | `catalogue` | `openmetrics`, and `catalogue`: all metrics of a program before it runs, as JSON and Markdown, and compared; depends on serde_json |
//! | `page` | `http`, and a page that shows the running program, off unless a service asks for it |
//! | `process` | `openmetrics`, and CPU time, memory and files of the process in the text, on Linux; depends on procfs |

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "mvx-metrics needs a target with 64-bit atomics: the position of an event is a 64-bit number. mips, powerpc, armv5te and \
     riscv32 without such atomics are not supported"
);

extern crate self as mvx_metrics;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "catalogue")]
pub mod catalogue;
mod descriptor;
mod dimension;
mod dispatch;
mod engine;
mod error;
mod event;
#[cfg(feature = "openmetrics")]
pub mod export;
#[cfg(any(doc, doctest))]
pub mod guide;
mod hooks;
#[cfg(feature = "http")]
pub mod http;
mod label;
mod log;
mod moment;
mod number;
#[cfg(feature = "page")]
pub mod page;
mod panics;
mod queue;
mod recorder;
mod runtime;
mod snapshot;
mod state;
mod stats;
mod sync;
pub mod testing;
mod thread_role;
mod totals;

pub use descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MetricDescriptor};
pub use dimension::{
    Breakdown, Counter, Dimension, Distinct, Gauge, GaugeValue, Histogram, InFlight, Max, Mean, Measure, Min,
    Recent, Sum, Top, Weighted,
};
pub use dispatch::{EventBatch, EventHandler, HandleEvent, Metric, TypedMetric};
pub use engine::{Handoff, LifecycleHandle, MetricFailurePolicy, QueueOverflowPolicy, Registered};
pub use error::{MetricsRecorderError, MetricsRuntimeError, RegisterEventError, SharedError};
pub use event::{EventRef, MetricEvent};
pub use hooks::{ChangeListener, HookError, MetricChange, RecorderContext, RecorderHooks};
pub use label::{BoundedLabel, Label, ToLabel};
pub use log::LogPolicy;
#[doc = include_str!("docs/label.md")]
#[doc = include_str!("docs/options_of_labels.md")]
pub use mvx_metrics_derive::Label;
#[doc = include_str!("docs/metric.md")]
#[doc = include_str!("docs/options_of_metrics.md")]
#[doc = include_str!("docs/options_of_fields.md")]
#[doc = include_str!("docs/sources.md")]
pub use mvx_metrics_derive::Metric;
#[doc = include_str!("docs/metric_event.md")]
#[doc = include_str!("docs/options_of_events.md")]
pub use mvx_metrics_derive::metric_event;
pub use recorder::{AnyEvent, EmitOnDrop, MetricHandle, MetricsRecorder, Recorder, RecorderOptions};
pub use runtime::{MetricsRuntime, MetricsRuntimeBuilder, RuntimeObserver};
pub use snapshot::{
    Arithmetic, BreakdownEntry, BreakdownIter, BreakdownSnapshot, Bucket, BucketRange, Buckets,
    DimensionValue, Dimensions, DistinctSnapshot, ExponentialBucket, ExponentialBuckets, Extreme,
    HistogramSnapshot, InFlightSnapshot, MeanSnapshot, Merge, MergeError, MetricSnapshot, MetricSnapshots,
    Number, NumberType, Output, TopEntry, TopSnapshot,
};
pub use state::{MetricsRecorderState, MetricsRuntimeState};
pub use stats::RecorderStats;
pub use totals::{
    DimensionTotals, GroupTotals, LeftOut, NamespaceRecorders, RecorderSnapshot, RecorderTotals,
    RuntimeSnapshot, Scope, Totals,
};

/// How events update a dimension: one trait for each way, for dimensions of your own.
///
/// | option of the field | trait of its type | types of this crate |
/// |---|---|---|
/// | none but `on` | [`Count`](feed::Count) | [`Counter`] |
/// | `value = ..` | [`Record<V>`](feed::Record) | [`Sum`], [`Min`], [`Max`], [`Mean`], [`Gauge`], [`Histogram`], [`Distinct`] |
/// | `add`, `add = ..` | [`Add<V>`](feed::Add) | [`Counter`], [`InFlight`] |
/// | `sub`, `sub = ..` | [`Sub<V>`](feed::Sub) | [`InFlight`] |
/// | `set = ..` | [`Set<V>`](feed::Set) | [`Gauge`] |
///
/// A [`Recent<D, SECS>`](Recent) is updated as its `D`.
///
/// `V` is the type of the event's value. [`IntoMeasure`](feed::IntoMeasure) converts it to a number, and
/// [`DistinctValue`](feed::DistinctValue) to a hash. [`Dimension`] has an example.
pub mod feed {
    pub use crate::dimension::{
        Add, Count, DistinctHash, DistinctValue, EqualTo, EventId, EventTime, IdHasher, IntoMeasure, Record,
        RecordsDurations, Set, Sub, TimeNumber,
    };
    // Messages of rustc name these.
    #[doc(hidden)]
    pub use crate::dimension::{
        FromBool, FromNonZero, FromNumber, FromResult, FromSigned, FromText, FromWide,
    };
}
