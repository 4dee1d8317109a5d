//! A recorder's state as producers read it, without a lock.
//!
//! The lifecycle lock guards the state itself (see [`lifecycle`](super::lifecycle)). A thread that changes the state publishes a
//! copy while it holds that lock. It publishes a state that refuses events *before* it closes the queue, and one that accepts
//! events *after* it has reopened the queue. So a producer that finds the queue closed reads one of these:
//!
//! * a state that refuses events, and then the cause of that state
//! * a state that accepts events: the recorder was started meanwhile. The queue is open then, also for this producer.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use super::lifecycle::Lifecycle;
use crate::error::MetricsRecorderError;
use crate::panics;
use crate::state::MetricsRecorderState;

pub(super) struct PublishedState {
    /// The state's place in [`MetricsRecorderState::ALL`].
    state: AtomicU8,
    /// The error that led to FAILURE or CANCELLED. Both states are final.
    cause: OnceLock<Arc<MetricsRecorderError>>,
}

impl PublishedState {
    /// The state of a new recorder.
    pub(super) fn new() -> Self {
        Self { state: AtomicU8::new(MetricsRecorderState::Virgin as u8), cause: OnceLock::new() }
    }

    /// Publishes the state that `lifecycle` has entered. The caller holds the lifecycle lock.
    pub(super) fn publish(&self, lifecycle: &Lifecycle) {
        if let Some(cause) = lifecycle.cause() {
            // A second call finds the same cause.
            drop(self.cause.set(cause));
        }
        // Release: pairs with `refusal`. A producer that sees FAILURE sees its cause. One that sees a restart finds the queue
        // open.
        self.state.store(lifecycle.state() as u8, Ordering::Release);
    }

    /// The error for a producer that has found the queue closed, by a load that acquires. `None` when the recorder was started
    /// since.
    pub(super) fn refusal(&self) -> Option<MetricsRecorderError> {
        // Acquire: pairs with `publish`.
        let state = self.state.load(Ordering::Acquire);
        let state = MetricsRecorderState::ALL[usize::from(state)];
        (!state.accepts()).then(|| MetricsRecorderError::InvalidState {
            state,
            expected: MetricsRecorderState::ACCEPTING,
            cause: self.cause.get().cloned(),
        })
    }
}

impl Drop for PublishedState {
    fn drop(&mut self) {
        // The cause may be the error of a hook. The `Drop` of that error is user code.
        let cause = self.cause.take();
        panics::catch_and_ignore(|| drop(cause));
    }
}
