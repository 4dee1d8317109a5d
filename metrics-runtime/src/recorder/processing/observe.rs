//! Observing: reading everything about a recorder for the outside world, which waits for nothing of the user's.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::Processing;
use super::wait::{LOOK_AGAIN, STALLED};
use crate::context;
use crate::descriptor::MetricDescriptor;
use crate::recorder::completion::Completion;
use crate::recorder::{MetricsRecorderState, RecorderCore, RecorderStats};
use crate::snapshot::MetricSnapshot;

/// How long an observer tries to get at metrics whose handlers do not come to an end.
const PATIENCE: Duration = Duration::from_millis(100);

/// What an observer sees of a recorder at one moment.
pub(crate) struct Observation {
    pub(crate) status: MetricsRecorderState,
    pub(crate) stats: RecorderStats,
    /// The metrics in the order of their registration; `None` when a handler does not let go of them.
    pub(crate) metrics: Option<Vec<(MetricDescriptor, MetricSnapshot)>>,
}

/// Events an observer would like to see processed before it looks.
pub(crate) struct Wish {
    target: u64,
    completion: Arc<Completion>,
}

impl RecorderCore {
    /// Asks for the events accepted by now to be processed; `None` when they are, or when nobody does it.
    pub(crate) fn wish(self: &Arc<Self>) -> Option<Wish> {
        let target = self.queue.accepted();
        if self.queue.consumed() >= target || !self.is_processing() {
            return None;
        }
        let completion = self.try_lock_as_reader(PATIENCE)?.wait_for(target);
        self.after_reading();
        self.schedule(true);
        Some(Wish { target, completion })
    }

    /// Waits until the wish is granted, a hook is in the way, nothing moves any more, or the time is over.
    pub(crate) fn grant(&self, wish: &Wish, deadline: Instant) {
        let mut consumed = self.queue.consumed();
        let mut moved = Instant::now();
        while self.is_processing() && consumed < wish.target {
            let now = Instant::now();
            if now >= deadline || now - moved > STALLED {
                break;
            }
            if wish.completion.wait(Some(deadline.min(now + LOOK_AGAIN))).is_some() {
                break;
            }
            let consumed_now = self.queue.consumed();
            if consumed_now != consumed {
                consumed = consumed_now;
                moved = Instant::now();
            }
        }
    }

    /// Reads the recorder as it is.
    pub(crate) fn observe(self: &Arc<Self>) -> Observation {
        let Some(processing) = self.try_lock_as_reader(PATIENCE) else {
            return Observation { status: self.state(), stats: self.stats(), metrics: None };
        };
        self.observe_in(processing)
    }

    /// The same at once, and only when nothing is pending.
    #[cfg(feature = "openmetrics")]
    pub(crate) fn observe_if_idle(self: &Arc<Self>) -> Option<Observation> {
        let processing = self.try_lock_processing()?;
        if self.is_drained() {
            return Some(self.observe_in(processing));
        }
        drop(processing);
        self.after_reading();
        None
    }

    fn observe_in(self: &Arc<Self>, processing: MutexGuard<'_, Processing>) -> Observation {
        let here = context::enter_metrics();
        let metrics = processing.current().into_iter();
        let metrics =
            metrics.map(|(metric, failure)| (metric.descriptor(), metric.snapshot(failure))).collect();
        drop(here);
        // Before the lock is given back: what is processed is what the metrics show.
        let stats = self.stats();
        drop(processing);
        self.after_reading();
        Observation { status: self.state(), stats, metrics: Some(metrics) }
    }
}
