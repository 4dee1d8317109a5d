//! Reading a recorder's metrics, registering metrics, and waiting: what threads other than the consumer's do.
//!
//! A read includes all events that were accepted before it. So it requests a drain and waits for it, like a flush. One loop
//! waits for all of them ([`RecorderInner::wait`]), and it gives up by one rule ([`stall`](super::stall)).

use std::any::TypeId;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::completion::{Completion, Outcome};
use super::drain::{DrainEffects, MetricsState};
use super::fair_lock::FairGuard;
use super::metric_source::{MetricSource, ReadNamed};
use super::placement::CallerDrains;
use super::recorder_inner::{Begun, RecorderInner};
use super::scheduler::{EventLoop, MAX_EVENTS_PER_TURN, TurnOutcome};
use super::stall::{
    HELP_TIMEOUT, Obstacle, PROGRESS_CHECK_INTERVAL, PUBLISH_CHECK_INTERVAL, Progress, STALL_TIMEOUT,
    StallDetector,
};
use crate::descriptor::MetricDescriptor;
use crate::dispatch::{self, MetricBox};
use crate::error::MetricsRecorderError;
use crate::hooks::HookedRecorder;
use crate::log::{self, OperationKind, Subject};
use crate::moment;
use crate::panics::Panic;
use crate::snapshot::{MetricSnapshot, MetricSnapshots, Timestamp};
use crate::state::MetricsRecorderState;
use crate::stats::RecorderStats;
use crate::thread_role;

/// How long an observer waits for one holder of a recorder's metrics. It has other recorders to read.
const OBSERVER_LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// The effect of registering a metric, from [`MetricsRecorder::register_metric`](crate::MetricsRecorder::register_metric).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registered {
    /// There was no metric of that name.
    Added,
    /// The metric took the place of one of the same name, and counts from zero. The state of the replaced metric stays in the
    /// totals.
    ///
    /// The recorder logs the WARN `metrics_recorder.metric_replaced`, because two components may use one name by mistake.
    /// [`MetricsRecorder::metric`](crate::MetricsRecorder::metric) shares the metric instead.
    Replaced,
}

/// What an observer sees of a recorder at one moment.
pub(crate) struct Observation {
    pub(crate) status: MetricsRecorderState,
    pub(crate) stats: RecorderStats,
    /// The metrics in the order of their registration. `None` when another thread holds them for long.
    pub(crate) metrics: Option<Vec<MetricSnapshot>>,
    /// The last states of replaced metrics.
    pub(crate) replaced: Vec<MetricSnapshot>,
}

impl Observation {
    /// How long the observer waited in vain for the metrics: once to read them, and once before, to request a drain of pending events.
    pub(crate) fn waited(&self) -> Duration {
        let waits = if self.stats.pending > 0 { 2 } else { 1 };
        if self.metrics.is_none() { OBSERVER_LOCK_TIMEOUT * waits } else { Duration::ZERO }
    }
}

/// A request to process the events that were accepted before it.
pub(crate) struct DrainRequest {
    target: u64,
    completion: Arc<Completion>,
}

/// How a waiting thread reacts to missing progress.
struct Patience {
    drains: CallerDrains,
    /// It gives up after this time without progress. While a hook runs, `hook_timeout` replaces it.
    stall_timeout: Duration,
}

/// How a wait ended.
enum Waited {
    Completed(Outcome),
    DeadlinePassed,
    /// The reason to wait is gone.
    Interrupted,
    Stalled(MetricsRecorderError),
}

/// Reading for callers of a recorder.
impl RecorderInner {
    pub(crate) fn metric_snapshots(self: &Arc<Self>) -> Result<MetricSnapshots, MetricsRecorderError> {
        self.logged_read("metrics_recorder.get_metric_snapshots", |metrics| Ok(snapshots_of(metrics)))
    }

    /// Shows the first metric of that type to `read`, if there is one.
    pub(crate) fn read_first(
        self: &Arc<Self>,
        metric_type: TypeId,
        read: &mut dyn FnMut(&MetricBox) -> Result<(), MetricsRecorderError>,
    ) -> Result<(), MetricsRecorderError> {
        self.logged_read("metrics_recorder.get_metric_snapshots", |metrics| {
            first_of_type(metrics, metric_type).map_or(Ok(()), read)
        })
    }

    /// Shows the metric of that name, which is registered, to `read`.
    pub(super) fn read_named(
        self: &Arc<Self>,
        name: &str,
        read: ReadNamed<'_>,
    ) -> Result<(), MetricsRecorderError> {
        self.logged_read("metrics_recorder.get_metric_snapshots", |metrics| {
            // A metric leaves its recorder only for another one of its name.
            let (metric, failure) =
                metrics.find(name).ok_or_else(|| MetricsRecorderError::metric_type_mismatch(name))?;
            read(metric, failure)
        })
    }

    pub(crate) fn metrics(self: &Arc<Self>) -> Result<Vec<MetricDescriptor>, MetricsRecorderError> {
        self.logged_read("metrics_recorder.iter_metrics", |metrics| {
            Ok(dispatch::descriptors(metrics.current().into_iter().map(|(metric, _)| metric)))
        })
    }

    fn logged_read<R>(
        self: &Arc<Self>,
        event: &'static str,
        read: impl FnOnce(&MetricsState) -> Result<R, MetricsRecorderError>,
    ) -> Result<R, MetricsRecorderError> {
        let operation = self.operation(OperationKind::Read, event);
        let operation = operation.invoke(self.subject(), self.state());
        let result = self.read(read).flatten();
        operation.end(self.subject(), self.state(), &result);
        result
    }

    /// Reads the metrics after all events that are accepted by now. It does not wait for a hook or a start: then it shows the
    /// metrics as they are.
    ///
    /// Each round locks the metrics, and either reads them or waits without the lock. The wait may end early, because a hook
    /// begins. So the next round looks at the positions again.
    fn read<R>(self: &Arc<Self>, read: impl FnOnce(&MetricsState) -> R) -> Result<R, MetricsRecorderError> {
        if thread_role::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        self.ensure_started();
        let target = self.drain_target();
        let drains = self.caller_drains();
        loop {
            let mut metrics = self.lock_metrics()?;
            if drains == CallerDrains::AtOnce && self.is_processing() {
                let mut effects = DrainEffects::default();
                self.drain(&mut metrics, target.saturating_sub(self.drained()), &mut effects);
                if !effects.is_empty() || self.room.has_waiters() {
                    // Log subscribers and wakers are user code, so they run without the lock.
                    drop(metrics);
                    self.finish_drain(effects);
                    metrics = self.lock_metrics()?;
                }
            }
            if self.drained() >= target || !self.is_processing() {
                return Ok(self.view(metrics, read));
            }
            if drains != CallerDrains::AtOnce && self.waiting_would_deadlock() {
                drop(metrics);
                self.after_unlock();
                return Err(MetricsRecorderError::WouldDeadlock);
            }
            let completion = metrics.completion_at(target);
            drop(metrics);
            self.schedule(true);
            let patience = Patience { drains, stall_timeout: STALL_TIMEOUT };
            // A thread that logs dropped events completes the wait after the log's subscriber has returned. A read needs the events
            // alone.
            let interrupted = || !self.is_processing() || self.drained() >= target;
            if let Waited::Stalled(error) = self.wait(&completion, None, &patience, interrupted) {
                return Err(error);
            }
        }
    }

    /// Shows the metrics to `read`, then releases them. After the recorder's end they show the time when it ended.
    fn view<R>(&self, metrics: FairGuard<'_, MetricsState>, read: impl FnOnce(&MetricsState) -> R) -> R {
        let value = {
            let _role = thread_role::enter_metrics();
            let ended_at = self.lifecycle().ended_at();
            let _present = match ended_at {
                Some(ended_at) => moment::enter_at(ended_at),
                None => moment::enter(self.placement.clock()),
            };
            read(&metrics)
        };
        drop(metrics);
        self.after_unlock();
        value
    }
}

/// Reading for an observer of many recorders, which waits for no user code.
impl RecorderInner {
    /// Requests that the events accepted by now are processed. `None` when they are processed already, or when the recorder does
    /// not process events now.
    pub(crate) fn request_drain(self: &Arc<Self>) -> Option<DrainRequest> {
        self.ensure_started();
        let target = self.drain_target();
        if self.drained() >= target || !self.is_processing() {
            return None;
        }
        let completion = self.lock_metrics_for_observer()?.completion_at(target);
        self.after_unlock();
        self.schedule(true);
        Some(DrainRequest { target, completion })
    }

    /// Waits until the events are processed, a hook is in the way, nothing makes progress, or the deadline passes.
    pub(crate) fn wait_drained(self: &Arc<Self>, request: &DrainRequest, deadline: Instant) {
        // The completion may come late: the thread that completes it holds it until it has released the metrics.
        let interrupted = || !self.is_processing() || self.drained() >= request.target;
        // An observer runs no handlers and has other recorders to read, so it waits for less long.
        let patience = Patience { drains: CallerDrains::Never, stall_timeout: HELP_TIMEOUT };
        // However the wait ends, the observer reads the recorder as it is then.
        let _ = self.wait(&request.completion, Some(deadline), &patience, interrupted);
    }

    /// Reads the recorder as it is.
    pub(crate) fn observe(&self) -> Observation {
        match self.lock_metrics_for_observer() {
            Some(metrics) => self.observe_locked(metrics),
            None => self.observe_without_metrics(),
        }
    }

    /// Reads what needs no lock of the metrics.
    pub(crate) fn observe_without_metrics(&self) -> Observation {
        Observation { status: self.state(), stats: self.stats(), metrics: None, replaced: Vec::new() }
    }

    /// Reads the final state of a recorder. `None` while more may be processed, or while another thread holds the metrics for long.
    pub(crate) fn observe_final(&self) -> Option<Observation> {
        self.final_state(self.lock_metrics_for_observer()?)
    }

    /// As [`observe_final`](Self::observe_final), without waiting.
    pub(crate) fn try_observe_final(&self) -> Option<Observation> {
        self.final_state(self.try_lock_metrics()?)
    }

    fn final_state(&self, metrics: FairGuard<'_, MetricsState>) -> Option<Observation> {
        if self.is_drained() || self.state().has_failed() {
            return Some(self.observe_locked(metrics));
        }
        drop(metrics);
        self.after_unlock();
        None
    }

    fn observe_locked(&self, metrics: FairGuard<'_, MetricsState>) -> Observation {
        let (metrics, replaced, stats) = self.view(metrics, |metrics| {
            // The observer of all recorders notes the time when it has read the last one.
            let snapshots = dispatch::snapshots(metrics.current().into_iter(), Timestamp::default());
            // The stats are read under the lock, so they count exactly the events that the metrics show.
            (snapshots, metrics.states_of_replaced(), self.stats_of_metrics())
        });
        Observation { status: self.state(), stats, metrics: Some(metrics), replaced }
    }
}

/// Registering a metric, and flushing.
impl RecorderInner {
    pub(crate) fn register_metric(
        self: &Arc<Self>,
        metric: MetricBox,
    ) -> Result<Registered, MetricsRecorderError> {
        if self.is_disabled() {
            return Ok(Registered::Added);
        }
        let name = Arc::clone(&metric.name);
        let operation = self.operation(OperationKind::Lifecycle, "metrics_recorder.register_metric");
        let subject = Subject { metric: Some(&name), ..self.subject() };
        let operation = operation.invoke(subject, self.state());
        let result = self.try_register_metric(metric);
        self.after_unlock();
        if matches!(result, Ok(Registered::Replaced)) {
            log::metric_replaced(self.settings.log_policy, subject, self.state());
        }
        operation.end(subject, self.state(), &result);
        result
    }

    fn try_register_metric(&self, metric: MetricBox) -> Result<Registered, MetricsRecorderError> {
        if thread_role::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let metrics = self.lock_metrics()?;
        let replaces = metrics.find(&metric.name).is_some();
        self.add_metric(metrics, metric)?;
        Ok(if replaces { Registered::Replaced } else { Registered::Added })
    }

    /// Registers the metric unless there is one of its name and type. Answers where that metric is read.
    ///
    /// A call that finds the metric logs nothing. Other calls are logged like [`register_metric`](Self::register_metric), but
    /// both lines come at the end: before, the outcome is unknown.
    pub(crate) fn register_metric_if_absent(
        self: &Arc<Self>,
        metric: MetricBox,
    ) -> Result<MetricSource, MetricsRecorderError> {
        if self.is_disabled() {
            return Ok(MetricSource::unregistered(metric));
        }
        let source = MetricSource::registered(self, &metric.name);
        let operation = self.operation(OperationKind::Lifecycle, "metrics_recorder.register_metric");
        let state = self.state();
        let result = self.try_register_metric_if_absent(metric);
        self.after_unlock();
        if !matches!(result, Ok(None)) {
            let subject = Subject { metric: Some(source.name()), ..self.subject() };
            operation.invoke(subject, state).end(subject, self.state(), &result);
        }
        result.map(|_| source)
    }

    /// `None` when the metric was there.
    fn try_register_metric_if_absent(
        &self,
        metric: MetricBox,
    ) -> Result<Option<Registered>, MetricsRecorderError> {
        if thread_role::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let metrics = self.lock_metrics()?;
        match metrics.find(&metric.name).map(|(found, _)| found.metric_type()) {
            Some(found) if found == metric.metric_type() => Ok(None),
            Some(_) => Err(MetricsRecorderError::metric_type_mismatch(&metric.name)),
            None => self.add_metric(metrics, metric).map(|()| Some(Registered::Added)),
        }
    }

    /// Adds a metric, in place of one of the same name.
    fn add_metric(
        &self,
        mut metrics: FairGuard<'_, MetricsState>,
        metric: MetricBox,
    ) -> Result<(), MetricsRecorderError> {
        {
            let lifecycle = self.lifecycle();
            if !lifecycle.state().accepts() {
                let error = lifecycle.invalid_state(MetricsRecorderState::ACCEPTING);
                drop(lifecycle);
                // The `Drop` of `metric` is user code, so it runs when the lock is released.
                drop(metrics);
                return Err(error);
            }
        }
        if let Some(per_thread) = &self.per_thread {
            return self.add_metric_in_parts(per_thread, metrics, metric);
        }
        // The consumer needs the lock that this thread holds. So it finds the metric before it passes this position.
        let position = self.queue.accepted();
        let replaced = (metrics.register(position, metric), metrics.activate_due(self.queue.consumed()));
        drop(metrics);
        // The `Drop` of a metric is user code, so it runs when the lock is released.
        drop(replaced);
        Ok(())
    }

    /// Begins to wait until everything accepted by now is consumed, hooks included.
    pub(crate) fn flush(self: &Arc<Self>) -> Begun {
        let begun = self.begin_flush().unwrap_or_else(|error| Begun::Finished(Err(error)));
        self.after_unlock();
        begun
    }

    fn begin_flush(self: &Arc<Self>) -> Result<Begun, MetricsRecorderError> {
        self.ensure_started();
        let target = self.drain_target();
        if thread_role::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let mut metrics = self.lock_metrics()?;
        {
            let lifecycle = self.lifecycle();
            if lifecycle.state().has_failed() {
                return Err(lifecycle.invalid_state(MetricsRecorderState::ACCEPTING));
            }
        }
        if self.drained() >= target {
            drop(metrics);
            return Ok(self.flush_first_drop());
        }
        let completion = metrics.completion_at(target);
        drop(metrics);
        self.schedule(true);
        Ok(Begun::Pending(completion))
    }
}

/// Flushing a queue without events.
impl RecorderInner {
    /// Waits for the log line of the first drop, if it is due.
    fn flush_first_drop(self: &Arc<Self>) -> Begun {
        let drops = &self.counters.drops;
        if !drops.is_first_line_pending() || !self.state().processes() {
            return Begun::Finished(Ok(()));
        }
        let logged = Arc::default();
        if !drops.wait_for_first_line(&logged) {
            return Begun::Finished(Ok(()));
        }
        if self.state().processes() {
            self.schedule(true);
        } else {
            // The recorder has ended, so there may be no turn that logs. The line of its stop has told the drop.
            self.release_flushes();
        }
        Begun::Pending(logged)
    }
}

/// Waiting.
impl RecorderInner {
    /// Waits for an operation of this recorder. `None` when `deadline` passes first, whatever user code does.
    pub(crate) fn wait_for(
        self: &Arc<Self>,
        operation: &Completion,
        deadline: Option<Instant>,
    ) -> Option<Outcome> {
        if thread_role::in_hook() || thread_role::in_metrics() {
            return Some(Err(MetricsRecorderError::WouldDeadlock));
        }
        if self.needs_task(operation) && self.placement.runs_on_current_thread() {
            return Some(Err(MetricsRecorderError::WouldDeadlock));
        }
        let drains = self.caller_drains();
        // With a deadline the caller runs no handlers: a handler may not end before it, or never.
        let drains = if deadline.is_some() { CallerDrains::Never } else { drains };
        let patience = Patience { drains, stall_timeout: STALL_TIMEOUT };
        match self.wait(operation, deadline, &patience, || false) {
            Waited::Completed(outcome) => Some(outcome),
            Waited::Stalled(error) => Some(Err(error)),
            Waited::DeadlinePassed | Waited::Interrupted => None,
        }
    }

    /// Waits for `completion` as long as there is progress towards it. Every blocking wait for a recorder ends up here.
    ///
    /// The wait also ends at the deadline, and when `interrupted` answers `true`. It wakes up at a check interval, because no
    /// thread would notify it of a stall. Where `patience` allows it, this thread meanwhile processes the
    /// recorder's events itself. So it succeeds even when the thread that should process them is blocked.
    fn wait(
        self: &Arc<Self>,
        completion: &Completion,
        deadline: Option<Instant>,
        patience: &Patience,
        interrupted: impl Fn() -> bool,
    ) -> Waited {
        let mut detector = StallDetector::new(self.progress());
        let mut stalled_for = Duration::ZERO;
        loop {
            if interrupted() {
                return Waited::Interrupted;
            }
            let helps = match patience.drains {
                CallerDrains::AtOnce => true,
                CallerDrains::WhenStalled => stalled_for >= HELP_TIMEOUT,
                CallerDrains::Never => false,
            };
            let pause = match helps.then(|| self.try_turn_of(MAX_EVENTS_PER_TURN)).flatten() {
                Some(TurnOutcome::More { progress: true }) => Duration::ZERO,
                // A producer has reserved a position and publishes its event soon, without notifying a thread.
                Some(TurnOutcome::More { progress: false }) => PUBLISH_CHECK_INTERVAL,
                Some(TurnOutcome::Drained | TurnOutcome::Ended) | None => PROGRESS_CHECK_INTERVAL,
            };
            let check = Instant::now() + pause;
            let until = deadline.map_or(check, |deadline| deadline.min(check));
            if let Some(outcome) = completion.wait_until(until) {
                if helps {
                    // This thread held the metrics in its turns. The recorder may have failed meanwhile.
                    self.after_unlock();
                }
                return Waited::Completed(outcome);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Waited::DeadlinePassed;
            }
            let progress = self.progress();
            stalled_for = detector.stalled_for(progress);
            let obstacle = progress.obstacle();
            let timeout = match obstacle {
                // A deadline alone bounds the wait for a hook.
                Obstacle::Hook if deadline.is_some() => Duration::MAX,
                Obstacle::Hook => self.settings.hook_timeout,
                Obstacle::Holder | Obstacle::Consumer => patience.stall_timeout,
            };
            if stalled_for >= timeout {
                return Waited::Stalled(obstacle.error(stalled_for));
            }
        }
    }

    fn progress(&self) -> Progress {
        // Neither turns of other recorders nor those of this one help while a handler in the thread of a producer does not end.
        let is_held_up = self.is_held_up();
        let event_loop = self.placement.event_loop().filter(|_| !is_held_up);
        Progress {
            consumed: self.drain_progress(),
            hook_calls: self.hook_calls(),
            turns: event_loop.map_or(0, EventLoop::progress_counter),
            acquisitions: self.metrics.acquisitions(),
            is_locked: is_held_up || self.metrics.is_locked(),
        }
    }

    fn caller_drains(&self) -> CallerDrains {
        self.placement.caller_drains(self.hooks.has_listeners())
    }

    /// Whether an operation ends only when the recorder's task has run a hook. A thread that processes the events does not end
    /// it.
    fn needs_task(&self, operation: &Completion) -> bool {
        if self.hooks.is_empty() {
            return false;
        }
        let lifecycle = self.lifecycle();
        let awaits_hook =
            lifecycle.state() == MetricsRecorderState::Starting || lifecycle.is_ongoing(operation);
        self.hooks.has_listeners() || awaits_hook
    }

    /// Whether a blocking wait for this recorder would wait for the current thread.
    fn waiting_would_deadlock(&self) -> bool {
        thread_role::in_hook() || self.placement.runs_on_current_thread()
    }

    /// Locks the metrics for a thread that can wait.
    ///
    /// # Errors
    /// `Stalled` when another thread holds the metrics and makes no progress.
    fn lock_metrics(&self) -> Result<FairGuard<'_, MetricsState>, MetricsRecorderError> {
        // Turns of other recorders are no progress here: they do not need these metrics.
        let progress = || (self.metrics.acquisitions(), self.drain_progress());
        let mut metrics = self
            .metrics
            .lock_while(STALL_TIMEOUT, progress)
            .map_err(|waited| Obstacle::Holder.error(waited))?;
        self.take_back_consumer(&mut metrics);
        Ok(metrics)
    }

    /// Locks the metrics for an observer, which waits for one turn of the consumer at most. `None` when one thread holds the
    /// metrics for longer.
    fn lock_metrics_for_observer(&self) -> Option<FairGuard<'_, MetricsState>> {
        let locked = self.metrics.lock_while(OBSERVER_LOCK_TIMEOUT, || self.metrics.acquisitions());
        let mut metrics = locked.ok()?;
        self.take_back_consumer(&mut metrics);
        Some(metrics)
    }
}

/// For hooks. A hook runs between two events of its recorder, so it reads the metrics as they are.
impl HookedRecorder for RecorderInner {
    fn recorder_id(&self) -> Option<&str> {
        self.settings.recorder_id.as_deref()
    }

    fn entity_id(&self) -> &str {
        &self.settings.entity_id
    }

    fn namespace(&self) -> &str {
        &self.settings.namespace
    }

    fn status(&self) -> MetricsRecorderState {
        self.state()
    }

    fn stats(&self) -> RecorderStats {
        self.discard_stragglers();
        Self::stats(self)
    }

    fn metric_snapshots(&self) -> Result<MetricSnapshots, MetricsRecorderError> {
        self.view_in_hook(snapshots_of)
    }

    fn with_first(
        &self,
        metric_type: TypeId,
        read: &mut dyn FnMut(&MetricBox),
    ) -> Result<(), MetricsRecorderError> {
        self.view_in_hook(|metrics| first_of_type(metrics, metric_type).map_or((), read))
    }

    fn with_metric(
        &self,
        name: &str,
        read: &mut dyn FnMut(&MetricBox, Option<&Panic>),
    ) -> Result<(), MetricsRecorderError> {
        self.view_in_hook(|metrics| {
            let applied = metrics.metrics.current(std::iter::empty());
            if let Some((metric, failure)) = applied.into_iter().find(|(metric, _)| &*metric.name == name) {
                read(metric, failure);
            }
        })
    }
}

impl RecorderInner {
    fn view_in_hook<R>(&self, read: impl FnOnce(&MetricsState) -> R) -> Result<R, MetricsRecorderError> {
        if thread_role::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let metrics = self.lock_metrics()?;
        Ok(self.view(metrics, read))
    }
}

fn snapshots_of(metrics: &MetricsState) -> MetricSnapshots {
    let taken_at = Timestamp::now();
    dispatch::snapshots(metrics.current().into_iter(), taken_at).into_iter().collect()
}

fn first_of_type(metrics: &MetricsState, metric_type: TypeId) -> Option<&MetricBox> {
    let mut current = metrics.current().into_iter().map(|(metric, _)| metric);
    current.find(|metric| metric.metric_type() == metric_type)
}
