//! Registering metrics: between two events of the queue, without a place in it.

use std::sync::Arc;

use crate::context;
use crate::dispatch::MetricBox;
use crate::error::MetricsRecorderError;
use crate::log::Kind;
use crate::recorder::state::ACCEPTING;
use crate::recorder::{RecorderCore, Registration};

impl RecorderCore {
    pub(crate) fn register_metric(
        self: &Arc<Self>,
        metric: MetricBox,
    ) -> Result<Registration, MetricsRecorderError> {
        let name = Arc::clone(&metric.name);
        let operation = self.operation(Kind::Lifecycle, "metrics_recorder.register_metric");
        let operation = operation.invoke(self.entity_id(), Some(&name), self.state());
        let result = self.try_register_metric(metric);
        self.after_reading();
        operation.end(self.entity_id(), Some(&name), self.state(), &result);
        result
    }

    fn try_register_metric(&self, metric: MetricBox) -> Result<Registration, MetricsRecorderError> {
        if context::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let mut processing = self.lock_as_reader()?;
        let lifecycle = self.lifecycle();
        if !lifecycle.state().accepts() {
            return Err(lifecycle.invalid_state(ACCEPTING));
        }
        drop(lifecycle);
        let known = processing.metrics.contains(&metric.name)
            || processing.due.iter().any(|(_, due)| due.name == metric.name);
        // The consumer cannot get past this position before it has seen the metric: it needs the lock held here.
        let position = self.queue.accepted();
        let replaced = (processing.add_due(position, metric), processing.let_in(self.queue.consumed()));
        drop(processing);
        drop(replaced);
        Ok(if known { Registration::Replaced } else { Registration::Added })
    }
}
