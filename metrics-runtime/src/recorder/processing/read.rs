//! Reading metrics: after the events that were accepted before, and in the middle of a hook.

use std::sync::Arc;

use super::Processing;
use super::turn::Failures;
use crate::context;
use crate::descriptor::MetricDescriptor;
use crate::dispatch::MetricBox;
use crate::error::MetricsRecorderError;
use crate::log::Kind;
use crate::metric::{Metric, TypedMetric};
use crate::recorder::RecorderCore;
use crate::snapshot::{MetricSnapshot, MetricSnapshots};
use crate::unwind;

impl RecorderCore {
    pub(crate) fn metric_snapshots(self: &Arc<Self>) -> Result<MetricSnapshots, MetricsRecorderError> {
        self.logged_read("metrics_recorder.get_metric_snapshots", |metrics| {
            Ok(metrics.current().into_iter().map(|(metric, failure)| metric.snapshot(failure)).collect())
        })
    }

    pub(crate) fn metric_snapshot<M: TypedMetric>(
        self: &Arc<Self>,
    ) -> Result<Option<M::Snapshot>, MetricsRecorderError> {
        self.logged_read("metrics_recorder.get_metric_snapshots", |metrics| {
            let found = metrics.current().into_iter().find_map(|(metric, _)| metric.downcast::<M>());
            let snapshot = found.map(|metric| unwind::catch(|| metric.typed_snapshot())).transpose();
            snapshot.map_err(|panic| MetricsRecorderError::Unexpected { cause: Arc::new(panic) })
        })
    }

    pub(crate) fn metrics(self: &Arc<Self>) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
        self.logged_read("metrics_recorder.iter_metrics", |metrics| {
            Ok(metrics.current().into_iter().map(|(metric, _)| metric.descriptor()).collect())
        })
    }

    fn logged_read<R>(
        self: &Arc<Self>,
        event: &'static str,
        read: impl FnOnce(&Processing) -> Result<R, MetricsRecorderError>,
    ) -> Result<R, MetricsRecorderError> {
        let operation = self.operation(Kind::Read, event).invoke(self.entity_id(), None, self.state());
        let result = self.read(read).flatten();
        operation.end(self.entity_id(), None, self.state(), &result);
        result
    }

    /// Reads the metrics after all events that are accepted by now, as far as that needs no wait for a hook or a start.
    fn read<R>(self: &Arc<Self>, read: impl FnOnce(&Processing) -> R) -> Result<R, MetricsRecorderError> {
        if context::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let target = self.queue.accepted();
        let mut stalled = false;
        loop {
            let mut processing = self.lock_as_reader()?;
            if self.queue.consumed() >= target || !self.is_processing() {
                let value = {
                    let _here = context::enter_metrics();
                    read(&processing)
                };
                drop(processing);
                self.after_reading();
                return Ok(value);
            }
            if self.hooks().is_none() && (stalled || self.home.lets_callers_help()) {
                let mut failures = Failures::default();
                self.process(&mut processing, target - self.queue.consumed(), &mut failures);
                drop(processing);
                self.report(failures);
                if self.queue.consumed() < target {
                    // Another producer has reserved a place and not yet published its event.
                    std::thread::yield_now();
                }
                continue;
            }
            if stalled || self.waiting_would_deadlock() {
                return Err(MetricsRecorderError::WouldDeadlock);
            }
            let completion = processing.wait_for(target);
            drop(processing);
            self.schedule(true);
            stalled = !self.wait_for_progress(&completion);
        }
    }
}

/// For hooks, which run while their recorder has applied an event.
impl RecorderCore {
    /// The state of a metric while a hook runs.
    pub(crate) fn snapshot_of(&self, name: &str) -> MetricSnapshot {
        let snapshot = self.with_metric(name, MetricBox::snapshot);
        snapshot.unwrap_or_else(|| {
            let mut snapshot = MetricSnapshot::new(name);
            snapshot.failed =
                Some("cannot be read: whoever else reads it does not come to an end".to_owned());
            snapshot
        })
    }

    pub(crate) fn typed_snapshot_of<M: TypedMetric>(&self, name: &str) -> Option<M::Snapshot> {
        let snapshot = |metric: &MetricBox| metric.downcast::<M>().map(TypedMetric::typed_snapshot);
        self.with_metric(name, |metric, _| unwind::catch(|| snapshot(metric)).ok().flatten()).flatten()
    }

    pub(crate) fn is_metric<M: Metric>(&self, name: &str) -> bool {
        self.with_metric(name, |metric, _| metric.downcast::<M>().is_some()).unwrap_or(false)
    }

    /// `None` when somebody else who reads the metrics is stuck. Perhaps it waits for something that the hook holds.
    fn with_metric<R>(
        &self,
        name: &str,
        read: impl FnOnce(&MetricBox, Option<&unwind::Panic>) -> R,
    ) -> Option<R> {
        let processing = self.lock_as_reader().ok()?;
        let _here = context::enter_metrics();
        let applied = processing.metrics.current(std::iter::empty());
        let (metric, failure) = applied.into_iter().find(|(metric, _)| &*metric.name == name)?;
        Some(read(metric, failure))
    }
}
