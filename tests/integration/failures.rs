//! FL: failing metrics, events and errors.

use std::sync::Arc;

use mvx_metrics::{EventHandler, Metric, MetricSnapshot};

/// A metric that listens to nothing and holds something.
pub struct Holding {
    name: &'static str,
    _held: Arc<()>,
}

/// A metric that holds the value for as long as it exists.
pub fn holding(name: &'static str, held: Arc<()>) -> Holding {
    Holding { name, _held: held }
}

impl Metric for Holding {
    fn metric_name(&self) -> &str {
        self.name
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        &[]
    }

    fn snapshot(&self) -> MetricSnapshot {
        MetricSnapshot::of_static(self.name)
    }
}
