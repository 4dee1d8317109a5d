//! Turns: applying pending events, or giving them up after a failure.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Processing;
use crate::context;
use crate::dispatch::MetricFailure;
use crate::error::MetricsRecorderError;
use crate::queue::{Batch, Consumer};
use crate::recorder::RecorderCore;
use crate::recorder::completion::Completion;
use crate::recorder::lifecycle::Failed;
use crate::recorder::options::MetricFailurePolicy;
use crate::recorder::state::{ACCEPTING, MetricsRecorderState};

/// How many events are processed between two looks at the rest of the world.
pub(crate) const BUDGET: u64 = 1_024;

/// What failed while events were applied.
#[derive(Default)]
pub(super) struct Failures {
    metrics: Vec<MetricFailure>,
    /// The recorder, when a metric took it along.
    failed: Option<Failed>,
    /// Who has waited for what is now consumed.
    answered: Vec<Arc<Completion>>,
}

/// What is left to do after a turn of processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Events are pending.
    More,
    /// What was pending when the turn began is processed.
    Drained,
    /// The recorder has ended and needs no further turns.
    Ended,
}

impl RecorderCore {
    /// Whether every accepted event is consumed.
    pub(in crate::recorder) fn is_drained(&self) -> bool {
        let accepted = self.queue.accepted();
        self.queue.consumed() == accepted
    }

    /// Whether a look at the recorder finds something to do.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_idle()
    }

    /// Lets go of a recorder that has had its turn, unless its queue fills up again: those who noticed relied on that turn.
    pub(crate) fn leave_alone(&self) -> bool {
        self.home.end_to_attend();
        !self.queue.is_above_watermark()
    }

    /// How many events were consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        self.queue.consumed()
    }

    /// Processes the events that are pending now, at most `budget`, without hooks; `None` when it would have to wait for
    /// somebody who reads the metrics.
    ///
    /// Events that are accepted during the turn are left for the next one: to follow close behind a producer, from cache
    /// line to cache line, would slow down both.
    pub(crate) fn try_turn(self: &Arc<Self>, budget: u64) -> Option<Turn> {
        self.let_readers_in();
        let target = self.queue.accepted();
        let mut failures = Failures::default();
        {
            let mut processing = self.try_lock_processing()?;
            self.home.beat();
            let pending = target.saturating_sub(self.queue.consumed());
            self.process(&mut processing, budget.min(pending), &mut failures);
        }
        self.report(failures);
        if self.queue.consumed() < target {
            return Some(Turn::More);
        }
        let state = self.state();
        if !state.accepts() && !self.is_drained() {
            return Some(Turn::More);
        }
        Some(match state {
            MetricsRecorderState::Stopping => {
                self.park_with(&mut *self.try_lock_processing()?);
                self.finish_stop(&Ok(()));
                Turn::Ended
            }
            MetricsRecorderState::Stopped
            | MetricsRecorderState::Failure
            | MetricsRecorderState::Cancelled => {
                self.park_with(&mut *self.try_lock_processing()?);
                Turn::Ended
            }
            MetricsRecorderState::Virgin | MetricsRecorderState::Starting | MetricsRecorderState::Running => {
                Turn::Drained
            }
        })
    }

    /// Applies pending events, at most `budget`, or discards them when the recorder has failed.
    pub(super) fn process(&self, processing: &mut Processing, budget: u64, failures: &mut Failures) {
        let Some(mut consumer) = self.consumer_of(processing) else {
            return;
        };
        let _here = context::enter_metrics();
        let discards = self.state().has_failed();
        let mut left = budget;
        while left > 0 && failures.failed.is_none() {
            let position = self.queue.consumed();
            drop(processing.let_in(position));
            let most = left.min(processing.until_next_metric(position));
            let Some(run) = self.queue.next_batch(&mut consumer, most) else {
                break;
            };
            left -= run.len();
            if discards {
                self.counters.discard_from(position);
            } else {
                processing.metrics.apply_batch(&run, &mut failures.metrics);
                self.fail_with(failures);
            }
            run.consume();
        }
        // Those that wait for the next event need not wait for it with their predecessors at their side.
        drop(processing.let_in(self.queue.consumed()));
        failures.answered.append(&mut processing.take_answered(self.queue.consumed()));
        processing.consumer = Some(consumer);
    }

    /// Puts the recorder into FAILURE with the first metric that failed, if that is the policy.
    ///
    /// To be called before the events are counted as processed, so that a stop cannot succeed in between.
    fn fail_with(&self, failures: &mut Failures) {
        if self.settings.metric_failure == MetricFailurePolicy::Quarantine || failures.metrics.is_empty() {
            return;
        }
        let MetricFailure { metric, panic } = &failures.metrics[0];
        let cause = Arc::new(panic.clone());
        let error = MetricsRecorderError::MetricFailed { metric: metric.to_string(), cause };
        if let Some(failed) = self.end_badly(MetricsRecorderState::Failure, &error) {
            failures.failed = Some(failed);
            failures.metrics.remove(0);
        }
    }

    /// Says what failed, once each; no lock is held.
    pub(super) fn report(&self, failures: Failures) {
        if let Some(failed) = failures.failed {
            self.announce(failed);
        }
        for MetricFailure { metric, panic } in failures.metrics {
            self.log_error("metrics_recorder.dispatch_error", Some(&metric), &panic);
        }
        self.complete(failures.answered);
    }

    /// Answers who has waited; no lock is held, because wakers are somebody else's code.
    fn complete(&self, answered: Vec<Arc<Completion>>) {
        if !answered.is_empty() {
            let outcome = self.outcome_of_waiting();
            for completion in answered {
                completion.complete(outcome.clone());
            }
        }
    }

    /// What those are told who wait for events to be consumed.
    fn outcome_of_waiting(&self) -> Result<(), MetricsRecorderError> {
        let lifecycle = self.lifecycle();
        if lifecycle.state().has_failed() { Err(lifecycle.invalid_state(ACCEPTING)) } else { Ok(()) }
    }

    /// Gives up what is pending after a failure, as far as it has been published and nobody reads the metrics meanwhile:
    /// others may have to be told of the same end, so it waits for no reader, who goes on with this instead
    /// ([`after_reading`](Self::after_reading)).
    pub(in crate::recorder) fn discard_pending(self: &Arc<Self>) {
        // A producer that has reserved a place publishes within nanoseconds, unless it is interrupted just there.
        const PATIENCE: u32 = 10_000;
        // Whoever has the lock and runs no code of the user's lets go of it as soon.
        const PATIENCE_WITH_READERS: Duration = Duration::from_millis(10);
        if context::in_metrics() {
            // A metric's own code got us here, perhaps under this very lock; then the one who holds it goes on with this.
            return self.discard_late();
        }
        let mut held_up = None;
        for _ in 0..PATIENCE {
            match self.try_turn(u64::MAX) {
                Some(Turn::Ended) => break,
                // Its worker is in a hook, and goes on with this when that has ended.
                Some(_) if self.is_leased() => return,
                None if held_up.get_or_insert_with(Instant::now).elapsed() > PATIENCE_WITH_READERS => return,
                _ => {}
            }
            std::thread::yield_now();
        }
        self.try_answer_all_waiting();
    }

    /// Does what is due when the recorder has ended while the caller had the lock: the metrics' own code may have ended it, and
    /// who ends it waits for nobody. To be called by whoever is not the consumer, after giving the lock back.
    pub(in crate::recorder) fn after_reading(self: &Arc<Self>) {
        if self.state().has_failed() {
            self.discard_pending();
        }
    }

    /// Gives up what was published after [`discard_pending`](Self::discard_pending) had given up waiting for it, unless
    /// somebody is at it. To be called before somebody counts.
    pub(in crate::recorder) fn discard_late(&self) {
        if self.is_drained() || !self.state().has_failed() {
            return;
        }
        let mut failures = Failures::default();
        if let Some(mut processing) = self.try_lock_processing() {
            self.process(&mut processing, u64::MAX, &mut failures);
        }
        self.report(failures);
    }

    fn try_answer_all_waiting(&self) {
        let answered = self.try_lock_processing().map(|mut processing| processing.take_answered(u64::MAX));
        self.complete(answered.unwrap_or_default());
    }

    /// Goes to sleep until the next event, unless there is something to do or somebody reads the metrics just now.
    pub(crate) fn park(&self) -> bool {
        self.try_lock_processing().is_some_and(|mut processing| self.park_with(&mut processing))
    }

    fn park_with(&self, processing: &mut Processing) -> bool {
        processing.consumer.as_mut().is_some_and(|consumer| self.queue.park(consumer))
    }
}

/// One event at a time, for the worker with hooks. What begins with `try` does nothing while somebody reads the metrics.
impl RecorderCore {
    pub(in crate::recorder) fn try_take_consumer(&self) -> Option<Consumer> {
        self.consumer_of(&mut *self.try_lock_processing()?)
    }

    /// Gives the right to consume back, without the lock: a reader may have it for long.
    pub(in crate::recorder) fn return_consumer(&self, consumer: Consumer) {
        *self.returned() = Some(consumer);
    }

    fn consumer_of(&self, processing: &mut Processing) -> Option<Consumer> {
        processing.consumer.take().or_else(|| self.returned().take())
    }

    fn is_leased(&self) -> bool {
        let processing = self.try_lock_processing();
        processing.is_some_and(|processing| processing.consumer.is_none() && self.returned().is_none())
    }

    fn returned(&self) -> MutexGuard<'_, Option<Consumer>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies the first event of a run; the names of the metrics that accepted it.
    pub(in crate::recorder) fn try_apply_first(&self, run: &Batch<'_>) -> Option<Vec<Arc<str>>> {
        let mut failures = Failures::default();
        let accepted = {
            let mut processing = self.try_lock_processing()?;
            let _here = context::enter_metrics();
            drop(processing.let_in(self.queue.consumed()));
            let accepted = processing.metrics.apply_first(run, &mut failures.metrics);
            self.fail_with(&mut failures);
            accepted
        };
        self.report(failures);
        Some(accepted)
    }

    /// Does what is due when an event was consumed.
    pub(in crate::recorder) fn try_answer_waiting(&self) -> Option<()> {
        let mut processing = self.try_lock_processing()?;
        let answered = {
            let _here = context::enter_metrics();
            drop(processing.let_in(self.queue.consumed()));
            processing.take_answered(self.queue.consumed())
        };
        drop(processing);
        self.complete(answered);
        Some(())
    }
}
