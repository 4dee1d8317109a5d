//! Metrics from typed domain events.
//!
//! Production code states facts, metrics interpret them, and nobody else needs to know:
//!
//! ```text
//! production code -> event -> recorder handoff (bounded queue) -> runtime thread
//!                 -> dispatch table (TypeId) -> metric state -> snapshot -> consumer / exporter
//! ```
//!
//! * An **event** is a plain struct or enum with [`#[metric_event]`](macro@metric_event): "an upload ended, like this".
//! * A **metric** is a struct with [`#[derive(Metric)]`](macro@Metric). Its fields are its dimensions: their types say how
//!   values are aggregated, their attributes where they come from.
//! * A [`MetricsRecorder`] is the handle a component holds, one for each measured scope. It takes events in any thread, in
//!   sync and async code, usually without a lock, and never waits for room or for the processing of other events.
//! * The [`MetricsRuntime`] belongs to the application: one thread, and as many recorders as there are scopes.
//! * A **snapshot** is the state at one moment, [typed](MetricsRecorder::metric_snapshot) or
//!   [by name](MetricsRecorder::metric_snapshots).
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
//!     recorder.register_metric(Uploads::default())?;
//!
//!     recorder.emit(UploadEnded { stored: true, elapsed: Duration::from_millis(30) });
//!     recorder.emit(UploadEnded { stored: false, elapsed: Duration::from_millis(70) });
//!
//!     let uploads = recorder.metric_snapshot::<Uploads>()?.expect("it was registered");
//!     assert_eq!((uploads.total, uploads.failed), (2, 1));
//!     assert_eq!(uploads.slowest, Some(Duration::from_millis(70)));
//!     runtime.shutdown()?;
//!     Ok(())
//! }
//! ```
//!
//! The [`guide`] goes on from here, with a chapter for each thing one wants to do.
//!
//! # Where things are
//!
//! | to | there is |
//! |---|---|
//! | state facts | [`metric_event`](macro@metric_event), [`MetricEvent`]; [`Recorder`], what a component needs to know |
//! | interpret them | [`Metric`](macro@Metric), [`Label`](macro@Label); [`Counter`], [`Sum`], [`Min`], [`Max`], [`Mean`], [`Gauge`], [`InFlight`], [`Histogram`], [`Breakdown`] |
//! | run | [`MetricsRuntime`], [`MetricsRuntimeBuilder`], [`RecorderOptions`], [`MetricsRecorder`], [`LifecycleHandle`] |
//! | read | [`MetricSnapshots`], [`DimensionValue`], [`RuntimeSnapshot`], [`RecorderStats`], [`MetricDescriptor`]; `export` |
//! | react | [`RecorderHooks`], [`MetricChange`] |
//! | test | [`testing::CaptureRecorder`], [`HandleEvent::handle`], [`TypedMetric::typed_snapshot`] |
//! | write by hand | metrics: [`Metric`](trait@Metric), [`HandleEvent`], [`EventHandler`]; dimensions: [`Dimension`], [`feed`] |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `openmetrics` | `export`: the text that Prometheus reads, with totals across recorders; no further crate |
//! | `http` | the same and an endpoint that serves it; hyper |

#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate self as mvx_metrics;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod context;
mod descriptor;
mod dispatch;
mod error;
mod event;
#[cfg(feature = "openmetrics")]
pub mod export;
#[cfg(any(doc, doctest))]
pub mod guide;
mod hooks;
mod label;
mod log;
mod metric;
mod queue;
mod recorder;
mod runtime;
mod snapshot;
mod sync;
pub mod testing;
mod unwind;

pub use descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MetricDescriptor};
pub use dispatch::{EventBatch, EventHandler, HandleEvent};
pub use error::{MetricsRecorderError, MetricsRuntimeError, RegisterEventError, SharedError};
pub use event::{EventRef, MetricEvent};
pub use hooks::{HookError, MetricChange, RecorderHooks};
pub use label::{BoundedLabel, Label, ToLabel};
pub use log::LogPolicy;
pub use metric::{
    Breakdown, Counter, Dimension, Gauge, Histogram, InFlight, Level, Max, Mean, Measure, Metric, Min,
    Reading, Sum, TypedMetric,
};
#[doc = include_str!("docs/label.md")]
pub use mvx_metrics_derive::Label;
#[doc = include_str!("docs/metric.md")]
pub use mvx_metrics_derive::Metric;
#[doc = include_str!("docs/metric_event.md")]
pub use mvx_metrics_derive::metric_event;
pub use recorder::{
    LifecycleHandle, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, QueueOverflowPolicy,
    Recorder, RecorderOptions, RecorderStats, Registration,
};
pub use runtime::{
    MetricsRuntime, MetricsRuntimeBuilder, MetricsRuntimeState, RecorderSnapshot, RuntimeSnapshot,
};
pub use snapshot::{
    BreakdownEntry, BreakdownSnapshot, Bucket, DimensionValue, Dimensions, HistogramSnapshot, MetricSnapshot,
    MetricSnapshots, Number,
};

/// How events feed a dimension: one trait for each way, for dimensions of your own.
///
/// | the field says | the type implements | the types of this crate that do |
/// |---|---|---|
/// | nothing but `on` | [`Count`](feed::Count) | [`Counter`] |
/// | `value = ..` | [`Record<V>`](feed::Record) | [`Sum`], [`Min`], [`Max`], [`Mean`], [`Gauge`], [`Histogram`] |
/// | `add`, `add = ..` | [`Add<V>`](feed::Add) | [`Counter`], [`InFlight`] |
/// | `sub`, `sub = ..` | [`Sub<V>`](feed::Sub) | [`InFlight`] |
/// | `set = ..` | [`Set<V>`](feed::Set) | [`Gauge`] |
///
/// `V` is the type of the event's value; [`IntoMeasure`](feed::IntoMeasure) makes a number of it. [`Dimension`] has an example.
pub mod feed {
    pub use crate::metric::{Add, Count, IntoMeasure, Record, Set, Sub};
}
