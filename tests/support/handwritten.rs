//! Metrics written by hand, with names, labels and values that no derived metric has.

use std::borrow::Cow;

use mvx_metrics::{
    DimensionDescriptor, DimensionValue, EventHandler, Metric, MetricDescriptor, MetricSnapshot,
};

/// A metric with any name, any dimensions and any values. No event changes it.
#[derive(Debug, Clone)]
pub struct Handwritten {
    name: Cow<'static, str>,
    help: Cow<'static, str>,
    dimensions: Vec<(DimensionDescriptor, DimensionValue)>,
}

impl Handwritten {
    /// A metric without a help text.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        dimensions: Vec<(DimensionDescriptor, DimensionValue)>,
    ) -> Self {
        Self { name: name.into(), help: Cow::Borrowed(""), dimensions }
    }

    /// The metric with a help text.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = help.into();
        self
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
        let dimensions = self.dimensions.iter();
        dimensions
            .fold(snapshot, |snapshot, (declared, value)| snapshot.with(declared.name.clone(), value.clone()))
    }

    fn descriptor(&self) -> MetricDescriptor {
        let dimensions: Vec<_> = self.dimensions.iter().map(|(declared, _)| declared.clone()).collect();
        MetricDescriptor::new(self.name.clone()).with_help(self.help.clone()).with_dimensions(dimensions)
    }
}
