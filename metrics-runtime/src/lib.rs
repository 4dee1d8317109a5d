//! Metrics from typed domain events.

extern crate self as mvx_metrics;

mod descriptor;
mod dispatch;
mod event;
mod metric;
mod snapshot;

pub use descriptor::{DimensionDescriptor, DimensionKind, MetricDescriptor};
pub use dispatch::{EventHandler, EventRun};
pub use event::{EventRef, MetricEvent};
pub use metric::{HandleEvent, Metric, TypedMetric};
pub use snapshot::{DimensionValue, Dimensions, MetricSnapshot, MetricSnapshots};
