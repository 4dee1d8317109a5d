//! The end of an operation, for all who wait for it, in sync and in async code.

use std::collections::BTreeMap;
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
    /// One for each awaited handle, until the operation ends.
    wakers: BTreeMap<u64, Waker>,
    /// How many handles were ever awaited.
    awaited: u64,
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
        for waker in wakers.into_values() {
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

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle's part in an operation. It is woken by the operation's end, unless it is dropped before.
struct Waiter {
    operation: Arc<Completion>,
    /// Its place among the wakers, once it was polled.
    place: Option<u64>,
}

impl Waiter {
    fn new(operation: Arc<Completion>) -> Self {
        Self { operation, place: None }
    }

    fn poll(&mut self, task: &Context<'_>) -> Poll<Outcome> {
        // Cloned and dropped outside of the lock: a waker is somebody else's code.
        let waker = task.waker().clone();
        let (poll, useless) = {
            let progress = &mut *self.operation.lock();
            if let Some(outcome) = &progress.outcome {
                (Poll::Ready(outcome.clone()), Some(waker))
            } else {
                let place = *self.place.get_or_insert_with(|| {
                    progress.awaited += 1;
                    progress.awaited
                });
                (Poll::Pending, progress.wakers.insert(place, waker))
            }
        };
        unwind::contain(|| drop(useless));
        poll
    }
}

impl Clone for Waiter {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.operation))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let useless = self.operation.lock().wakers.remove(&place);
            unwind::contain(|| drop(useless));
        }
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
    For { recorder: Arc<RecorderCore>, waiter: Waiter },
}

impl LifecycleHandle {
    pub(crate) fn over(outcome: Outcome) -> Self {
        Self(Wait::Over(outcome))
    }

    pub(crate) fn pending(recorder: Arc<RecorderCore>, operation: Arc<Completion>) -> Self {
        Self(Wait::For { recorder, waiter: Waiter::new(operation) })
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
            Wait::For { recorder, waiter } => match waiter.operation.outcome() {
                Some(outcome) => Some(outcome),
                None => recorder.wait_for(&waiter.operation, deadline),
            },
        }
    }

    /// Whether the operation has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Wait::Over(_) => true,
            Wait::For { waiter, .. } => waiter.operation.outcome().is_some(),
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
            Wait::For { recorder, waiter }
                if context::in_hook_of(recorder.identity()) && waiter.operation.outcome().is_none() =>
            {
                Poll::Ready(Err(MetricsRecorderError::WouldDeadlock))
            }
            Wait::For { waiter, .. } => waiter.poll(task),
        }
    }
}

impl fmt::Debug for LifecycleHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LifecycleHandle").field("is_over", &self.is_over()).finish()
    }
}
