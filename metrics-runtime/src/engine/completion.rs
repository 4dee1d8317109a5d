//! The end of an operation, for all threads and tasks that wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::sync::{Condvar, Mutex};

use crate::error::MetricsRecorderError;
use crate::panics;

/// The outcome of an operation on a recorder.
pub(crate) type Outcome = Result<(), MetricsRecorderError>;

/// An operation that ends once, with an outcome that every waiter gets.
pub(crate) struct Completion<O = Outcome> {
    state: Mutex<State<O>>,
    completed: Condvar,
}

struct State<O> {
    outcome: Option<O>,
    /// The waker of each handle that is being awaited, until the operation ends.
    wakers: BTreeMap<u64, Waker>,
    /// How many handles were ever awaited. It is the next key of `wakers`.
    awaited: u64,
}

impl<O> Default for Completion<O> {
    fn default() -> Self {
        let state = State { outcome: None, wakers: BTreeMap::new(), awaited: 0 };
        Self { state: Mutex::new(state), completed: Condvar::default() }
    }
}

impl<O> Drop for State<O> {
    fn drop(&mut self) {
        // An outcome may own the error of a hook. The `Drop` of that error is user code.
        let outcome = self.outcome.take();
        panics::catch_and_ignore(|| drop(outcome));
    }
}

impl<O: Clone> Completion<O> {
    /// Ends the operation. Only the first call has an effect.
    pub(crate) fn complete(&self, outcome: O) {
        let wakers = {
            let mut state = self.state.lock();
            if state.outcome.is_none() {
                state.outcome = Some(outcome);
            }
            std::mem::take(&mut state.wakers)
        };
        self.completed.notify_all();
        for waker in wakers.into_values() {
            // A waker is user code, and may panic.
            panics::catch_and_ignore(|| waker.wake());
        }
    }

    pub(crate) fn outcome(&self) -> Option<O> {
        self.state.lock().outcome.clone()
    }

    /// Blocks until the operation ends. Answers `None` when `deadline` passes first.
    pub(crate) fn wait_until(&self, deadline: Instant) -> Option<O> {
        let mut state = self.state.lock();
        while state.outcome.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.completed.wait_for(state, left);
        }
        state.outcome.clone()
    }
}

/// One awaited handle of an operation. The operation's end wakes it, unless it is dropped first.
pub(super) struct Waiter<O = Outcome> {
    operation: Arc<Completion<O>>,
    /// Its key among the wakers, once it was polled.
    key: Option<u64>,
}

impl<O: Clone> Waiter<O> {
    pub(super) fn new(operation: Arc<Completion<O>>) -> Self {
        Self { operation, key: None }
    }

    pub(super) fn operation(&self) -> &Completion<O> {
        &self.operation
    }

    pub(super) fn poll(&mut self, task: &Context<'_>) -> Poll<O> {
        // A waker is user code: it is cloned and dropped while no lock is held.
        let waker = task.waker().clone();
        let (poll, unused) = {
            let state = &mut *self.operation.state.lock();
            if let Some(outcome) = &state.outcome {
                (Poll::Ready(outcome.clone()), Some(waker))
            } else {
                let key = *self.key.get_or_insert_with(|| {
                    state.awaited += 1;
                    state.awaited
                });
                (Poll::Pending, state.wakers.insert(key, waker))
            }
        };
        panics::catch_and_ignore(|| drop(unused));
        poll
    }
}

impl<O: Clone> Clone for Waiter<O> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.operation))
    }
}

impl<O> Drop for Waiter<O> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let unused = self.operation.state.lock().wakers.remove(&key);
            panics::catch_and_ignore(|| drop(unused));
        }
    }
}
