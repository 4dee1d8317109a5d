//! The state behind a recorder's metrics lock, and the one way to drain events into it.
//!
//! The event loop, a worker task without listeners and waiting threads all call [`MetricsState::drain`]. A worker task with
//! listeners takes the consumer out and goes event by event, because listeners run between the events and without the lock. It
//! calls [`MetricsState::activate_due`] before each event and [`MetricsState::after_consuming`] after it, as a drain does.

use std::sync::Arc;

use super::completion::Completion;
use super::lifecycle::Ended;
use crate::dispatch::{self, MetricBox, MetricFailure, MetricSet};
use crate::moment::Scope;
use crate::panics::Panic;
use crate::queue::{Batch, Consumer, Queue};
use crate::snapshot::{MetricSnapshot, Timestamp};
use crate::thread_role;

/// The states of replaced metrics keep at most this many times the labels that the limit of a breakdown allows. A rollup of many
/// recorders may show other labels than a single recorder, so the limit alone would lose labels that it shows.
const MAX_REPLACED_LIMITS: usize = 16;

/// A recorder keeps at most this many states of replaced metrics: one for each declaration that a name has had. Only metrics that
/// are written by hand can give themselves ever new declarations.
const MAX_REPLACED: usize = 256;

/// The metrics, and the right to consume events.
pub(super) struct MetricsState {
    pub(super) metrics: MetricSet,
    /// Registered metrics that take part from a later position on, in order of position.
    pending: Vec<(u64, MetricBox)>,
    /// Waiters, each for the moment when that many events are consumed.
    waiters: Vec<(u64, Arc<Completion>)>,
    /// The last states of replaced metrics. Boxed, because few recorders have any.
    replaced: Option<Box<Replaced>>,
    /// Whether totals read the states of replaced metrics. Nothing adds up a recorder that has no runtime.
    keeps_replaced: bool,
    /// `None` while a task with listeners has it, and from the end of that task until the next drain.
    pub(super) consumer: Option<Consumer>,
}

/// One state for each name, or more if a name was declared in several ways.
#[derive(Default)]
struct Replaced(Vec<MetricSnapshot>);

/// What a drain leaves to its caller, to be done when the metrics lock is released.
#[derive(Default)]
pub(super) struct DrainEffects {
    /// The metrics that have panicked.
    pub(super) failures: Vec<MetricFailure>,
    /// The recorder's own failure, when a metric's panic fails the recorder.
    pub(super) ended: Option<Ended>,
    /// The waiters that have reached their position.
    pub(super) completed: Vec<Arc<Completion>>,
    /// Producers wait for the room that the drain has made.
    pub(super) has_room: bool,
}

impl DrainEffects {
    pub(super) fn is_empty(&self) -> bool {
        self.failures.is_empty() && self.ended.is_none() && self.completed.is_empty() && !self.has_room
    }
}

impl MetricsState {
    pub(super) fn new(keeps_replaced: bool) -> Self {
        Self {
            metrics: MetricSet::default(),
            pending: Vec::new(),
            waiters: Vec::new(),
            replaced: None,
            keeps_replaced,
            consumer: Some(Consumer::new()),
        }
    }

    /// Registers a metric that takes part from `position` on. No earlier call had a higher position.
    ///
    /// Two metrics of one name at one position would see the same events. Then the newer one replaces the older one, which
    /// is returned.
    pub(super) fn register(&mut self, position: u64, metric: MetricBox) -> Option<MetricBox> {
        let same = |(from, pending): &&mut (u64, MetricBox)| *from == position && pending.name == metric.name;
        if let Some((_, pending)) = self.pending.iter_mut().find(same) {
            return Some(std::mem::replace(pending, metric));
        }
        if self.pending.is_empty() {
            // Most recorders have few metrics.
            self.pending.reserve_exact(1);
        }
        self.pending.push((position, metric));
        None
    }

    /// The newest metric of that name, with the panic that failed it.
    pub(super) fn find(&self, name: &str) -> Option<(&MetricBox, Option<&Panic>)> {
        let pending = self.pending.iter().rfind(|(_, metric)| &*metric.name == name);
        pending.map(|(_, metric)| (metric, None)).or_else(|| self.metrics.find(name))
    }

    /// Activates the registered metrics that take part from `position` on. Returns the metrics they replace.
    pub(super) fn activate_due(&mut self, position: u64) -> Vec<MetricBox> {
        let due = self.pending.partition_point(|(from, _)| *from <= position);
        let replaced: Vec<MetricBox> =
            self.pending.drain(..due).filter_map(|(_, metric)| self.metrics.register(metric)).collect();
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        for metric in &replaced {
            self.keep_state_of(metric);
        }
        replaced
    }

    /// Keeps the last state of a replaced metric for the totals of the recorder's runtime.
    fn keep_state_of(&mut self, metric: &MetricBox) {
        if !self.keeps_replaced {
            return;
        }
        let states = {
            let _role = thread_role::enter_metrics();
            dispatch::snapshots([(metric, None)].into_iter(), Timestamp::now())
        };
        for state in states {
            self.keep_state(state);
        }
    }

    fn keep_state(&mut self, state: MetricSnapshot) {
        // A state without values shows that totals are incomplete, so it stays apart.
        let Replaced(states) = &mut **self.replaced.get_or_insert_default();
        let kept = states.iter_mut().find(|kept| kept.is_declared_like(&state) && !kept.is_unread());
        let kept = kept.filter(|_| !state.is_unread());
        let is_merged = kept.is_some_and(|kept| kept.merge_within(&state, Some(MAX_REPLACED_LIMITS)).is_ok());
        if !is_merged && states.len() < MAX_REPLACED {
            states.push(state);
        }
    }

    /// Absorbs a part of the metrics, which one thread's events were applied to.
    pub(super) fn absorb(&mut self, part: MetricSet, failures: &mut Vec<MetricFailure>) {
        for replaced in self.metrics.absorb(part, failures) {
            self.keep_state_of(&replaced);
        }
    }

    /// Whether threads wait for events to be consumed.
    pub(super) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// The states of replaced metrics. A metric is among them from the registration of its successor on, although it handles the
    /// events that were accepted before.
    pub(super) fn states_of_replaced(&self) -> Vec<MetricSnapshot> {
        let mut states = self.replaced.as_ref().map_or_else(Vec::new, |replaced| replaced.0.clone());
        if !self.keeps_replaced {
            return states;
        }
        for (index, (_, successor)) in self.pending.iter().enumerate() {
            let mut earlier = self.pending[..index].iter().rev().map(|(_, metric)| metric);
            let earlier = earlier.find(|metric| metric.name == successor.name);
            let replaced = earlier.or_else(|| Some(self.metrics.find(&successor.name)?.0));
            let replaced = replaced.map(|metric| (metric, None));
            states.append(&mut dispatch::snapshots(replaced.into_iter(), Timestamp::default()));
        }
        states
    }

    /// A completion for the moment when `target` events are consumed.
    pub(super) fn completion_at(&mut self, target: u64) -> Arc<Completion> {
        if let Some((_, completion)) = self.waiters.iter().find(|(other, _)| *other == target) {
            return Arc::clone(completion);
        }
        let completion = Arc::<Completion>::default();
        self.waiters.push((target, Arc::clone(&completion)));
        completion
    }

    /// Takes out the waiters that wait for at most `consumed` events.
    pub(super) fn take_completed_waiters(&mut self, consumed: u64) -> Vec<Arc<Completion>> {
        if self.waiters.is_empty() {
            return Vec::new();
        }
        let completed = self.waiters.extract_if(.., |(target, _)| *target <= consumed);
        completed.map(|(_, completion)| completion).collect()
    }

    /// All metrics in the order of their registration, the newest of each name, each with the panic that failed it.
    pub(super) fn current(&self) -> Vec<(&MetricBox, Option<&Panic>)> {
        self.metrics.current(self.pending.iter().map(|(_, metric)| metric))
    }

    /// Consumes at most `budget` pending events in batches of one type.
    ///
    /// For each batch `apply` gets the metrics, the position of the batch's first event, and the effects. It applies or
    /// discards the events, and answers whether the drain goes on. The batch counts as consumed only after `apply`: a stop
    /// that finds the queue drained in between would succeed although a metric has just failed. Each batch has its own `present`.
    pub(super) fn drain(
        &mut self,
        queue: &Queue,
        budget: u64,
        effects: &mut DrainEffects,
        present: &Scope,
        mut apply: impl FnMut(&mut MetricSet, &Batch<'_>, u64, &mut DrainEffects) -> bool,
    ) {
        // A worker task with listeners has the consumer, so that task drains the queue.
        let Some(mut consumer) = self.consumer.take() else {
            return;
        };
        let mut left = budget;
        // The consumer stays outside of `self` in this loop: a batch borrows it, and `apply` needs the metrics.
        while left > 0 {
            let position = queue.consumed();
            drop(self.activate_due(position));
            // A batch ends where the next registered metric begins to take part.
            let until_activation = self.pending.first().map_or(u64::MAX, |(from, _)| from - position);
            let Some(batch) = queue.next_batch(&mut consumer, left.min(until_activation)) else {
                break;
            };
            left -= batch.len();
            present.renew();
            let goes_on = apply(&mut self.metrics, &batch, position, effects);
            batch.consume();
            if !goes_on {
                break;
            }
        }
        self.consumer = Some(consumer);
        self.after_consuming(queue.consumed(), effects);
    }

    /// Ends a drain: activates metrics, and collects the waiters that have reached their position.
    pub(super) fn after_consuming(&mut self, consumed: u64, effects: &mut DrainEffects) {
        // Now, not before the next event: that event may be far away, and the replaced metrics hold memory.
        drop(self.activate_due(consumed));
        effects.completed.append(&mut self.take_completed_waiters(consumed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiters_for_one_position_share_a_completion() {
        let mut state = MetricsState::new(true);
        let [first, later, same] = [3, 5, 3].map(|target| state.completion_at(target));
        assert!(Arc::ptr_eq(&first, &same) && !Arc::ptr_eq(&first, &later));
        let completed = state.take_completed_waiters(4);
        assert!(matches!(&completed[..], [completed] if Arc::ptr_eq(completed, &first)));
    }
}
