//! Start, stop, failure: how a recorder goes from state to state.

use std::sync::{Arc, MutexGuard, PoisonError};

use crate::context;
use crate::error::MetricsRecorderError;
use crate::log::{Kind, LogPolicy, Operation};
use crate::recorder::RecorderCore;
use crate::recorder::completion::{Completion, LifecycleHandle};
use crate::recorder::state::{Decision, MetricsRecorderState, on_start, on_stop};
use crate::unwind;

/// How many callers that wait for one operation are told of in the log when it ends.
const MOST_LOGGED: usize = 256;

/// The state of a recorder and what leads from it to the next.
pub(super) struct Lifecycle {
    state: MetricsRecorderState,
    /// What led to FAILURE or CANCELLED.
    cause: Option<Arc<MetricsRecorderError>>,
    /// The start or stop in progress.
    ongoing: Option<Ongoing>,
    /// Whether the recorder has a task that processes its events without hooks.
    has_worker: bool,
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        // The error of a hook is somebody else's code.
        let cause = self.cause.take();
        unwind::contain(|| drop(cause));
    }
}

struct Ongoing {
    completion: Arc<Completion>,
    /// One for each caller.
    operations: Vec<Operation>,
}

/// A recorder that has just failed: what is to be said about it when no lock is held.
pub(super) struct Failed {
    state: MetricsRecorderState,
    error: MetricsRecorderError,
    ongoing: Option<Ongoing>,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self { state: MetricsRecorderState::Virgin, cause: None, ongoing: None, has_worker: false }
    }

    pub(super) fn state(&self) -> MetricsRecorderState {
        self.state
    }

    pub(super) fn invalid_state(&self, expected: &'static [MetricsRecorderState]) -> MetricsRecorderError {
        MetricsRecorderError::InvalidState { state: self.state, expected, cause: self.cause.clone() }
    }

    /// What led to the failure of the recorder, if it has failed.
    pub(super) fn failure(&self) -> Option<MetricsRecorderError> {
        self.cause.as_deref().cloned()
    }

    /// Enters a state in which an operation is in progress.
    fn begin(&mut self, state: MetricsRecorderState, operation: Operation) -> Arc<Completion> {
        let completion = Arc::default();
        self.state = state;
        self.ongoing = Some(Ongoing { completion: Arc::clone(&completion), operations: vec![operation] });
        completion
    }
}

impl RecorderCore {
    pub(crate) fn state(&self) -> MetricsRecorderState {
        self.lifecycle().state
    }

    pub(super) fn lifecycle(&self) -> MutexGuard<'_, Lifecycle> {
        self.lifecycle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start(self: &Arc<Self>) -> LifecycleHandle {
        let operation = self.operation(Kind::Lifecycle, "metrics_recorder.start");
        self.begin_start(operation.invoke(self.entity_id(), None, self.state()))
    }

    /// The start that the first event triggers; registering an event logs nothing.
    pub(super) fn start_silently(self: &Arc<Self>) {
        let operation = self.operation(Kind::Lifecycle, "metrics_recorder.start");
        let _here = context::enter_producer();
        // Nobody waits for it: a failure is kept in the state.
        drop(self.begin_start(operation.with_policy(LogPolicy::Silent)));
    }

    fn begin_start(self: &Arc<Self>, operation: Operation) -> LifecycleHandle {
        let mut lifecycle = self.lifecycle();
        let result = match on_start(lifecycle.state) {
            Decision::Refuse(expected) => Err(lifecycle.invalid_state(expected)),
            Decision::Join => return self.join(&mut lifecycle, operation),
            Decision::Begin if !self.home.takes_in(self, lifecycle.state) => {
                Err(MetricsRecorderError::LoopUnavailable)
            }
            Decision::Begin if self.hooks().is_some() => {
                let completion = lifecycle.begin(MetricsRecorderState::Starting, operation);
                self.queue.reopen();
                drop(lifecycle);
                self.home.spawn_worker(self);
                return LifecycleHandle::pending(Arc::clone(self), completion);
            }
            Decision::Begin => {
                lifecycle.state = MetricsRecorderState::Running;
                self.queue.reopen();
                // The task of the run before may not have noticed yet that it had ended; then it goes on.
                let works = std::mem::replace(&mut lifecycle.has_worker, true);
                drop(lifecycle);
                if !works {
                    self.home.spawn_worker(self);
                }
                if !self.queue.is_parked() {
                    self.schedule(false);
                }
                lifecycle = self.lifecycle();
                // Without a tokio runtime to run in, the task was dropped at once.
                lifecycle.failure().map_or(Ok(()), Err)
            }
        };
        let state = lifecycle.state;
        drop(lifecycle);
        operation.end(self.entity_id(), None, state, &result);
        LifecycleHandle::over(result)
    }

    /// The task of the recorder is gone, however it ended.
    pub(super) fn worker_is_gone(&self) {
        self.lifecycle().has_worker = false;
    }

    /// Whether the task of a recorder without hooks may end: the recorder may have been started again.
    pub(super) fn worker_leaves(&self) -> bool {
        let mut lifecycle = self.lifecycle();
        lifecycle.has_worker = lifecycle.state.processes();
        !lifecycle.has_worker
    }

    pub(crate) fn stop(self: &Arc<Self>) -> LifecycleHandle {
        let operation = self.operation(Kind::Lifecycle, "metrics_recorder.stop");
        self.begin_stop(operation.invoke(self.entity_id(), None, self.state()))
    }

    /// The stop that follows when the last handle is gone.
    pub(super) fn stop_silently(self: &Arc<Self>) {
        let operation = self.operation(Kind::Lifecycle, "metrics_recorder.stop");
        drop(self.begin_stop(operation.with_policy(LogPolicy::Silent)));
    }

    fn begin_stop(self: &Arc<Self>, operation: Operation) -> LifecycleHandle {
        let mut lifecycle = self.lifecycle();
        match on_stop(lifecycle.state) {
            Decision::Refuse(expected) => {
                let result = Err(lifecycle.invalid_state(expected));
                let state = lifecycle.state;
                drop(lifecycle);
                operation.end(self.entity_id(), None, state, &result);
                LifecycleHandle::over(result)
            }
            Decision::Join => self.join(&mut lifecycle, operation),
            Decision::Begin => {
                let completion = lifecycle.begin(MetricsRecorderState::Stopping, operation);
                self.queue.close();
                drop(lifecycle);
                if self.hooks().is_none() && self.is_drained() {
                    // Nothing is left to do that needs the thread of the event loop.
                    self.finish_stop(&Ok(()));
                }
                self.schedule(true);
                LifecycleHandle::pending(Arc::clone(self), completion)
            }
        }
    }

    fn join(self: &Arc<Self>, lifecycle: &mut Lifecycle, operation: Operation) -> LifecycleHandle {
        match &mut lifecycle.ongoing {
            Some(ongoing) => {
                if ongoing.operations.len() < MOST_LOGGED {
                    ongoing.operations.push(operation);
                }
                LifecycleHandle::pending(Arc::clone(self), Arc::clone(&ongoing.completion))
            }
            // STARTING and STOPPING always have an operation; should one be missing, it has ended.
            None => LifecycleHandle::over(Ok(())),
        }
    }

    /// Ends a successful start.
    pub(super) fn finish_start(&self) {
        self.finish(MetricsRecorderState::Starting, MetricsRecorderState::Running, &Ok(()));
    }

    /// Ends a stop, once.
    pub(super) fn finish_stop(&self, result: &Result<(), MetricsRecorderError>) {
        self.finish(MetricsRecorderState::Stopping, MetricsRecorderState::Stopped, result);
    }

    fn finish(
        &self,
        from: MetricsRecorderState,
        to: MetricsRecorderState,
        result: &Result<(), MetricsRecorderError>,
    ) {
        let mut lifecycle = self.lifecycle();
        if lifecycle.state != from {
            return;
        }
        if to == MetricsRecorderState::Stopped && !self.is_drained() {
            // A stop that was asked for after the look which led here: events came in between.
            return;
        }
        lifecycle.state = to;
        if let Err(error) = result {
            lifecycle.state = MetricsRecorderState::Failure;
            lifecycle.cause = Some(Arc::new(error.clone()));
        }
        let state = lifecycle.state;
        let ongoing = lifecycle.ongoing.take();
        drop(lifecycle);
        let told = |ongoing: &Ongoing| ongoing.operations.iter().any(|operation| !operation.is_silent());
        let told = ongoing.as_ref().is_some_and(told);
        self.answer(ongoing, state, result);
        if let (Err(error), false) = (result, told) {
            // Nobody asked for this stop: it followed the last handle.
            self.log_error("metrics_recorder.cleanup.failed", None, error);
        }
    }

    /// Puts the recorder into FAILURE, unless it has ended already; whether it did.
    pub(super) fn fail(&self, error: &MetricsRecorderError) -> bool {
        let failed = self.end_badly(MetricsRecorderState::Failure, error);
        failed.map(|failed| self.announce(failed)).is_some()
    }

    /// Puts the recorder into CANCELLED, unless it has ended already, and gives up what is pending unless it has stopped.
    pub(crate) fn cancel(self: &Arc<Self>) {
        let failed =
            self.end_badly(MetricsRecorderState::Cancelled, &MetricsRecorderError::DispatcherCancelled);
        if let Some(failed) = failed {
            self.announce(failed);
        }
        // Also when it had failed before: whoever was about to discard what is pending may be gone.
        if self.state().has_failed() {
            self.discard_pending();
        }
    }

    /// The same on a producer's thread, which logs nothing.
    pub(super) fn cancel_silently(self: &Arc<Self>) {
        let failed =
            self.end_badly(MetricsRecorderState::Cancelled, &MetricsRecorderError::DispatcherCancelled);
        if let Some(Failed { state, error, ongoing }) = failed {
            self.answer(ongoing, state, &Err(error));
            self.discard_pending();
        }
    }

    /// Puts the recorder into a state of failure, unless it has ended already. [`announce`](Self::announce) does the rest.
    pub(super) fn end_badly(
        &self,
        state: MetricsRecorderState,
        error: &MetricsRecorderError,
    ) -> Option<Failed> {
        let mut lifecycle = self.lifecycle();
        if lifecycle.state.has_failed() || lifecycle.state == MetricsRecorderState::Stopped {
            return None;
        }
        lifecycle.state = state;
        lifecycle.cause = Some(Arc::new(error.clone()));
        self.queue.close();
        Some(Failed { state, error: error.clone(), ongoing: lifecycle.ongoing.take() })
    }

    /// Answers everyone who waits for the operation that a failure has ended, and logs the failure.
    pub(super) fn announce(&self, failed: Failed) {
        let Failed { state, error, ongoing } = failed;
        self.answer(ongoing, state, &Err(error.clone()));
        self.log_error("metrics_recorder.dispatch_error", None, &error);
    }

    fn answer(
        &self,
        ongoing: Option<Ongoing>,
        state: MetricsRecorderState,
        result: &Result<(), MetricsRecorderError>,
    ) {
        if let Some(Ongoing { completion, operations }) = ongoing {
            for operation in operations {
                operation.end(self.entity_id(), None, state, result);
            }
            completion.complete(result.clone());
        }
    }

    /// Whether there is something to do that no event will announce.
    pub(crate) fn wants_a_turn(&self) -> bool {
        !self.queue.is_parked() || self.state() == MetricsRecorderState::Stopping
    }

    /// Whether a blocking wait for this recorder would block the thread that has to do the work.
    pub(crate) fn waiting_would_deadlock(&self) -> bool {
        context::in_hook() || context::in_metrics() || self.home.is_here()
    }
}
