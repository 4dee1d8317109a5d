//! Metrics written by hand, with names, labels and values that no derived metric has.

use std::borrow::Cow;

use mvx_metrics::{
    DimensionDescriptor, DimensionKind, DimensionValue, EventHandler, Metric, MetricDescriptor,
    MetricSnapshot, MetricsRuntime,
};

use crate::fixtures::running;

/// A metric with any name, any dimensions and any values.
pub struct Handwritten {
    name: Cow<'static, str>,
    dimensions: Vec<(DimensionDescriptor, DimensionValue)>,
}

impl Handwritten {
    pub fn new(name: &'static str, dimensions: Vec<(DimensionDescriptor, DimensionValue)>) -> Self {
        Self { name: Cow::Borrowed(name), dimensions }
    }
}

impl Metric for Handwritten {
    fn metric_name(&self) -> &str {
        &self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        let snapshot = MetricSnapshot::new(self.name.clone());
        self.dimensions.iter().fold(snapshot, |snapshot, (descriptor, value)| {
            snapshot.with(descriptor.name.clone(), value.clone())
        })
    }

    fn descriptor(&self) -> MetricDescriptor {
        let dimensions: Vec<_> = self.dimensions.iter().map(|(descriptor, _)| descriptor.clone()).collect();
        MetricDescriptor::new(self.name.clone()).with_dimensions(dimensions)
    }
}

pub fn metric(
    name: impl Into<Cow<'static, str>>,
    dimensions: Vec<(&'static str, DimensionKind, DimensionValue)>,
) -> Handwritten {
    let dimensions = dimensions.into_iter();
    let dimensions =
        dimensions.map(|(name, kind, value)| (DimensionDescriptor::new(name, kind), value)).collect();
    Handwritten { name: name.into(), dimensions }
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
