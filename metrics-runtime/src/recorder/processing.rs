//! The metrics side: applying events, registering metrics, reading state.

mod observe;

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::context;
use crate::descriptor::MetricDescriptor;
use crate::dispatch::{MetricBox, MetricFailure, MetricSet};
use crate::error::MetricsRecorderError;
use crate::log::Kind;
use crate::metric::{Metric, TypedMetric};
use crate::queue::Consumer;
use crate::recorder::completion::{Completion, LifecycleHandle};
use crate::recorder::lifecycle::Failed;
use crate::recorder::options::MetricFailurePolicy;
use crate::recorder::state::{ACCEPTING, MetricsRecorderState};
use crate::recorder::{RecorderCore, Registration};
use crate::snapshot::{MetricSnapshot, MetricSnapshots};
use crate::unwind;

pub(crate) use self::observe::Observation;

/// How many events are processed between two looks at the rest of the world.
pub(crate) const BUDGET: u64 = 1_024;
/// How long a reader waits while nothing is processed before it helps itself.
const STALLED: Duration = Duration::from_secs(1);
/// How often a waiting reader looks whether something is processed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The metrics and the right to consume.
pub(super) struct Processing {
    metrics: MetricSet,
    /// Registered metrics that take part from a later position on, in order of position.
    due: Vec<(u64, MetricBox)>,
    /// Who waits until that many events are consumed.
    waiting: Vec<(u64, Arc<Completion>)>,
    /// `None` while a worker with hooks has it.
    consumer: Option<Consumer>,
}

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

impl Processing {
    pub(super) fn new() -> Self {
        Self {
            metrics: MetricSet::default(),
            due: Vec::new(),
            waiting: Vec::new(),
            consumer: Some(Consumer::new()),
        }
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
}

impl RecorderCore {
    /// Whether every accepted event is consumed.
    pub(super) fn is_drained(&self) -> bool {
        let accepted = self.queue.accepted();
        self.queue.consumed() == accepted
    }

    /// Whether a look at the recorder finds something to do.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_idle()
    }

    /// How many events were consumed so far.
    pub(crate) fn consumed(&self) -> u64 {
        self.queue.consumed()
    }

    /// Processes the events that are pending now, at most `budget`, without hooks.
    ///
    /// Events that are accepted during the turn are left for the next one: to follow close behind a producer, from cache
    /// line to cache line, would slow down both.
    pub(crate) fn turn(self: &Arc<Self>, budget: u64) -> Turn {
        self.turn_with(budget, |core| Some(core.lock_processing())).unwrap_or(Turn::More)
    }

    /// As [`turn`](Self::turn), for a thread that has other recorders to see to: `None` when it would have to wait for
    /// somebody who reads the metrics.
    pub(crate) fn try_turn(self: &Arc<Self>, budget: u64) -> Option<Turn> {
        self.turn_with(budget, Self::try_lock_processing)
    }

    fn turn_with<'a>(
        self: &'a Arc<Self>,
        budget: u64,
        lock: impl Fn(&'a Self) -> Option<MutexGuard<'a, Processing>>,
    ) -> Option<Turn> {
        self.let_readers_in();
        let target = self.queue.accepted();
        let mut failures = Failures::default();
        {
            let mut processing = lock(self)?;
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
                self.park_with(&mut *lock(self)?);
                self.finish_stop(&Ok(()));
                Turn::Ended
            }
            MetricsRecorderState::Stopped
            | MetricsRecorderState::Failure
            | MetricsRecorderState::Cancelled => {
                self.park_with(&mut *lock(self)?);
                Turn::Ended
            }
            MetricsRecorderState::Virgin | MetricsRecorderState::Starting | MetricsRecorderState::Running => {
                Turn::Drained
            }
        })
    }

    /// Applies pending events, at most `budget`, or discards them when the recorder has failed.
    fn process(&self, processing: &mut Processing, budget: u64, failures: &mut Failures) {
        let Some(mut consumer) = processing.consumer.take() else {
            return;
        };
        let _here = context::enter_metrics();
        let discards = self.state().has_failed();
        let mut left = budget;
        while left > 0 && failures.failed.is_none() {
            let position = self.queue.consumed();
            drop(processing.let_in(position));
            let most = left.min(processing.until_next_metric(position));
            let Some(run) = self.queue.next_run(&mut consumer, most) else {
                break;
            };
            left -= run.len();
            if discards {
                self.counters.discard_from(position);
            } else {
                processing.metrics.apply_run(&run, &mut failures.metrics);
                self.fail_with(failures);
            }
            run.consume();
        }
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

    /// Gives up what is pending after a failure, as far as it has been published.
    pub(super) fn discard_pending(self: &Arc<Self>) {
        // A producer that has reserved a place publishes within nanoseconds, unless it is interrupted just there.
        const PATIENCE: u32 = 10_000;
        if context::in_metrics() {
            // A metric's own code got us here, perhaps under this very lock; then the one who holds it goes on with this.
            let mut failures = Failures::default();
            if let Ok(mut processing) = self.processing.try_lock() {
                self.process(&mut processing, u64::MAX, &mut failures);
            }
            return self.report(failures);
        }
        for _ in 0..PATIENCE {
            if self.turn(u64::MAX) == Turn::Ended {
                break;
            }
            std::thread::yield_now();
        }
        self.answer_all_waiting();
    }

    pub(super) fn answer_all_waiting(&self) {
        let answered = self.lock_processing().take_answered(u64::MAX);
        self.complete(answered);
    }

    /// Goes to sleep until the next event, unless there is something to do or somebody reads the metrics just now.
    pub(crate) fn park(&self) -> bool {
        self.try_lock_processing().is_some_and(|mut processing| self.park_with(&mut processing))
    }

    fn park_with(&self, processing: &mut Processing) -> bool {
        processing.consumer.as_mut().is_some_and(|consumer| self.queue.park(consumer))
    }

    fn lock_processing(&self) -> MutexGuard<'_, Processing> {
        self.processing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` when somebody else has it.
    fn try_lock_processing(&self) -> Option<MutexGuard<'_, Processing>> {
        match self.processing.try_lock() {
            Ok(processing) => Some(processing),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Locks for a thread that is not the consumer, which may be busy for long and lets go only for moments.
    fn lock_as_reader(&self) -> MutexGuard<'_, Processing> {
        // Relaxed: a hint; the lock is what counts.
        self.readers.fetch_add(1, Ordering::Relaxed);
        let processing = self.lock_processing();
        self.readers.fetch_sub(1, Ordering::Relaxed);
        processing
    }

    fn let_readers_in(&self) {
        const PATIENCE: u32 = 100;
        for _ in 0..PATIENCE {
            if self.readers.load(Ordering::Relaxed) == 0 {
                break;
            }
            std::thread::yield_now();
        }
    }
}

/// One event at a time, for the worker with hooks.
impl RecorderCore {
    pub(super) fn take_consumer(&self) -> Option<Consumer> {
        self.lock_processing().consumer.take()
    }

    pub(super) fn return_consumer(&self, consumer: Consumer) {
        self.lock_processing().consumer = Some(consumer);
    }

    /// Applies the first event of a run; the names of the metrics that accepted it. `None` while somebody reads them.
    pub(super) fn try_apply_first(&self, run: &crate::queue::Run<'_>) -> Option<Vec<Arc<str>>> {
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

    pub(super) fn answer_waiting(&self) {
        let answered = self.lock_processing().take_answered(self.queue.consumed());
        self.complete(answered);
    }

    /// The same; `false`, and nobody is answered, while somebody reads the metrics.
    pub(super) fn try_answer_waiting(&self) -> bool {
        let processing = self.try_lock_processing();
        let answered = processing.map(|mut processing| processing.take_answered(self.queue.consumed()));
        let done = answered.is_some();
        self.complete(answered.unwrap_or_default());
        done
    }
}

/// Registering and reading.
impl RecorderCore {
    pub(crate) fn register_metric(&self, metric: MetricBox) -> Result<Registration, MetricsRecorderError> {
        let name = Arc::clone(&metric.name);
        let operation = self.operation(Kind::Lifecycle, "metrics_recorder.register_metric");
        let operation = operation.invoke(self.entity_id(), Some(&name), self.state());
        let result = self.try_register_metric(metric);
        operation.end(self.entity_id(), Some(&name), self.state(), &result);
        result
    }

    fn try_register_metric(&self, metric: MetricBox) -> Result<Registration, MetricsRecorderError> {
        if context::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let mut processing = self.lock_as_reader();
        let lifecycle = self.lifecycle();
        if !lifecycle.state().accepts() {
            return Err(lifecycle.invalid_state(ACCEPTING));
        }
        drop(lifecycle);
        let known = processing.metrics.contains(&metric.name)
            || processing.due.iter().any(|(_, due)| due.name == metric.name);
        // The consumer cannot get past this position before it has seen the metric: it needs the lock held here.
        let position = self.queue.accepted();
        processing.due.push((position, metric));
        let replaced = processing.let_in(self.queue.consumed());
        drop(processing);
        drop(replaced);
        Ok(if known { Registration::Replaced } else { Registration::Added })
    }

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
            let mut processing = self.lock_as_reader();
            if self.queue.consumed() >= target || !self.is_processing() {
                let value = {
                    let _here = context::enter_metrics();
                    read(&processing)
                };
                drop(processing);
                if self.state().has_failed() && !self.is_drained() {
                    // The metrics' own code may have ended the recorder.
                    self.turn(u64::MAX);
                }
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

    /// Whether accepted events are being processed and no hook is in the way.
    fn is_processing(&self) -> bool {
        // Acquire: with the flag seen set, the state the hook was called with is seen.
        self.state().processes() && !self.hook_runs.load(Ordering::Acquire)
    }

    /// Waits until the completion or a reason to look again; `false` when nothing moves.
    fn wait_for_progress(&self, completion: &Completion) -> bool {
        let mut moves = Movement::new(self);
        while completion.wait(Some(Instant::now() + LOOK_AGAIN)).is_none() && self.is_processing() {
            if moves.has_stalled(self) {
                return false;
            }
        }
        true
    }

    /// Waits for the end of an operation, until `deadline` at the latest, if it can come while this thread waits.
    pub(super) fn wait_for(
        self: &Arc<Self>,
        operation: &Completion,
        deadline: Option<Instant>,
    ) -> Option<Result<(), MetricsRecorderError>> {
        if context::in_hook() || context::in_metrics() {
            return Some(Err(MetricsRecorderError::WouldDeadlock));
        }
        let helps = self.hooks().is_none() && self.home.lets_waiters_help();
        if !helps && self.home.is_here() {
            return Some(Err(MetricsRecorderError::WouldDeadlock));
        }
        if !helps && !self.home.may_be_starved() {
            return operation.wait(deadline);
        }
        let mut moves = Movement::new(self);
        loop {
            let more = helps && self.turn(BUDGET) == Turn::More;
            let pause = Instant::now() + if more { Duration::ZERO } else { LOOK_AGAIN };
            if let Some(outcome) =
                operation.wait(Some(deadline.map_or(pause, |deadline| deadline.min(pause))))
            {
                return Some(outcome);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return None;
            }
            if !helps && moves.has_stalled(self) {
                return Some(Err(MetricsRecorderError::WouldDeadlock));
            }
        }
    }

    /// Waits until everything accepted by now is consumed, hooks included.
    pub(crate) fn flush(self: &Arc<Self>) -> LifecycleHandle {
        let target = self.queue.accepted();
        if context::in_metrics() {
            return LifecycleHandle::over(Err(MetricsRecorderError::WouldDeadlock));
        }
        let mut processing = self.lock_as_reader();
        let lifecycle = self.lifecycle();
        if self.queue.consumed() >= target {
            return LifecycleHandle::over(Ok(()));
        }
        if lifecycle.state().has_failed() {
            return LifecycleHandle::over(Err(lifecycle.invalid_state(ACCEPTING)));
        }
        drop(lifecycle);
        let completion = processing.wait_for(target);
        drop(processing);
        self.schedule(true);
        LifecycleHandle::pending(Arc::clone(self), completion)
    }

    /// The state of a metric while a hook runs.
    pub(crate) fn snapshot_of(&self, name: &str) -> MetricSnapshot {
        let snapshot = self.with_metric(name, MetricBox::snapshot);
        snapshot.unwrap_or_else(|| MetricSnapshot::new(name))
    }

    pub(crate) fn typed_snapshot_of<M: TypedMetric>(&self, name: &str) -> Option<M::Snapshot> {
        let snapshot = |metric: &MetricBox| metric.downcast::<M>().map(TypedMetric::typed_snapshot);
        self.with_metric(name, |metric, _| unwind::catch(|| snapshot(metric)).ok().flatten()).flatten()
    }

    pub(crate) fn is_metric<M: Metric>(&self, name: &str) -> bool {
        self.with_metric(name, |metric, _| metric.downcast::<M>().is_some()).unwrap_or(false)
    }

    fn with_metric<R>(
        &self,
        name: &str,
        read: impl FnOnce(&MetricBox, Option<&unwind::Panic>) -> R,
    ) -> Option<R> {
        let processing = self.lock_processing();
        let _here = context::enter_metrics();
        let applied = processing.metrics.current(std::iter::empty());
        let (metric, failure) = applied.into_iter().find(|(metric, _)| &*metric.name == name)?;
        Some(read(metric, failure))
    }
}

/// Whether a recorder gets on while somebody waits for it.
struct Movement {
    consumed: u64,
    beats: u64,
    moved: Instant,
}

impl Movement {
    fn new(recorder: &RecorderCore) -> Self {
        Self { consumed: recorder.queue.consumed(), beats: recorder.home.beats(), moved: Instant::now() }
    }

    /// Whether nothing was consumed, no hook has run and no other recorder in the same event loop has had a turn for a
    /// while. To be asked again and again.
    fn has_stalled(&mut self, recorder: &RecorderCore) -> bool {
        let now = Self::new(recorder);
        let moves = now.consumed != self.consumed || now.beats != self.beats;
        if moves || recorder.hook_runs.load(Ordering::Relaxed) {
            *self = now;
        }
        self.moved.elapsed() > STALLED
    }
}

impl Processing {
    /// All metrics, the newest of each name.
    fn current(&self) -> Vec<(&MetricBox, Option<&unwind::Panic>)> {
        self.metrics.current(self.due.iter().map(|(_, metric)| metric))
    }
}
