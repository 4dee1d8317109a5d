//! The public handle of a start, a stop or a flush.

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::completion::{Outcome, Waiter};
use super::recorder_inner::{Begun, RecorderInner};
use crate::error::MetricsRecorderError;
use crate::thread_role;

/// The wait for a recorder's start, stop or flush: [`wait`](Self::wait) in sync code, `.await` in async code.
///
/// The operation goes on without the handle: dropping it, or dropping the future of an `.await`, cancels nothing. Clones wait
/// for the same operation. In a hook of the recorder itself the handle answers
/// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock), because the operation would wait for the hook.
///
/// ```
/// use mvx_metrics::{MetricsRecorderState, MetricsRuntime};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder("clock")?;
///
/// recorder.stop().wait()?;
/// assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
/// tokio::runtime::Builder::new_current_thread().build()?.block_on(async { recorder.start().await })?;
/// assert_eq!(recorder.status(), MetricsRecorderState::Running);
/// // It runs already.
/// assert_eq!(recorder.start().wait().unwrap_err().reason(), "INVALID_RECORDER_STATE");
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "the operation goes on without the handle, but its error is lost"]
pub struct LifecycleHandle(Wait);

#[derive(Clone)]
enum Wait {
    Finished(Outcome),
    For { recorder: Arc<RecorderInner>, waiter: Waiter },
}

impl LifecycleHandle {
    pub(crate) fn new(recorder: &Arc<RecorderInner>, begun: Begun) -> Self {
        Self(match begun {
            Begun::Finished(outcome) => Wait::Finished(outcome),
            Begun::Pending(operation) => {
                Wait::For { recorder: Arc::clone(recorder), waiter: Waiter::new(operation) }
            }
        })
    }

    /// Blocks until the operation has finished.
    ///
    /// A recorder that was created directly processes its events on this thread meanwhile, unless it has a change listener. So the
    /// wait succeeds in async code too, if no hook has to run.
    ///
    /// # Errors
    /// The error that the operation ended with.
    ///
    /// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock), at once, where this thread itself would have to do the work. That
    /// is so in a hook, in a metric, and in a single-threaded tokio runtime that has to run a hook or the change listener
    /// of the recorder. `.await` the handle there.
    ///
    /// [`Stalled`](MetricsRecorderError::Stalled) when there is no progress: for five seconds in general, and for the
    /// runtime's `shutdown_timeout` while a hook runs.
    pub fn wait(self) -> Result<(), MetricsRecorderError> {
        // Without a deadline the wait always has an outcome.
        self.wait_at_most(None).unwrap_or(Err(MetricsRecorderError::WouldDeadlock))
    }

    /// As [`wait`](Self::wait). `None` when `deadline` passes first.
    pub(crate) fn wait_until(self, deadline: Instant) -> Option<Outcome> {
        self.wait_at_most(Some(deadline))
    }

    fn wait_at_most(self, deadline: Option<Instant>) -> Option<Outcome> {
        match self.0 {
            Wait::Finished(outcome) => Some(outcome),
            Wait::For { recorder, waiter } => match waiter.operation().outcome() {
                Some(outcome) => Some(outcome),
                None => recorder.wait_for(waiter.operation(), deadline),
            },
        }
    }

    /// Whether the operation has finished.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            Wait::Finished(_) => true,
            Wait::For { waiter, .. } => waiter.operation().outcome().is_some(),
        }
    }
}

// As for the recorder itself.
impl UnwindSafe for LifecycleHandle {}
impl RefUnwindSafe for LifecycleHandle {}

impl Future for LifecycleHandle {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Outcome> {
        match &mut self.0 {
            Wait::Finished(outcome) => Poll::Ready(outcome.clone()),
            // The hook would wait for an operation that waits for the hook.
            Wait::For { recorder, waiter }
                if thread_role::in_hook_of(recorder.identity()) && waiter.operation().outcome().is_none() =>
            {
                Poll::Ready(Err(MetricsRecorderError::WouldDeadlock))
            }
            Wait::For { waiter, .. } => waiter.poll(task),
        }
    }
}

impl fmt::Debug for LifecycleHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LifecycleHandle").field("is_finished", &self.is_finished()).finish()
    }
}
