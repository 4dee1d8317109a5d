//! The shared part of a recorder: its queue, its metrics, its lifecycle. This file, `registering`, `handoff`, `turn` and
//! `read` are its whole internal interface.
//!
//! # Locks
//!
//! * `lifecycle` guards the state and the operation in progress. The queue is closed and reopened under it, so the state and
//!   the queue's CLOSED flag change together. No user code runs under it, and nothing is allocated or freed. Producers read
//!   `published_state` instead, and take no lock.
//! * `metrics` guards the metrics and the right to consume. It is fair (see [`fair_lock`](super::fair_lock)). Handlers,
//!   snapshots and the `Drop` of events run under it. They are user code. A thread that runs such code is refused every
//!   call that needs this lock of any recorder (see [`thread_role`]). So no cycle can form.
//! * `lifecycle` may be taken inside `metrics`, never the other way round. `returned_consumer` is taken inside `metrics`, or
//!   alone.

use std::error::Error;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use super::completion::{Completion, Outcome};
use super::drain::MetricsState;
use super::fair_lock::FairLock;
use super::lifecycle::{Ended, Ending, Lifecycle};
use super::per_thread::PerThread;
use super::placement::{LoopPlacement, Placement};
use super::published_state::PublishedState;
use super::room::RoomLine;
use super::scheduler::{EventLoop, ScheduleState};
use super::settings::{Handoff, Settings};
use super::stats::Counters;
use super::task;
use crate::error::MetricsRecorderError;
use crate::hooks::Hooks;
use crate::log::{self, LogPolicy, LogTarget, Losses, Operation, OperationKind, Subject};
use crate::queue::{Consumer, Queue, SegmentPool};
use crate::snapshot::Timestamp;
use crate::state::{Decision, MetricsRecorderState};
use crate::sync::{Mutex, MutexGuard, lock_with_room};
use crate::thread_role;

/// The segments of recorders without a runtime.
static SHARED_POOL: LazyLock<crate::sync::Arc<SegmentPool>> =
    LazyLock::new(|| crate::sync::Arc::new(SegmentPool::new()));

pub(crate) struct RecorderInner {
    pub(super) queue: Queue,
    /// What takes the place of the queue where the recorder has a ring for each thread. The queue then refuses every event.
    pub(super) per_thread: Option<Box<PerThread>>,
    pub(super) metrics: FairLock<MetricsState>,
    /// The consumer, on its way back from a worker task with listeners. That task cannot wait for `metrics`.
    pub(super) returned_consumer: Mutex<Option<Consumer>>,
    lifecycle: Mutex<Lifecycle>,
    /// Written under `lifecycle`.
    pub(super) published_state: PublishedState,
    pub(super) counters: Counters,
    /// The producers that wait for room in the queue.
    pub(super) room: RoomLine,
    pub(super) settings: Settings,
    pub(super) hooks: Hooks,
    /// This recorder, for the tasks that run its hooks. Without hooks it refers to nothing.
    this: Weak<Self>,
    /// How many calls of a hook have begun or ended. Odd while a hook runs.
    hook_calls: AtomicU64,
    pub(super) placement: Placement,
    pub(super) schedule_state: ScheduleState,
    created_at: Timestamp,
    /// How many public handles there are. The recorder stops when the last one is dropped.
    handles: AtomicUsize,
}

/// An operation that a call has begun or joined.
pub(crate) enum Begun {
    /// It has ended already.
    Finished(Outcome),
    Pending(Arc<Completion>),
}

/// Creation and accessors.
impl RecorderInner {
    /// A recorder with one handle, in VIRGIN.
    pub(crate) fn new(settings: Settings, hooks: Hooks, placement: Placement) -> Arc<Self> {
        let pool = placement.event_loop().map(|event_loop| event_loop.pool.clone());
        let pool = pool.unwrap_or_else(|| SHARED_POOL.clone());
        let per_thread =
            (settings.handoff == Handoff::PerThread).then(|| Box::new(PerThread::new(pool.clone())));
        let queue = Queue::new(settings.queue_max_size, pool);
        if matches!(placement, Placement::Disabled) {
            queue.close();
        }
        Arc::new_cyclic(|this| Self {
            queue,
            per_thread,
            metrics: FairLock::new(MetricsState::new(placement.event_loop().is_some())),
            returned_consumer: Mutex::new(None),
            lifecycle: Mutex::new(Lifecycle::new()),
            published_state: PublishedState::new(),
            counters: Counters::new(settings.log_policy != LogPolicy::Silent),
            room: RoomLine::default(),
            settings,
            this: if hooks.is_empty() { Weak::new() } else { Weak::clone(this) },
            hooks,
            hook_calls: AtomicU64::new(0),
            placement,
            schedule_state: ScheduleState::default(),
            created_at: Timestamp::now(),
            handles: AtomicUsize::new(1),
        })
    }

    /// A number that tells this recorder from others.
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The id in the runtime; without a runtime the id of the entity.
    pub(crate) fn id(&self) -> &Arc<str> {
        self.settings.recorder_id.as_ref().unwrap_or(&self.settings.entity_id)
    }

    pub(crate) fn entity_id(&self) -> &Arc<str> {
        &self.settings.entity_id
    }

    pub(crate) fn namespace(&self) -> &Arc<str> {
        &self.settings.namespace
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at
    }

    #[inline]
    pub(crate) fn is_disabled(&self) -> bool {
        matches!(self.placement, Placement::Disabled)
    }

    pub(crate) fn state(&self) -> MetricsRecorderState {
        self.lifecycle().state()
    }

    /// Why the recorder has failed, if it has.
    #[allow(dead_code, reason = "the feature `page` uses it")]
    pub(crate) fn cause(&self) -> Option<Arc<MetricsRecorderError>> {
        self.lifecycle().cause()
    }

    pub(super) fn lifecycle(&self) -> MutexGuard<'_, Lifecycle> {
        self.lifecycle.lock()
    }

    /// The losses that the line of a stop tells. `None` when there are none, or none since the last stop.
    fn losses_to_tell(&self) -> Option<Losses> {
        if thread_role::in_producer() {
            return None;
        }
        let has_failed = self.state().has_failed();
        let stats = self.stats();
        let mut losses = stats.losses(has_failed);
        if has_failed {
            losses.discarded = self.counters.discarded_after_failure(&stats);
        }
        self.counters.drops.tell_at_stop(losses)
    }

    pub(super) fn operation(&self, kind: OperationKind, event: &'static str) -> Operation {
        Operation::new(LogTarget::Recorder, self.settings.log_policy, kind, event)
    }

    /// The subject of this recorder's log lines.
    pub(super) fn subject(&self) -> Subject<'_> {
        let Settings { entity_id, namespace, .. } = &self.settings;
        Subject { entity_id, namespace: Some(namespace), ..Subject::default() }
    }

    /// Logs an error of the infrastructure itself, with its stable code. A producer's thread logs nothing.
    pub(super) fn log_error(
        &self,
        event: &'static str,
        metric: Option<&str>,
        reason: &'static str,
        error: &(dyn Error + 'static),
    ) {
        if thread_role::in_producer() {
            return;
        }
        let subject = Subject { metric, ..self.subject() };
        log::infrastructure_error(self.settings.log_policy, event, subject, self.state(), reason, error);
    }

    /// Counts one more handle.
    pub(crate) fn add_handle(&self) {
        // Relaxed, as in `Arc`: the caller has a handle, so the count cannot reach zero meanwhile.
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one handle less. The recorder stops without its last one.
    pub(crate) fn drop_handle(self: &Arc<Self>) {
        // AcqRel, as in `Arc`: what the other handles did happens before the stop. Also pairs with `has_handles`.
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.stop_silently();
        }
    }

    pub(super) fn has_handles(&self) -> bool {
        // Acquire: pairs with `drop_handle`.
        self.handles.load(Ordering::Acquire) != 0
    }

    /// How many calls of a hook have begun or ended. Odd while a hook runs.
    pub(super) fn hook_calls(&self) -> u64 {
        // Acquire: pairs with `count_hook_call`. A thread that sees the hook running sees the state it was called with.
        self.hook_calls.load(Ordering::Acquire)
    }

    pub(super) fn count_hook_call(&self) {
        // Release: pairs with `hook_calls`.
        self.hook_calls.fetch_add(1, Ordering::Release);
    }

    pub(super) fn hook_runs(&self) -> bool {
        !self.hook_calls().is_multiple_of(2)
    }

    /// Whether `on_starting` has yet to end, so that no event may be applied.
    pub(super) fn awaits_on_starting(&self) -> bool {
        !self.hooks.is_empty() && self.state() == MetricsRecorderState::Starting
    }

    /// Whether a hook keeps the recorder from its next state.
    pub(super) fn is_in_lifecycle_hook(&self) -> bool {
        !self.hooks.is_empty() && self.lifecycle().is_in_hook()
    }

    /// Whether accepted events are being processed, and no hook is in the way.
    pub(super) fn is_processing(&self) -> bool {
        self.state().processes() && !self.hook_runs()
    }
}

/// Starting, stopping, failing.
impl RecorderInner {
    pub(crate) fn start(self: &Arc<Self>) -> Begun {
        if self.is_disabled() {
            return Begun::Finished(Ok(()));
        }
        let operation = self.operation(OperationKind::Lifecycle, "metrics_recorder.start");
        self.begin_start(operation.invoke(self.subject(), self.state()))
    }

    /// The start that the first event triggers. Registering an event logs nothing.
    pub(super) fn start_silently(self: &Arc<Self>) {
        let operation = self.operation(OperationKind::Lifecycle, "metrics_recorder.start");
        // No call waits for this start. Its failure is kept in the state.
        drop(self.begin_start(operation.with_policy(LogPolicy::Silent)));
    }

    fn begin_start(self: &Arc<Self>, operation: Operation) -> Begun {
        let loop_has_ended = self.placement.event_loop().is_some_and(EventLoop::has_ended);
        // Without hooks a start ends at once, so no call waits for it.
        let completion = (!self.hooks.is_empty()).then(Arc::<Completion>::default);
        let mut lifecycle = match completion {
            Some(_) => lock_with_room(&self.lifecycle, Lifecycle::callers),
            None => self.lifecycle(),
        };
        let result = match (lifecycle.state().on_start(), completion) {
            (Decision::Refuse(expected), _) => {
                let error = lifecycle.invalid_state(expected);
                drop(lifecycle);
                Err(error)
            }
            (Decision::Join, _) => {
                let ongoing = lifecycle.join(operation);
                // The unused completion is freed after the lock is released.
                drop(lifecycle);
                return joined(ongoing);
            }
            (Decision::Begin, _) if loop_has_ended => {
                drop(lifecycle);
                Err(MetricsRecorderError::LoopUnavailable)
            }
            (Decision::Begin, Some(completion)) => {
                let restarts = lifecycle.state() == MetricsRecorderState::Stopped;
                lifecycle.begin(MetricsRecorderState::Starting, &completion, operation);
                self.reopen();
                self.published_state.publish(&lifecycle);
                drop(lifecycle);
                self.spawn_task();
                self.end_with_loop(restarts);
                return Begun::Pending(completion);
            }
            (Decision::Begin, None) => {
                let restarts = lifecycle.state() == MetricsRecorderState::Stopped;
                let needs_task = lifecycle.run();
                self.reopen();
                self.published_state.publish(&lifecycle);
                drop(lifecycle);
                if needs_task {
                    self.spawn_task();
                }
                if !self.is_parked() {
                    // The turn that parks the queue may not have come since the last stop. An event would then unpark nothing.
                    self.schedule(false);
                }
                self.end_with_loop(restarts);
                // When its runtime has ended, tokio drops the task at once, and that cancels the recorder.
                let cause = self.lifecycle().cause();
                cause.map_or(Ok(()), |cause| Err(MetricsRecorderError::clone(&cause)))
            }
        };
        operation.end(self.subject(), self.state(), &result);
        Begun::Finished(result)
    }

    /// Makes sure that a recorder that has just started does not outlive its event loop.
    ///
    /// The loop cancels at its end the recorders that it has or tracks, and the runtime stops the registered ones before. A
    /// restarted recorder may be none of these, so the loop tracks it.
    fn end_with_loop(self: &Arc<Self>, restarts: bool) {
        if let Placement::Loop(LoopPlacement { event_loop, .. }) = &self.placement {
            let ends = if restarts { event_loop.track(self) } else { !event_loop.has_ended() };
            if !ends {
                self.cancel();
            }
        }
    }

    fn spawn_task(self: &Arc<Self>) {
        self.placement.spawn(|| Box::new(task::run(Arc::clone(self))));
    }

    /// Spawns the task that runs the lifecycle hooks of a recorder on an event loop. Other recorders with hooks have a task that
    /// runs them.
    fn spawn_hook_task(&self) {
        if let (Placement::Loop(_), Some(this)) = (&self.placement, self.this.upgrade()) {
            this.spawn_task();
        }
    }

    pub(crate) fn stop(self: &Arc<Self>) -> Begun {
        if self.is_disabled() {
            return Begun::Finished(Ok(()));
        }
        self.ensure_started();
        let operation = self.operation(OperationKind::Lifecycle, "metrics_recorder.stop");
        self.begin_stop(operation.invoke(self.subject(), self.state()))
    }

    /// The stop that follows the drop of the last handle.
    pub(super) fn stop_silently(self: &Arc<Self>) {
        let operation = self.operation(OperationKind::Lifecycle, "metrics_recorder.stop");
        drop(self.begin_stop(operation.with_policy(LogPolicy::Silent)));
    }

    fn begin_stop(self: &Arc<Self>, operation: Operation) -> Begun {
        let completion = Arc::default();
        let mut lifecycle = lock_with_room(&self.lifecycle, Lifecycle::callers);
        match lifecycle.state().on_stop() {
            Decision::Refuse(expected) => {
                let result = Err(lifecycle.invalid_state(expected));
                let state = lifecycle.state();
                drop(lifecycle);
                self.end_refused_stop(operation, state, &result);
                Begun::Finished(result)
            }
            Decision::Join => joined(lifecycle.join(operation)),
            Decision::Begin => {
                lifecycle.begin(MetricsRecorderState::Stopping, &completion, operation);
                self.published_state.publish(&lifecycle);
                self.close();
                drop(lifecycle);
                self.wake_all_producers();
                let logs_first_drop = self.counters.drops.is_first_line_pending();
                if self.is_drained() && !logs_first_drop {
                    // The stop need not wait for a turn of the event loop.
                    self.end_stop();
                    if matches!(self.placement, Placement::Loop(_)) && self.is_parked() {
                        return Begun::Pending(completion);
                    }
                }
                // The queue parks in the requested turn, and a task ends.
                self.schedule(true);
                Begun::Pending(completion)
            }
        }
    }

    /// Logs the end of a stop that is refused. A recorder that has failed tells its losses now, since it cannot stop.
    fn end_refused_stop(&self, operation: Operation, state: MetricsRecorderState, result: &Outcome) {
        if !state.has_failed() {
            return operation.end(self.subject(), state, result);
        }
        self.discard_stragglers();
        let losses = self.losses_to_tell();
        // Without losses, no user asked for a line about the drop of the last handle.
        let policy = self.settings.log_policy;
        let operation = if losses.is_some() { operation.with_policy(policy) } else { operation };
        operation.end_with_losses(self.subject(), state, result, losses);
    }

    /// Ends a successful start. Answers `false` when the recorder was cancelled meanwhile.
    pub(super) fn finish_start(&self) -> bool {
        self.finish(MetricsRecorderState::Starting, MetricsRecorderState::Running, Ok(()))
    }

    /// Ends the stop of a drained recorder, or begins its `on_stopped` hooks. A recorder with a task ends its stop there.
    pub(super) fn end_stop(&self) {
        if self.hooks.is_empty() {
            self.finish_stop(Ok(()));
        } else if matches!(self.placement, Placement::Loop(_)) {
            let begins = {
                let mut lifecycle = self.lifecycle();
                self.is_drained() && lifecycle.try_begin_on_stopped()
            };
            if begins {
                self.spawn_hook_task();
            }
        }
    }

    /// Ends a stop, unless events were accepted since the caller found the queue drained: then the stop is a newer one.
    pub(super) fn finish_stop(&self, result: Outcome) {
        self.finish(MetricsRecorderState::Stopping, MetricsRecorderState::Stopped, result);
    }

    /// Answers whether the recorder was in state `from`.
    fn finish(&self, from: MetricsRecorderState, to: MetricsRecorderState, result: Outcome) -> bool {
        let ending = Ending::new(result, self.placement.clock().now());
        let finished = {
            let mut lifecycle = self.lifecycle();
            if to == MetricsRecorderState::Stopped && !self.is_drained() {
                return false;
            }
            let finished = lifecycle.finish(from, to, ending);
            self.published_state.publish(&lifecycle);
            finished
        };
        let Ok(ended) = finished else {
            return false;
        };
        let was_logged = self.complete(&ended);
        if to == MetricsRecorderState::Stopped {
            self.release_flushes();
        }
        if let (Err(error), false) = (&ended.result, was_logged) {
            // No call waits for the stop that follows the drop of the last handle, so no call reports its error.
            self.log_error("metrics_recorder.cleanup.failed", None, error.reason(), error);
        }
        true
    }

    /// Logs the end of an operation and completes its waits. Answers whether any call was logged.
    fn complete(&self, ended: &Ended) -> bool {
        ended.complete(self.subject(), self.settings.log_policy, || self.losses_to_tell())
    }

    /// Completes the flushes that wait for a log line about dropped events, because the recorder has ended.
    pub(super) fn release_flushes(&self) {
        for flush in self.counters.drops.release_flushes() {
            flush.complete(Ok(()));
        }
    }

    /// Ends the waits for room, because the queue is closed.
    fn wake_all_producers(&self) {
        for producer in self.room.take_all(&self.queue) {
            producer.complete(());
        }
    }

    /// Puts the recorder into FAILURE, unless it has ended already. `next` is that of
    /// [`transition_to_failed`](Self::transition_to_failed).
    pub(super) fn fail(&self, error: &MetricsRecorderError, next: Option<u64>) {
        if let Some(ended) = self.transition_to_failed(MetricsRecorderState::Failure, error, next) {
            self.notify_failure(&ended);
        }
    }

    /// Puts the recorder into CANCELLED, unless it has ended already. Pending events of a failed recorder are discarded.
    pub(super) fn cancel(&self) {
        let error = MetricsRecorderError::DispatcherCancelled;
        if let Some(ended) = self.transition_to_failed(MetricsRecorderState::Cancelled, &error, None) {
            self.notify_failure(&ended);
        }
        // If the recorder had failed before, the worker task that was about to discard its events may be gone.
        if self.state().has_failed() {
            self.discard_pending();
        }
    }

    /// Enters FAILURE or CANCELLED, unless the recorder has ended already. The caller holds no lock when it completes the waits.
    ///
    /// Events that have failed the recorder are applied, and still in the queue. Then `next` is the position after them, from
    /// which on events count as discarded.
    pub(super) fn transition_to_failed(
        &self,
        state: MetricsRecorderState,
        error: &MetricsRecorderError,
        next: Option<u64>,
    ) -> Option<Ended> {
        let ending = Ending::new(Err(error.clone()), self.placement.clock().now());
        let cleans_up = state == MetricsRecorderState::Failure && self.hooks.has_lifecycle();
        let ending = if cleans_up { ending.with_cleanup() } else { ending };
        let failed = {
            let mut lifecycle = self.lifecycle();
            let failed = lifecycle.fail(state, ending);
            if failed.is_ok() {
                // Before the failure is visible.
                if let Some(next) = next {
                    self.counters.discard_from(next);
                }
                self.published_state.publish(&lifecycle);
                self.close();
            }
            failed
        };
        failed.ok()
    }

    /// Completes all waits for the operation that the failure has ended, and logs the failure.
    pub(super) fn notify_failure(&self, ended: &Ended) {
        self.complete(ended);
        self.wake_all_producers();
        self.release_flushes();
        if let Err(error) = &ended.result {
            self.log_error("metrics_recorder.dispatch_error", None, error.reason(), error);
        }
    }

    /// The wait for the hooks that clean up after a failure. It has ended already if there is nothing to clean up.
    pub(crate) fn cleanup(&self) -> Begun {
        self.lifecycle().cleanup().map_or(Begun::Finished(Ok(())), Begun::Pending)
    }

    /// Completes the waits for the cleanup, because it has ended, or because the recorder's task is gone.
    pub(super) fn end_cleanup(&self) {
        let cleanup = self.lifecycle().cleanup();
        if let Some(cleanup) = cleanup {
            cleanup.complete(Ok(()));
        }
    }

    /// As [`notify_failure`](Self::notify_failure) when a metric has failed the recorder. The `on_stopped` hooks run as cleanup.
    pub(super) fn notify_metric_failure(&self, ended: &Ended) {
        self.notify_failure(ended);
        self.spawn_hook_task();
    }
}

/// An operation in progress that a call has joined.
fn joined(completion: Option<Arc<Completion>>) -> Begun {
    // STARTING and STOPPING always have an operation. If it were missing, it would have ended.
    completion.map_or(Begun::Finished(Ok(())), Begun::Pending)
}
