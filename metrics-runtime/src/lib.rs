//! Metrics from typed domain events.

extern crate self as mvx_metrics;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod descriptor;
mod dispatch;
mod event;
mod label;
mod metric;
mod snapshot;

pub use descriptor::{DimensionDescriptor, DimensionKind, MergeRule, MetricDescriptor};
pub use dispatch::{EventHandler, EventRun};
pub use event::{EventRef, MetricEvent};
pub use label::{BoundedLabel, Label, ToLabel};
pub use metric::{
    Breakdown, Counter, Dimension, Gauge, HandleEvent, Histogram, InFlight, Level, Max, Mean, Measure,
    Metric, Min, Reading, Sum, TypedMetric,
};
pub use mvx_metrics_derive::{Label, Metric, metric_event};
pub use snapshot::{
    BreakdownEntry, BreakdownSnapshot, Bucket, DimensionValue, Dimensions, HistogramSnapshot, MetricSnapshot,
    MetricSnapshots, Number,
};

/// How events feed a dimension: one trait for each way, for dimensions of your own.
pub mod feed {
    pub use crate::metric::{Add, Count, IntoMeasure, Record, Set, Sub};
}
