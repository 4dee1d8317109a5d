//! Where a [`MetricHandle`](crate::MetricHandle) reads its metric.

use std::sync::Arc;

use super::fair_lock::FairLock;
use super::recorder_inner::RecorderInner;
use super::stall::{Obstacle, STALL_TIMEOUT};
use crate::dispatch::MetricBox;
use crate::error::MetricsRecorderError;
use crate::panics::Panic;
use crate::thread_role;

/// What reads a metric. It is a reference, so that the library waits for a metric with one code for all types.
pub(crate) type ReadNamed<'a> =
    &'a mut dyn FnMut(&MetricBox, Option<&Panic>) -> Result<(), MetricsRecorderError>;

/// A metric of any type, in a recorder or on its own.
#[derive(Clone)]
pub struct MetricSource {
    name: Arc<str>,
    place: Place,
}

#[derive(Clone)]
enum Place {
    /// The recorder's metric of this name. The recorder does not count this as one of its handles, so it may stop.
    Recorder(Arc<RecorderInner>),
    /// A metric that gets no events, because its recorder registers none.
    Unregistered(Arc<FairLock<MetricBox>>),
}

impl MetricSource {
    /// A metric that gets no events.
    pub(crate) fn unregistered(metric: MetricBox) -> Self {
        let name = Arc::clone(&metric.name);
        Self { name, place: Place::Unregistered(Arc::new(FairLock::new(metric))) }
    }

    pub(super) fn registered(recorder: &Arc<RecorderInner>, name: &Arc<str>) -> Self {
        Self { name: Arc::clone(name), place: Place::Recorder(Arc::clone(recorder)) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Shows the metric to `read`, with the panic that failed it.
    pub(crate) fn read(&self, read: ReadNamed<'_>) -> Result<(), MetricsRecorderError> {
        match &self.place {
            Place::Recorder(recorder) => recorder.read_named(&self.name, read),
            Place::Unregistered(metric) => {
                if thread_role::in_metrics() {
                    return Err(MetricsRecorderError::WouldDeadlock);
                }
                let metric = metric
                    .lock_while(STALL_TIMEOUT, || metric.acquisitions())
                    .map_err(|waited| Obstacle::Holder.error(waited))?;
                let _role = thread_role::enter_metrics();
                read(&metric, None)
            }
        }
    }
}
