//! A recorder's state, and how calls and failures lead from one state to the next.
//!
//! The lifecycle lock of a recorder guards its [`Lifecycle`]. The methods change nothing else, and run no user code. They neither
//! allocate nor free: the user's allocator may emit an event, and that needs the same lock. A method that leaves work to its
//! caller returns it, for example as [`Ended`]. The caller does the work when the lock is released.

use std::sync::Arc;

use super::completion::{Completion, Outcome};
use crate::error::MetricsRecorderError;
use crate::log::{LogPolicy, Losses, Operation, Subject};
use crate::moment::Moment;
use crate::panics;
use crate::state::MetricsRecorderState;

/// How many callers that wait for one operation are named in the log when it ends.
const MAX_LOGGED_CALLERS: usize = 256;

pub(super) struct Lifecycle {
    state: MetricsRecorderState,
    /// The error that led to FAILURE or CANCELLED.
    cause: Option<Arc<MetricsRecorderError>>,
    /// The end of the start or stop in progress.
    ongoing: Option<Arc<Completion>>,
    /// The calls that wait for it.
    callers: Vec<Operation>,
    /// Whether a recorder without hooks has a task that processes its events.
    has_task: bool,
    /// Whether the `on_stopped` hooks of the stop in progress have begun.
    on_stopped_begun: bool,
    /// The end of the cleanup, after a failure of a recorder with hooks.
    cleanup: Option<Arc<Completion>>,
    /// When the recorder stopped or failed. `None` while it has not, and after a restart.
    ended_at: Option<Moment>,
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        // The cause may be the error of a hook. The `Drop` of that error is user code.
        let cause = self.cause.take();
        panics::catch_and_ignore(|| drop(cause));
    }
}

/// The outcome of an operation, and what the recorder keeps of it. It is allocated before the lifecycle lock is taken.
pub(super) struct Ending {
    result: Outcome,
    cause: Option<Arc<MetricsRecorderError>>,
    cleanup: Option<Arc<Completion>>,
    now: Moment,
}

impl Ending {
    pub(super) fn new(result: Outcome, now: Moment) -> Self {
        let cause = result.as_ref().err().cloned().map(Arc::new);
        Self { result, cause, cleanup: None, now }
    }

    /// As [`new`](Self::new), for a failure that hooks clean up after.
    pub(super) fn with_cleanup(self) -> Self {
        Self { cleanup: Some(Arc::default()), ..self }
    }
}

/// An operation, or a recorder, that has ended. Its waits are completed when no lock is held.
pub(super) struct Ended {
    /// The state the recorder has entered.
    pub(super) state: MetricsRecorderState,
    pub(super) result: Outcome,
    /// The operation was a stop.
    was_stopping: bool,
    ongoing: Option<Arc<Completion>>,
    callers: Vec<Operation>,
}

impl Ended {
    /// Logs the end for each call that waited, then completes their wait. Answers whether any call was logged.
    ///
    /// One line of a stop tells the recorder's `losses`, if there are any. Without a call that is logged, it is a line under the
    /// recorder's own `policy`.
    pub(super) fn complete(
        &self,
        subject: Subject<'_>,
        policy: LogPolicy,
        losses: impl FnOnce() -> Option<Losses>,
    ) -> bool {
        let mut losses = if self.was_stopping { losses() } else { None };
        for operation in self.callers.iter().filter(|operation| !operation.is_silent()) {
            operation.end_with_losses(subject, self.state, &self.result, losses.take());
        }
        if let (Some(losses), Some(operation)) = (losses, self.callers.first()) {
            let operation = operation.with_policy(policy);
            operation.end_with_losses(subject, self.state, &self.result, Some(losses));
        }
        if let Some(completion) = &self.ongoing {
            completion.complete(self.result.clone());
        }
        self.callers.iter().any(|operation| !operation.is_silent())
    }
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self {
            state: MetricsRecorderState::Virgin,
            cause: None,
            ongoing: None,
            callers: Vec::new(),
            has_task: false,
            on_stopped_begun: false,
            cleanup: None,
            ended_at: None,
        }
    }

    pub(super) fn state(&self) -> MetricsRecorderState {
        self.state
    }

    pub(super) fn invalid_state(&self, expected: &'static [MetricsRecorderState]) -> MetricsRecorderError {
        MetricsRecorderError::InvalidState { state: self.state, expected, cause: self.cause.clone() }
    }

    /// The error that led to the recorder's failure, if it has failed.
    pub(super) fn cause(&self) -> Option<Arc<MetricsRecorderError>> {
        self.cause.clone()
    }

    /// When the recorder stopped or failed, if it has.
    pub(super) fn ended_at(&self) -> Option<Moment> {
        self.ended_at
    }

    /// The end of the cleanup, if hooks clean up after a failure.
    pub(super) fn cleanup(&self) -> Option<Arc<Completion>> {
        self.cleanup.clone()
    }

    /// The calls that wait. [`begin`](Self::begin) and [`join`](Self::join) need room for one more.
    pub(super) fn callers(&mut self) -> &mut Vec<Operation> {
        &mut self.callers
    }

    /// Enters a state in which an operation is in progress.
    pub(super) fn begin(
        &mut self,
        state: MetricsRecorderState,
        completion: &Arc<Completion>,
        operation: Operation,
    ) {
        self.state = state;
        self.ended_at = None;
        self.ongoing = Some(Arc::clone(completion));
        self.callers.push(operation);
    }

    /// Adds a call to the operation in progress.
    pub(super) fn join(&mut self, operation: Operation) -> Option<Arc<Completion>> {
        let completion = self.ongoing.clone()?;
        if self.callers.len() < MAX_LOGGED_CALLERS {
            self.callers.push(operation);
        }
        Some(completion)
    }

    /// Enters RUNNING without an operation, for a recorder without hooks. Answers whether the recorder needs a new task.
    ///
    /// The task of the run before may not have noticed yet that the recorder had stopped. Then that task goes on.
    pub(super) fn run(&mut self) -> bool {
        self.state = MetricsRecorderState::Running;
        self.ended_at = None;
        !std::mem::replace(&mut self.has_task, true)
    }

    /// Notes that the recorder's task has ended.
    pub(super) fn task_ended(&mut self) {
        self.has_task = false;
    }

    /// Ends the recorder's task, unless the recorder was started again. Answers whether the task ends.
    pub(super) fn try_end_task(&mut self) -> bool {
        self.has_task = self.state.processes();
        !self.has_task
    }

    /// Gives the `on_stopped` hooks of the stop in progress to one caller. The caller has found the queue drained.
    pub(super) fn try_begin_on_stopped(&mut self) -> bool {
        self.state == MetricsRecorderState::Stopping && !std::mem::replace(&mut self.on_stopped_begun, true)
    }

    /// Whether a hook keeps the recorder from its next state. Until then the event loop has nothing to do for the recorder.
    pub(super) fn is_in_hook(&self) -> bool {
        self.state == MetricsRecorderState::Starting || self.on_stopped_begun
    }

    /// Whether `completion` is the end of the start or stop in progress.
    pub(super) fn is_ongoing(&self, completion: &Completion) -> bool {
        self.ongoing.as_ref().is_some_and(|ongoing| std::ptr::eq(&raw const **ongoing, completion))
    }

    /// Ends the operation that is in progress in state `from`: with success in state `to`, with an error in FAILURE.
    pub(super) fn finish(
        &mut self,
        from: MetricsRecorderState,
        to: MetricsRecorderState,
        ending: Ending,
    ) -> Result<Ended, Ending> {
        if self.state != from {
            return Err(ending);
        }
        let state = if ending.cause.is_some() { MetricsRecorderState::Failure } else { to };
        Ok(self.end(state, ending))
    }

    /// Enters FAILURE or CANCELLED, unless the recorder has ended already.
    pub(super) fn fail(&mut self, state: MetricsRecorderState, ending: Ending) -> Result<Ended, Ending> {
        if self.state.has_failed() || self.state == MetricsRecorderState::Stopped {
            return Err(ending);
        }
        Ok(self.end(state, ending))
    }

    fn end(&mut self, state: MetricsRecorderState, Ending { result, cause, cleanup, now }: Ending) -> Ended {
        let was_stopping = std::mem::replace(&mut self.state, state) == MetricsRecorderState::Stopping;
        self.on_stopped_begun = false;
        self.ended_at = (!state.processes()).then_some(now);
        // A cause and a cleanup are set once: FAILURE and CANCELLED are final, and no other state has them.
        self.cause = cause;
        self.cleanup = cleanup;
        let (ongoing, callers) = (self.ongoing.take(), std::mem::take(&mut self.callers));
        Ended { state, result, was_stopping, ongoing, callers }
    }
}
