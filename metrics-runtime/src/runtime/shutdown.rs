//! Shutting a runtime down: all its recorders stop, and its thread ends, within the shutdown timeout.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::inner::{Result, RuntimeInner, deadline_in, invalid_state};
use super::loop_thread::LoopThread;
use super::reading::read_recorder;
use crate::engine::{Completion, LifecycleHandle};
use crate::error::{MetricsRecorderError, MetricsRuntimeError};
use crate::log::{LogTarget, Losses, Operation, OperationKind, Subject};
use crate::recorder::MetricsRecorder;
use crate::state::{MetricsRecorderState, MetricsRuntimeState, ShutdownDecision};
use crate::sync::Mutex;
use crate::totals::RecorderSnapshot;

/// How much longer than the shutdown timeout a thread waits for the shutdown of another thread.
const JOIN_GRACE: Duration = Duration::from_secs(1);
/// The part of the shutdown timeout that is reserved for the runtime's thread, which cancels recorders that did not stop.
const MAX_THREAD_RESERVE: Duration = Duration::from_millis(500);

impl RuntimeInner {
    pub(super) fn shut_down_on_drop(&self) {
        if self.status() == MetricsRuntimeState::Running && self.shutdown().is_err() {
            // A hook must not wait, so its shutdown is refused. The thread then ends after its current round.
            self.event_loop.end();
        }
    }

    /// Its line in the log is a WARN with the losses of all recorders, if there are any.
    pub(super) fn shutdown(&self) -> Result<()> {
        let event = "metrics_runtime.shutdown";
        let log = Operation::new(LogTarget::Runtime, self.log_policy(), OperationKind::Lifecycle, event);
        let subject = Subject { entity_id: self.namespace(), ..Subject::default() };
        let log = log.invoke(subject, self.status());
        let mut losses = None;
        let result = self.shut_down(&mut losses);
        log.end_with_losses(subject, self.status(), &result, losses);
        result
    }

    /// Only the call that shuts the runtime down finds the losses.
    fn shut_down(&self, losses: &mut Option<Losses>) -> Result<()> {
        self.check_may_wait()?;
        let mut state = self.state();
        match state.state.on_shutdown() {
            ShutdownDecision::Close => {
                state.state = MetricsRuntimeState::Closed;
                Ok(())
            }
            ShutdownDecision::Refuse => Err(invalid_state(state.state, MetricsRuntimeState::CLOSEABLE)),
            ShutdownDecision::Join => {
                let shutdown = state.shutdown.clone().ok_or(MetricsRuntimeError::LoopUnavailable)?;
                drop(state);
                let timeout = self.config.shutdown_timeout.saturating_add(JOIN_GRACE);
                shutdown.wait_until(deadline_in(timeout)).unwrap_or(Err(MetricsRuntimeError::Stalled {
                    waited_for: "the shutdown in another thread",
                    waited: timeout,
                }))
            }
            ShutdownDecision::Begin => {
                state.state = MetricsRuntimeState::Stopping;
                let shutdown = Arc::<Completion<Result<()>>>::default();
                state.shutdown = Some(Arc::clone(&shutdown));
                let removing = state.registry.removing();
                let recorders = state.registry.drain();
                let thread = state.thread.take();
                drop(state);
                let result = self.stop_all(recorders, removing, thread);
                *losses = self.losses().unless_none();
                self.state().state = match result {
                    Ok(()) => MetricsRuntimeState::Closed,
                    Err(_) => MetricsRuntimeState::Failure,
                };
                shutdown.complete(result.clone());
                result
            }
        }
    }

    /// The events that the recorders have lost, removed ones included, when the shutdown has ended.
    fn losses(&self) -> Losses {
        let mut losses = self.removed.lock().losses();
        let last = self.state().last.clone();
        let last = last.map(|last| Arc::clone(&last.lock()));
        for recorder in last.iter().flat_map(|recorders| recorders.iter()) {
            // The end of the runtime's thread cancels a recorder that has not stopped.
            let is_lost = recorder.status != MetricsRecorderState::Stopped;
            losses.add(recorder.stats.losses(is_lost));
        }
        losses
    }

    /// Stops the recorders, then ends the thread.
    fn stop_all(
        &self,
        recorders: Vec<(Arc<str>, MetricsRecorder)>,
        removing: Vec<MetricsRecorder>,
        thread: Option<LoopThread>,
    ) -> Result<()> {
        let timeout = self.config.shutdown_timeout;
        let deadline = deadline_in(timeout);
        let reserve = (timeout / 4).min(MAX_THREAD_RESERVE);
        let stop_deadline = deadline_in(timeout.saturating_sub(reserve));
        let stops: Vec<_> = recorders
            .into_iter()
            .map(|(id, recorder)| {
                let stop = (recorder.status() == MetricsRecorderState::Running).then(|| recorder.stop());
                (id, recorder, stop)
            })
            .collect();
        let mut failed = Vec::new();
        let mut stopped = Vec::with_capacity(stops.len());
        for (id, recorder, stop) in stops {
            if let Err(error) = self.stop_until(stop_deadline, &recorder, stop) {
                failed.push((id.to_string(), error));
            }
            stopped.push((id, recorder));
        }
        for (_, recorder) in &stopped {
            // The end of the runtime's thread would end the hooks that clean up after a failure.
            let cleanup = LifecycleHandle::new(recorder.inner(), recorder.inner().cleanup());
            drop(cleanup.wait_until(stop_deadline));
        }
        for recorder in removing {
            // The thread that removes the recorder gets the outcome.
            drop(self.stop_until(stop_deadline, &recorder, None));
        }
        self.event_loop.end();
        // Until a recorder is read, its final state is its counts.
        let unread = stopped.iter().map(|(id, recorder)| {
            let recorder = recorder.inner();
            RecorderSnapshot::of(read_recorder(id, recorder, recorder.observe_without_metrics()))
        });
        let last = Arc::new(Mutex::new(Arc::new(unread.collect())));
        self.state().last = Some(Arc::clone(&last));
        let read_and_drop = move || {
            let read = move |(index, (id, recorder)): &(usize, (Arc<str>, MetricsRecorder))| {
                let recorder = recorder.inner();
                let snapshot = RecorderSnapshot::of(read_recorder(id, recorder, recorder.observe()));
                let is_final = has_ended(snapshot.status) && snapshot.stats.pending == 0 && !snapshot.stalled;
                let mut last = last.lock();
                let place = &mut Arc::make_mut(&mut last)[*index];
                // A state that was read once is not given up for nothing.
                if place.stalled || !snapshot.stalled {
                    *place = snapshot;
                }
                is_final
            };
            // A recorder that has not ended may keep this thread waiting until the deadline, so it comes last.
            let mut stopped: Vec<_> = stopped.into_iter().enumerate().collect();
            stopped.sort_by_cached_key(|(_, (_, recorder))| !has_ended(recorder.status()));
            // The end of the runtime's thread ends the others, and they are read again.
            let (ended, running): (Vec<_>, Vec<_>) = stopped.into_iter().partition(|recorder| read(recorder));
            drop(ended);
            move || {
                for recorder in &running {
                    read(recorder);
                }
            }
        };
        let ended_in_time = thread.is_none_or(|thread| thread.join_until(deadline, read_and_drop));
        if failed.is_empty() && ended_in_time {
            return Ok(());
        }
        Err(MetricsRuntimeError::Shutdown { recorders: failed, timed_out: !ended_in_time })
    }

    /// Waits for `stop`. Without one it stops the recorder, unless the recorder has stopped already.
    pub(super) fn stop_until(
        &self,
        deadline: Instant,
        recorder: &MetricsRecorder,
        stop: Option<LifecycleHandle>,
    ) -> std::result::Result<(), MetricsRecorderError> {
        let stop = match recorder.status() {
            MetricsRecorderState::Virgin | MetricsRecorderState::Stopped => return Ok(()),
            MetricsRecorderState::Starting if stop.is_none() => {
                // If the start fails, the stop below reports the failure.
                drop(recorder.start().wait_until(deadline));
                recorder.stop()
            }
            _ => stop.unwrap_or_else(|| recorder.stop()),
        };
        match stop.wait_until(deadline) {
            // The stop of another thread was faster.
            Some(Err(MetricsRecorderError::InvalidState {
                state: MetricsRecorderState::Stopped, ..
            })) => Ok(()),
            Some(result) => result,
            None => Err(MetricsRecorderError::Stalled {
                waited_for: "the recorder to stop",
                waited: self.config.shutdown_timeout,
            }),
        }
    }
}

fn has_ended(status: MetricsRecorderState) -> bool {
    use MetricsRecorderState::{Running, Starting, Stopping};
    !matches!(status, Starting | Running | Stopping)
}
