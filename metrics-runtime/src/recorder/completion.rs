//! The end of an operation, for all who wait for it, in sync and in async code.

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::context;
use crate::error::MetricsRecorderError;
use crate::recorder::RecorderCore;
use crate::unwind;

type Outcome = Result<(), MetricsRecorderError>;

/// An operation that ends once.
#[derive(Default)]
pub(crate) struct Completion {
    progress: Mutex<Progress>,
    ended: Condvar,
}

#[derive(Default)]
struct Progress {
    outcome: Option<Outcome>,
    /// Of the handles that wait in async code, by ticket.
    wakers: Vec<(u64, Waker)>,
    tickets: u64,
}

impl Drop for Progress {
    fn drop(&mut self) {
        // The error of a hook is somebody else's code.
        let outcome = self.outcome.take();
        unwind::contain(|| drop(outcome));
    }
}

impl Completion {
    /// Ends the operation; only the first call counts.
    pub(crate) fn complete(&self, outcome: Outcome) {
        let wakers = {
            let mut progress = self.lock();
            if progress.outcome.is_none() {
                progress.outcome = Some(outcome);
            }
            std::mem::take(&mut progress.wakers)
        };
        self.ended.notify_all();
        for (_, waker) in wakers {
            // A waker is somebody else's code.
            unwind::contain(|| waker.wake());
        }
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.lock().outcome.clone()
    }

    /// Waits for the end, until `deadline` at the latest; `None` when it passes.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<Outcome> {
        let mut progress = self.lock();
        loop {
            if let Some(outcome) = &progress.outcome {
                return Some(outcome.clone());
            }
            progress = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => self.ended.wait(progress).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return None,
                Some(left) => {
                    self.ended.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Has the task woken at the end, in the place of the one that was to be woken for that ticket before.
    fn poll(&self, task: &mut Context<'_>, ticket: &mut Option<u64>) -> Poll<Outcome> {
        // A waker is somebody else's code, so no lock is held while it is cloned or dropped.
        let waker = task.waker().clone();
        let mut progress = self.lock();
        if let Some(outcome) = &progress.outcome {
            return Poll::Ready(outcome.clone());
        }
        let place = progress.wakers.iter_mut().find(|(other, _)| Some(*other) == *ticket);
        let before = if let Some((_, place)) = place {
            Some(std::mem::replace(place, waker))
        } else {
            let next = progress.tickets;
            progress.tickets += 1;
            progress.wakers.push((next, waker));
            *ticket = Some(next);
            None
        };
        drop(progress);
        unwind::contain(|| drop(before));
        Poll::Pending
    }

    /// Nobody waits with that ticket any more.
    fn forget(&self, ticket: u64) {
        let waker = {
            let mut progress = self.lock();
            let place = progress.wakers.iter().position(|(other, _)| *other == ticket);
            place.map(|place| progress.wakers.swap_remove(place))
        };
        unwind::contain(|| drop(waker));
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait for a recorder's start, stop or flush: [`wait`](Self::wait) in sync code, `.await` in async code.
///
/// The operation goes on whether somebody waits for it or not: dropping the handle, or the future of an `.await`, cancels
/// nothing. Clones wait for the same operation. In a hook of the recorder itself the handle answers
/// [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) instead of waiting for what waits for the hook.
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
    Over(Outcome),
    For { recorder: Arc<RecorderCore>, waiting: Waiting },
}

/// One handle's part in an operation.
struct Waiting {
    operation: Arc<Completion>,
    /// With which the handle has asked to be woken.
    ticket: Option<u64>,
}

impl Clone for Waiting {
    fn clone(&self) -> Self {
        Self { operation: Arc::clone(&self.operation), ticket: None }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.operation.forget(ticket);
        }
    }
}

impl LifecycleHandle {
    pub(crate) fn over(outcome: Outcome) -> Self {
        Self(Wait::Over(outcome))
    }

    pub(crate) fn pending(recorder: Arc<RecorderCore>, operation: Arc<Completion>) -> Self {
        Self(Wait::For { recorder, waiting: Waiting { operation, ticket: None } })
    }

    /// Blocks until the operation has ended.
    ///
    /// # Errors
    /// The error the operation ended with. [`WouldDeadlock`](MetricsRecorderError::WouldDeadlock) when the operation is
    /// still going on and this is the thread that has to do it: at once in a hook, in a metric, or for a recorder with hooks
    /// in async code of the single-threaded tokio runtime it lives in. For a recorder with hooks that was created directly
    /// also when its task cannot run for a second while a task of its tokio runtime waits, or because nobody drives that
    /// single-threaded runtime. `.await` the handle there.
    pub fn wait(self) -> Result<(), MetricsRecorderError> {
        self.wait_at_most(None).unwrap_or(Err(MetricsRecorderError::WouldDeadlock))
    }

    /// As [`wait`](Self::wait), until `deadline` at the latest; `None` when it passes.
    pub(crate) fn wait_until(self, deadline: Instant) -> Option<Outcome> {
        self.wait_at_most(Some(deadline))
    }

    fn wait_at_most(self, deadline: Option<Instant>) -> Option<Outcome> {
        match self.0 {
            Wait::Over(outcome) => Some(outcome),
            Wait::For { recorder, waiting } => match waiting.operation.outcome() {
                Some(outcome) => Some(outcome),
                None => recorder.wait_for(&waiting.operation, deadline),
            },
        }
    }

    /// Whether the operation has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Wait::Over(_) => true,
            Wait::For { waiting: Waiting { operation, .. }, .. } => operation.outcome().is_some(),
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
            Wait::Over(outcome) => Poll::Ready(outcome.clone()),
            // The hook would wait for what waits for the hook.
            Wait::For { recorder, waiting: Waiting { operation, .. } }
                if context::in_hook_of(recorder.identity()) && operation.outcome().is_none() =>
            {
                Poll::Ready(Err(MetricsRecorderError::WouldDeadlock))
            }
            Wait::For { waiting: Waiting { operation, ticket }, .. } => operation.poll(task, ticket),
        }
    }
}

impl fmt::Debug for LifecycleHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LifecycleHandle").field("is_over", &self.is_over()).finish()
    }
}
