//! Waiting for events to be processed and operations to end, as long as somebody is at it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::turn::{BUDGET, Turn};
use crate::context;
use crate::error::MetricsRecorderError;
use crate::recorder::RecorderCore;
use crate::recorder::completion::{Completion, LifecycleHandle};
use crate::recorder::state::ACCEPTING;

/// How long a reader waits while nothing is processed before it helps itself.
pub(super) const STALLED: Duration = Duration::from_secs(1);
/// How often a waiting reader looks whether something is processed.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl RecorderCore {
    /// Whether accepted events are being processed and no hook is in the way.
    pub(super) fn is_processing(&self) -> bool {
        // Acquire: with the flag seen set, the state the hook was called with is seen.
        self.state().processes() && !self.hook_runs.load(Ordering::Acquire)
    }

    /// Waits until the completion or a reason to look again; `false` when nothing moves.
    pub(super) fn wait_for_progress(&self, completion: &Completion) -> bool {
        /// Others may go on while somebody who reads the metrics is stuck; whoever looks again learns it.
        const LONGEST: Duration = Duration::from_secs(2);
        let begun = Instant::now();
        let mut moves = Movement::new(self);
        while completion.wait(Some(Instant::now() + LOOK_AGAIN)).is_none() && self.is_processing() {
            if moves.has_stalled(self) {
                return false;
            }
            if begun.elapsed() > LONGEST {
                break;
            }
        }
        true
    }

    /// Waits for the end of an operation, until `deadline` at the latest, if it can come while this thread waits.
    pub(in crate::recorder) fn wait_for(
        self: &Arc<Self>,
        operation: &Completion,
        deadline: Option<Instant>,
    ) -> Option<Result<(), MetricsRecorderError>> {
        if context::in_hook() || context::in_metrics() {
            return Some(Err(MetricsRecorderError::WouldDeadlock));
        }
        let helps = self.hooks().is_none() && self.home.lets_waiters_help();
        if !helps && self.home.is_here() {
            return Some(Err(MetricsRecorderError::WouldDeadlock));
        }
        if !helps && !self.home.may_be_starved() {
            return operation.wait(deadline);
        }
        let mut moves = Movement::new(self);
        loop {
            let more = helps && self.try_turn(BUDGET) == Some(Turn::More);
            let pause = Instant::now() + if more { Duration::ZERO } else { LOOK_AGAIN };
            if let Some(outcome) =
                operation.wait(Some(deadline.map_or(pause, |deadline| deadline.min(pause))))
            {
                if helps {
                    self.after_reading();
                }
                return Some(outcome);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return None;
            }
            if !helps && moves.has_stalled(self) {
                return Some(Err(MetricsRecorderError::WouldDeadlock));
            }
        }
    }

    /// Waits until everything accepted by now is consumed, hooks included.
    pub(crate) fn flush(self: &Arc<Self>) -> LifecycleHandle {
        let handle = self.begin_flush().unwrap_or_else(|error| LifecycleHandle::over(Err(error)));
        self.after_reading();
        handle
    }

    fn begin_flush(self: &Arc<Self>) -> Result<LifecycleHandle, MetricsRecorderError> {
        let target = self.queue.accepted();
        if context::in_metrics() {
            return Err(MetricsRecorderError::WouldDeadlock);
        }
        let mut processing = self.lock_as_reader()?;
        let lifecycle = self.lifecycle();
        if lifecycle.state().has_failed() {
            return Err(lifecycle.invalid_state(ACCEPTING));
        }
        if self.queue.consumed() >= target {
            return Ok(LifecycleHandle::over(Ok(())));
        }
        drop(lifecycle);
        let completion = processing.wait_for(target);
        drop(processing);
        self.schedule(true);
        Ok(LifecycleHandle::pending(Arc::clone(self), completion))
    }
}

/// Whether a recorder gets on while somebody waits for it.
struct Movement {
    consumed: u64,
    beats: u64,
    moved: Instant,
}

impl Movement {
    fn new(recorder: &RecorderCore) -> Self {
        Self { consumed: recorder.queue.consumed(), beats: recorder.home.beats(), moved: Instant::now() }
    }

    /// Whether nothing was consumed, no hook has run and no other recorder in the same event loop has had a turn for a
    /// while. To be asked again and again.
    fn has_stalled(&mut self, recorder: &RecorderCore) -> bool {
        let now = Self::new(recorder);
        let moves = now.consumed != self.consumed || now.beats != self.beats;
        if moves || recorder.hook_runs.load(Ordering::Relaxed) {
            *self = now;
        }
        self.moved.elapsed() > STALLED
    }
}
