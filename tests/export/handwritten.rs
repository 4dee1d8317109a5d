//! Metrics written by hand, with names, labels and values that no derived metric has.

use std::borrow::Cow;

use mvx_metrics::{DimensionDescriptor, DimensionKind, DimensionValue, MetricsRuntime};
use mvx_metrics_tests::Handwritten;

use crate::fixtures::running;

pub fn metric(
    name: impl Into<Cow<'static, str>>,
    dimensions: Vec<(&'static str, DimensionKind, DimensionValue)>,
) -> Handwritten {
    let dimensions = dimensions.into_iter();
    let dimensions =
        dimensions.map(|(name, kind, value)| (DimensionDescriptor::new(name, kind), value)).collect();
    Handwritten::new(name, dimensions)
}

/// A runtime with one recorder that has these metrics.
pub fn runtime_with(metrics: Vec<Handwritten>) -> MetricsRuntime {
    let runtime = running("shop");
    let recorder = runtime.create_recorder("one").expect("the id is free");
    for metric in metrics {
        recorder.register_metric(metric).expect("the recorder runs");
    }
    runtime
}

/// The lines of a text that start like this.
pub fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}
