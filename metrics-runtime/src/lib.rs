//! Metrics from typed domain events.

extern crate self as mvx_metrics;

mod context;
mod descriptor;
mod dispatch;
mod error;
mod event;
mod hooks;
mod log;
mod metric;
mod queue;
mod recorder;
mod runtime;
mod snapshot;
mod sync;
pub mod testing;
mod unwind;

pub use descriptor::{DimensionDescriptor, DimensionKind, MetricDescriptor};
pub use dispatch::{EventHandler, EventRun};
pub use error::{MetricsRecorderError, MetricsRuntimeError, RegisterEventError, SharedError};
pub use event::{EventRef, MetricEvent};
pub use hooks::{HookError, MetricChange, RecorderHooks};
pub use log::LogPolicy;
pub use metric::{HandleEvent, Metric, TypedMetric};
pub use recorder::{
    LifecycleHandle, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, QueueOverflowPolicy,
    Recorder, RecorderOptions, RecorderStats, Registration,
};
pub use runtime::{MetricsRuntime, MetricsRuntimeBuilder, MetricsRuntimeState};
pub use snapshot::{DimensionValue, Dimensions, MetricSnapshot, MetricSnapshots};
