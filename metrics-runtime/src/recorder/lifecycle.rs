//! Start, stop, failure: how a recorder goes from state to state.

use std::sync::{Arc, MutexGuard, PoisonError};

use crate::error::MetricsRecorderError;
use crate::log::{Kind, LogPolicy, Operation};
use crate::recorder::RecorderCore;
use crate::recorder::completion::{Completion, LifecycleHandle};
use crate::recorder::state::{Decision, MetricsRecorderState, on_start, on_stop};

/// The state of a recorder and what leads from it to the next.
pub(super) struct Lifecycle {
    state: MetricsRecorderState,
    /// What led to FAILURE or CANCELLED.
    cause: Option<Arc<MetricsRecorderError>>,
    /// The start or stop in progress.
    ongoing: Option<Ongoing>,
}

struct Ongoing {
    completion: Arc<Completion>,
    operation: Operation,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self { state: MetricsRecorderState::Virgin, cause: None, ongoing: None }
    }

    pub(super) fn state(&self) -> MetricsRecorderState {
        self.state
    }

    pub(super) fn invalid_state(&self, expected: &'static [MetricsRecorderState]) -> MetricsRecorderError {
        MetricsRecorderError::InvalidState { state: self.state, expected, cause: self.cause.clone() }
    }

    /// Enters a state in which an operation is in progress.
    fn begin(&mut self, state: MetricsRecorderState, operation: Operation) -> Arc<Completion> {
        let completion = Arc::default();
        self.state = state;
        self.ongoing = Some(Ongoing { completion: Arc::clone(&completion), operation });
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
        // Nobody waits for it: a failure is kept in the state.
        drop(self.begin_start(operation.with_policy(LogPolicy::Silent)));
    }

    fn begin_start(self: &Arc<Self>, operation: Operation) -> LifecycleHandle {
        let mut lifecycle = self.lifecycle();
        let result = match on_start(lifecycle.state) {
            Decision::Refuse(expected) => Err(lifecycle.invalid_state(expected)),
            Decision::Join => return self.join(&lifecycle),
            Decision::Begin if self.home.has_ended() => Err(MetricsRecorderError::LoopUnavailable),
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
                Ok(())
            }
        };
        let state = lifecycle.state;
        drop(lifecycle);
        if result.is_ok() {
            self.home.spawn_worker(self);
            if !self.queue.is_parked() {
                self.schedule(false);
            }
        }
        operation.end(self.entity_id(), None, state, &result);
        LifecycleHandle::over(result)
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
            Decision::Join => self.join(&lifecycle),
            Decision::Begin => {
                let completion = lifecycle.begin(MetricsRecorderState::Stopping, operation);
                self.queue.close();
                drop(lifecycle);
                if self.hooks().is_none() && self.is_drained() {
                    // Nothing is left to do that needs the thread of the event loop.
                    self.finish_stop(Ok(()));
                }
                self.schedule(true);
                LifecycleHandle::pending(Arc::clone(self), completion)
            }
        }
    }

    fn join(self: &Arc<Self>, lifecycle: &Lifecycle) -> LifecycleHandle {
        match &lifecycle.ongoing {
            Some(ongoing) => LifecycleHandle::pending(Arc::clone(self), Arc::clone(&ongoing.completion)),
            // STARTING and STOPPING always have an operation; should one be missing, it has ended.
            None => LifecycleHandle::over(Ok(())),
        }
    }

    /// Ends a successful start.
    pub(super) fn finish_start(&self) {
        self.finish(MetricsRecorderState::Starting, MetricsRecorderState::Running, Ok(()));
    }

    /// Ends a stop, once.
    pub(super) fn finish_stop(&self, result: Result<(), MetricsRecorderError>) {
        self.finish(MetricsRecorderState::Stopping, MetricsRecorderState::Stopped, result);
    }

    fn finish(
        &self,
        from: MetricsRecorderState,
        to: MetricsRecorderState,
        result: Result<(), MetricsRecorderError>,
    ) {
        let mut lifecycle = self.lifecycle();
        if lifecycle.state != from {
            return;
        }
        lifecycle.state = to;
        if let Err(error) = &result {
            lifecycle.state = MetricsRecorderState::Failure;
            lifecycle.cause = Some(Arc::new(error.clone()));
        }
        self.answer(lifecycle, result);
    }

    /// Puts the recorder into FAILURE, unless it has ended already; whether it did.
    pub(super) fn fail(&self, error: &MetricsRecorderError) -> bool {
        self.end_badly(MetricsRecorderState::Failure, error)
    }

    /// Puts the recorder into CANCELLED, unless it has ended already, and gives up what is pending.
    pub(crate) fn cancel(self: &Arc<Self>) {
        if self.end_badly(MetricsRecorderState::Cancelled, &MetricsRecorderError::DispatcherCancelled) {
            self.discard_pending();
        }
    }

    fn end_badly(&self, state: MetricsRecorderState, error: &MetricsRecorderError) -> bool {
        let mut lifecycle = self.lifecycle();
        if lifecycle.state.has_failed() || lifecycle.state == MetricsRecorderState::Stopped {
            return false;
        }
        lifecycle.state = state;
        lifecycle.cause = Some(Arc::new(error.clone()));
        self.queue.close();
        self.answer(lifecycle, Err(error.clone()));
        self.log_error("metrics_recorder.dispatch_error", None, error);
        true
    }

    /// Answers everyone who waits for the operation in progress.
    fn answer(&self, mut lifecycle: MutexGuard<'_, Lifecycle>, result: Result<(), MetricsRecorderError>) {
        let ongoing = lifecycle.ongoing.take();
        let state = lifecycle.state;
        drop(lifecycle);
        if let Some(Ongoing { completion, operation }) = ongoing {
            operation.end(self.entity_id(), None, state, &result);
            completion.complete(result);
        }
    }

    /// Whether there is something to do that no event will announce.
    pub(crate) fn wants_a_turn(&self) -> bool {
        !self.queue.is_parked() || self.state() == MetricsRecorderState::Stopping
    }

    /// Whether a blocking wait for this recorder would block the thread that has to do the work.
    pub(crate) fn waiting_would_deadlock(&self) -> bool {
        crate::context::in_hook() || crate::context::in_metrics() || self.home.is_here()
    }
}
