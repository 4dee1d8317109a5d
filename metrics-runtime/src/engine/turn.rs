//! Turns: a recorder's pending events are applied, or discarded after a failure.
//!
//! Any thread may try a turn, and the metrics lock lets one thread at a time consume. The event loop and the worker tasks never
//! wait for that lock, because a reader may hold it for long. They try again in a later turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::completion::Completion;
use super::drain::{DrainEffects, MetricsState};
use super::fair_lock::FairGuard;
use super::loss::{self, DroppedType, Report};
use super::recorder_inner::RecorderInner;
use super::scheduler::{MAX_EVENTS_PER_TURN, Runnable, ScheduleState, TurnOutcome};
use super::settings::MetricFailurePolicy;
use crate::dispatch::MetricFailure;
use crate::error::MetricsRecorderError;
use crate::log;
use crate::moment;
use crate::queue::{Batch, Consumer};
use crate::state::MetricsRecorderState;
use crate::thread_role;

/// How long a failed recorder waits for a producer that has yet to publish its event, or for a reader that holds the metrics.
/// Both take nanoseconds, unless the thread is preempted or runs user code.
const DISCARD_TIMEOUT: Duration = Duration::from_millis(10);

impl RecorderInner {
    /// Processes at most `budget` of the events that are pending now, without listeners. `None` while a reader holds the metrics.
    ///
    /// Events that are accepted during the turn are left for the next one. A consumer close behind a producer would take away
    /// the cache line that the producer writes to, at every event.
    pub(super) fn try_turn_of(&self, budget: u64) -> Option<TurnOutcome> {
        if let Some(per_thread) = &self.per_thread {
            return self.try_turn_of_rings(per_thread);
        }
        let target = self.queue.accepted();
        // The state is read after `target`. So if the recorder does not start now, `on_starting` has run before all events up to
        // `target`, even if the recorder is started again during this turn.
        if self.awaits_on_starting() {
            return Some(TurnOutcome::Ended);
        }
        let mut effects = DrainEffects::default();
        let begin = {
            let mut metrics = self.try_lock_metrics()?;
            let begin = self.queue.consumed();
            self.drain(&mut metrics, budget.min(target.saturating_sub(begin)), &mut effects);
            begin
        };
        self.finish_drain(effects);
        let consumed = self.queue.consumed();
        let progress = consumed > begin;
        if progress || (begin >= target && self.placement.is_loop_thread()) {
            // A turn that found events and consumed none waits for a producer, and is no progress for a waiting thread. A turn
            // that found no event shows that the event loop goes on, unless it is a turn of the waiting thread itself.
            self.record_progress();
        }
        if consumed < target {
            return Some(TurnOutcome::More { progress });
        }
        self.end_turn(progress)
    }

    /// Ends a turn that has applied everything it began with. It ends the recorder if no event is left and none will come.
    pub(super) fn end_turn(&self, progress: bool) -> Option<TurnOutcome> {
        let state = self.state();
        if state.accepts() {
            return Some(TurnOutcome::Drained);
        }
        // The recorder accepts no more events. Some may have been accepted after the turn began, before the recorder was closed.
        // When these are consumed as well, no event is left and none will come.
        if !self.is_drained() {
            return Some(TurnOutcome::More { progress });
        }
        self.park_locked(&mut *self.try_lock_metrics()?);
        if state == MetricsRecorderState::Stopping {
            self.end_stop();
        }
        Some(TurnOutcome::Ended)
    }

    /// Applies at most `budget` pending events, or discards them after a failure. With rings it makes a cut instead.
    pub(super) fn drain(&self, metrics: &mut MetricsState, budget: u64, effects: &mut DrainEffects) {
        if let Some(per_thread) = &self.per_thread {
            if budget > 0 {
                self.cut(per_thread, metrics, effects);
            }
            return;
        }
        let _role = thread_role::enter_metrics();
        // The state is read once. If the recorder fails during this drain, the drain ends with the batch that it has begun,
        // and the next drain discards.
        let discards = self.state().has_failed();
        let present = moment::enter(self.placement.clock());
        metrics.drain(&self.queue, budget, effects, &present, |metrics, batch, position, effects| {
            if discards {
                // Before the batch is consumed: otherwise `stats` would show these events as processed for a moment.
                self.counters.discard_from(position);
            } else {
                metrics.apply_batch(batch.published(), &mut effects.failures);
                self.apply_failure_policy(effects, Some(position + batch.len()));
            }
            if !discards && self.room.is_due(position + batch.len()) {
                // Producers wait for this room, and wakers run without the lock.
                effects.has_room = true;
            }
            effects.ended.is_none() && !effects.has_room
        });
    }

    /// Puts the recorder into FAILURE for the first metric that has panicked, if that is the policy.
    ///
    /// It runs before the events count as consumed. Otherwise a stop could succeed in between. `next` is the position after
    /// these events; rings have none.
    pub(super) fn apply_failure_policy(&self, effects: &mut DrainEffects, next: Option<u64>) {
        if self.settings.metric_failure == MetricFailurePolicy::Quarantine || effects.failures.is_empty() {
            return;
        }
        let MetricFailure { metric, panic } = &effects.failures[0];
        let cause = Arc::new(panic.clone());
        let error = MetricsRecorderError::MetricFailed { metric: metric.to_string(), cause };
        if let Some(ended) = self.transition_to_failed(MetricsRecorderState::Failure, &error, next) {
            effects.ended = Some(ended);
            // The failure of the recorder names this metric, so it is not logged twice.
            effects.failures.remove(0);
        }
    }

    /// Wakes the producers that wait for room, logs what has happened in a drain, and completes its waiters. Wakers and log
    /// subscribers are user code, so the caller holds no lock.
    pub(super) fn finish_drain(&self, effects: DrainEffects) {
        let DrainEffects { failures, ended, completed, has_room: _ } = effects;
        if self.room.has_waiters() {
            self.wake_producers();
        }
        if let Some(ended) = ended {
            self.notify_metric_failure(&ended);
        }
        for MetricFailure { metric, panic } in failures {
            self.log_error("metrics_recorder.dispatch_error", Some(&metric), "METRIC_FAILED", &panic);
        }
        let drops = &self.counters.drops;
        let completed = if drops.may_report() { self.log_drops(completed) } else { completed };
        if completed.is_empty() {
            return;
        }
        let outcome = {
            let lifecycle = self.lifecycle();
            let failed = lifecycle.state().has_failed();
            if failed { Err(lifecycle.invalid_state(MetricsRecorderState::ACCEPTING)) } else { Ok(()) }
        };
        for completion in completed {
            completion.complete(outcome.clone());
        }
    }

    /// Wakes the producers that wait for room, if they are due. Wakers are user code, so the caller holds no lock.
    #[cold]
    pub(super) fn wake_producers(&self) {
        for producer in self.room.take_due(&self.queue) {
            producer.complete(());
        }
    }

    /// Logs dropped events if a line is due. Returns the waiters that the caller completes.
    #[cold]
    fn log_drops(&self, completed: Vec<Arc<Completion>>) -> Vec<Arc<Completion>> {
        let drops = &self.counters.drops;
        if thread_role::in_producer() {
            return completed;
        }
        let (types, mut completed) = match drops.begin_report(loss::now(), completed) {
            Report::None(completed) => return completed,
            Report::Deferred => return Vec::new(),
            Report::Line(types, completed) => (types, completed),
        };
        let dropped = types.iter().map(DroppedType::since_last_line).sum();
        let total = types.iter().map(|dropped| dropped.count).sum();
        let by_type = loss::by_type(types);
        log::events_dropped(self.subject(), self.state(), dropped, &by_type, total, self.limit());
        completed.append(&mut drops.end_report());
        completed
    }

    /// Discards the pending events after a failure, and completes all waiters.
    ///
    /// Where another thread holds the metrics, that thread discards instead: see [`after_unlock`](Self::after_unlock).
    pub(super) fn discard_pending(&self) {
        if thread_role::in_metrics() {
            // User code of a metric has ended the recorder, and this thread may hold the recorder's own metrics. Then a wait
            // would be in vain, and the outer drain discards.
            return self.discard_stragglers();
        }
        let deadline = Instant::now() + DISCARD_TIMEOUT;
        loop {
            let turn = self.try_turn_of(u64::MAX);
            match turn {
                Some(TurnOutcome::Ended) => break,
                // The worker task is in a hook, and discards when the hook has ended.
                Some(_) if self.is_consumer_taken() => return,
                _ if Instant::now() < deadline => std::thread::yield_now(),
                // A reader holds the metrics, and discards after its read.
                None => return,
                // A producer has not published its event. `discard_stragglers` discards it, or the drop of the queue.
                Some(_) => break,
            }
        }
        let mut effects = DrainEffects::default();
        if let Some(mut metrics) = self.try_lock_metrics() {
            effects.completed = metrics.take_completed_waiters(u64::MAX);
        }
        self.finish_drain(effects);
    }

    /// Discards for another thread that could not do so while this thread held the metrics: a failing recorder waits for no
    /// reader.
    ///
    /// Threads other than the consumer's call it after they have released the metrics.
    pub(super) fn after_unlock(&self) {
        if self.state().has_failed() {
            self.discard_pending();
        }
    }

    /// Discards events that were published after [`discard_pending`](Self::discard_pending) gave up waiting for them.
    ///
    /// It does nothing while another thread holds the metrics. A handle's `stats` calls it before it counts.
    pub(crate) fn discard_stragglers(&self) {
        if self.is_drained() || !self.state().has_failed() {
            return;
        }
        let mut effects = DrainEffects::default();
        if let Some(mut metrics) = self.try_lock_metrics() {
            self.drain(&mut metrics, u64::MAX, &mut effects);
        }
        self.finish_drain(effects);
    }

    /// Parks the queue, unless events are pending or a reader holds the metrics. Answers whether the queue is parked.
    pub(super) fn park(&self) -> bool {
        if let Some(per_thread) = &self.per_thread {
            let mut effects = DrainEffects::default();
            let parked = self
                .try_lock_metrics()
                .is_some_and(|mut metrics| self.park_rings(per_thread, &mut metrics, &mut effects));
            self.finish_drain(effects);
            return parked;
        }
        self.try_lock_metrics().is_some_and(|mut metrics| self.park_locked(&mut metrics))
    }

    fn park_locked(&self, metrics: &mut MetricsState) -> bool {
        match &self.per_thread {
            Some(per_thread) => per_thread.rings.park(),
            None => metrics.consumer.as_mut().is_some_and(|consumer| self.queue.park(consumer)),
        }
    }

    /// Locks the metrics. `None` while a reader holds them or waits for them.
    pub(super) fn try_lock_metrics(&self) -> Option<FairGuard<'_, MetricsState>> {
        let mut metrics = self.metrics.try_lock_as_consumer()?;
        self.take_back_consumer(&mut metrics);
        Some(metrics)
    }

    /// Notes that the recorder gets work done, for threads that wait for any recorder of its event loop.
    pub(super) fn record_progress(&self) {
        if let Some(event_loop) = self.placement.event_loop() {
            event_loop.record_progress();
        }
    }
}

/// For a worker task with listeners, which goes event by event. None of these methods waits for a reader.
impl RecorderInner {
    /// Takes the consumer, so that the worker task can read an event while listeners run.
    pub(super) fn try_take_consumer(&self) -> Option<Consumer> {
        self.try_lock_metrics()?.consumer.take()
    }

    /// Returns the consumer without the metrics lock, which a reader may hold for long. The next thread that locks the
    /// metrics takes it back.
    pub(super) fn return_consumer(&self, consumer: Consumer) {
        *self.returned_consumer.lock() = Some(consumer);
    }

    pub(super) fn take_back_consumer(&self, metrics: &mut MetricsState) {
        if metrics.consumer.is_none() {
            metrics.consumer = self.returned_consumer.lock().take();
        }
    }

    /// Whether the worker task has the consumer.
    fn is_consumer_taken(&self) -> bool {
        self.try_lock_metrics().is_some_and(|metrics| metrics.consumer.is_none())
    }

    /// Applies the first event of a batch. Returns the names of the metrics that accepted it; `None` while a reader holds
    /// the metrics.
    pub(super) fn try_apply_first(&self, batch: &Batch<'_>) -> Option<Vec<Arc<str>>> {
        let mut effects = DrainEffects::default();
        let accepted = {
            let mut metrics = self.try_lock_metrics()?;
            let _role = thread_role::enter_metrics();
            let _present = moment::enter(self.placement.clock());
            let position = self.queue.consumed();
            drop(metrics.activate_due(position));
            let accepted = metrics.metrics.apply_first(batch.published(), &mut effects.failures);
            self.apply_failure_policy(&mut effects, Some(position + 1));
            accepted
        };
        self.finish_drain(effects);
        Some(accepted)
    }

    /// Whether the end of a drain has something to do even if it follows no event.
    pub(super) fn wants_drain_end(&self) -> bool {
        self.room.has_waiters() || self.counters.drops.may_report()
    }

    /// Activates metrics and completes waiters, after the worker task has consumed an event. `None` while a reader holds the
    /// metrics.
    pub(super) fn try_finish_event(&self) -> Option<()> {
        let mut effects = DrainEffects::default();
        {
            let mut metrics = self.try_lock_metrics()?;
            let _role = thread_role::enter_metrics();
            let _present = moment::enter(self.placement.clock());
            metrics.after_consuming(self.queue.consumed(), &mut effects);
        }
        self.finish_drain(effects);
        Some(())
    }
}

impl Runnable for RecorderInner {
    fn schedule_state(&self) -> &ScheduleState {
        &self.schedule_state
    }

    fn poll_interval(&self) -> Duration {
        self.settings.poll_interval
    }

    fn has_work(&self) -> bool {
        match &self.per_thread {
            Some(per_thread) => per_thread.has_work(),
            None => !self.queue.is_idle(),
        }
    }

    fn try_turn(&self) -> Option<TurnOutcome> {
        self.try_turn_of(MAX_EVENTS_PER_TURN)
    }

    fn try_release(&self) -> bool {
        self.schedule_state.clear_turn_pending();
        // Producers that found the turn pending asked for no other one. So this thread checks the watermark after it
        // has cleared the flag. Either a producer finds the flag clear, or this thread finds the queue above its
        // watermark. Events that await `on_starting` get a turn when it has ended.
        !self.queue.is_above_watermark() || self.awaits_on_starting()
    }

    fn try_park(&self) -> bool {
        self.park()
    }

    fn wants_turn(&self) -> bool {
        let has_turns = !self.is_parked() || self.state() == MetricsRecorderState::Stopping;
        // The task of a running hook schedules the recorder, or ends it, when the hook has ended.
        has_turns && !self.is_in_lifecycle_hook()
    }

    fn cancel(&self) {
        RecorderInner::cancel(self);
    }
}
