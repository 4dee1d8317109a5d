//! Metrics from typed domain events.

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
pub use dispatch::{EventHandler, EventRun};
pub use error::{MetricsRecorderError, MetricsRuntimeError, RegisterEventError, SharedError};
pub use event::{EventRef, MetricEvent};
pub use hooks::{HookError, MetricChange, RecorderHooks};
pub use label::{BoundedLabel, Label, ToLabel};
pub use log::LogPolicy;
pub use metric::{
    Breakdown, Counter, Dimension, Gauge, HandleEvent, Histogram, InFlight, Level, Max, Mean, Measure,
    Metric, Min, Reading, Sum, TypedMetric,
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
pub mod feed {
    pub use crate::metric::{Add, Count, IntoMeasure, Record, Set, Sub};
}
