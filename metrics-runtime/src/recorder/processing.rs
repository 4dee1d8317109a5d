//! The metrics side: who may use the metrics and the right to consume, and what for.

mod observe;
mod read;
mod readers;
mod register;
mod turn;
mod wait;

use std::sync::{Arc, MutexGuard, TryLockError};

use crate::dispatch::{MetricBox, MetricSet};
use crate::queue::Consumer;
use crate::recorder::RecorderCore;
use crate::recorder::completion::Completion;
use crate::unwind;

pub(crate) use self::observe::Observation;
pub(super) use self::readers::Readers;
pub(crate) use self::turn::{BUDGET, Turn};

/// The metrics and the right to consume.
pub(super) struct Processing {
    metrics: MetricSet,
    /// Registered metrics that take part from a later position on, in order of position.
    due: Vec<(u64, MetricBox)>,
    /// Who waits until that many events are consumed.
    waiting: Vec<(u64, Arc<Completion>)>,
    /// `None` while a worker with hooks has it, and until somebody looks after that worker has given it back.
    consumer: Option<Consumer>,
}

impl Processing {
    pub(super) fn new() -> Self {
        Self {
            metrics: MetricSet::default(),
            due: Vec::new(),
            waiting: Vec::new(),
            consumer: Some(Consumer::new()),
        }
    }

    /// Has a metric take part from that position on, which none before it exceeds; returns the one of its name that no event
    /// would reach any more.
    fn add_due(&mut self, position: u64, metric: MetricBox) -> Option<MetricBox> {
        if let Some((_, due)) =
            self.due.iter_mut().find(|(from, due)| *from == position && due.name == metric.name)
        {
            return Some(std::mem::replace(due, metric));
        }
        self.due.push((position, metric));
        None
    }

    /// Lets the metrics take part whose position has come; returns the ones they replace.
    fn let_in(&mut self, position: u64) -> Vec<MetricBox> {
        let now = self.due.partition_point(|(from, _)| *from <= position);
        self.due.drain(..now).filter_map(|(_, metric)| self.metrics.register(metric)).collect()
    }

    /// How many events may be applied before the next metric takes part.
    fn until_next_metric(&self, position: u64) -> u64 {
        self.due.first().map_or(u64::MAX, |(from, _)| from - position)
    }

    /// Takes out who waits for no more than that; to be completed when no lock is held.
    fn take_answered(&mut self, consumed: u64) -> Vec<Arc<Completion>> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let answered = self.waiting.extract_if(.., |(target, _)| *target <= consumed);
        answered.map(|(_, completion)| completion).collect()
    }

    /// A completion for when that many events are consumed.
    fn wait_for(&mut self, target: u64) -> Arc<Completion> {
        if let Some((_, completion)) = self.waiting.iter().find(|(other, _)| *other == target) {
            return Arc::clone(completion);
        }
        let completion = Arc::<Completion>::default();
        self.waiting.push((target, Arc::clone(&completion)));
        completion
    }

    /// All metrics, the newest of each name.
    fn current(&self) -> Vec<(&MetricBox, Option<&unwind::Panic>)> {
        self.metrics.current(self.due.iter().map(|(_, metric)| metric))
    }
}

impl RecorderCore {
    /// `None` when somebody else has it.
    fn try_lock_processing(&self) -> Option<MutexGuard<'_, Processing>> {
        match self.processing.try_lock() {
            Ok(processing) => Some(processing),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
