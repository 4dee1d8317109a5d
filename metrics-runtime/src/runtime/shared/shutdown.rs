//! Shutting a runtime down: all its recorders stop, its thread ends, and all of that in time.

use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::start::Environment;
use super::{Shared, deadline_in};
use crate::error::{MetricsRecorderError, MetricsRuntimeError, TimedOut};
use crate::log::Kind;
use crate::recorder::{LifecycleHandle, MetricsRecorder, MetricsRecorderState};
use crate::runtime::state::{SHUTDOWNABLE, Shutdown, on_shutdown};
use crate::runtime::{MetricsRuntimeState, Result};

/// The result of a shutdown, for all who wait for it.
pub(super) type Outcome = OnceLock<Result<()>>;

impl Shared {
    /// Shuts a running runtime down, as well as it can be done here.
    pub(in crate::runtime) fn shut_down_on_drop(&self) {
        if self.state() == MetricsRuntimeState::Running && self.shutdown().is_err() {
            // In a hook nothing can be waited for; the thread then ends after its current round.
            self.event_loop.end();
        }
    }

    pub(in crate::runtime) fn shutdown(&self) -> Result<()> {
        self.logged(Kind::Lifecycle, "metrics_runtime.shutdown", || {
            self.refuse_to_wait_here()?;
            let mut control = self.control();
            let outcome = match on_shutdown(control.state) {
                Shutdown::Close => {
                    control.state = MetricsRuntimeState::Closed;
                    return Ok(());
                }
                Shutdown::Refuse => {
                    let state = control.state;
                    return Err(MetricsRuntimeError::InvalidState { state, expected: SHUTDOWNABLE });
                }
                Shutdown::Join => {
                    let outcome = control.shutdown.clone().ok_or(MetricsRuntimeError::LoopUnavailable)?;
                    // Whoever shuts down needs it to come to an end.
                    drop(control);
                    outcome
                }
                Shutdown::Begin => {
                    control.state = MetricsRuntimeState::Stopping;
                    let outcome = Arc::new(Outcome::new());
                    control.shutdown = Some(Arc::clone(&outcome));
                    let leaving = control.registry.leaving();
                    let recorders = control.registry.drain();
                    let environment = control.environment.take();
                    drop(control);
                    let result = self.end(recorders, leaving, environment);
                    self.control().state = match result {
                        Ok(()) => MetricsRuntimeState::Closed,
                        Err(_) => MetricsRuntimeState::Failure,
                    };
                    // The one place that sets it.
                    let _ = outcome.set(result);
                    outcome
                }
            };
            outcome.wait().clone()
        })
    }

    /// Stops the recorders and ends the thread.
    fn end(
        &self,
        recorders: Vec<(Arc<str>, MetricsRecorder)>,
        leaving: Vec<MetricsRecorder>,
        environment: Option<Environment>,
    ) -> Result<()> {
        let timeout = self.choices.shutdown_timeout;
        let deadline = deadline_in(timeout);
        // A part of the time is kept for the thread, which may have to give up what did not stop.
        let reserve = (timeout / 4).min(Duration::from_millis(500));
        let stop_deadline = deadline_in(timeout.saturating_sub(reserve));
        let stops: Vec<_> = recorders
            .into_iter()
            .map(|(id, recorder)| {
                let stop = (recorder.status() == MetricsRecorderState::Running).then(|| recorder.stop());
                (id, recorder, stop)
            })
            .collect();
        let mut failed = Vec::new();
        for (id, recorder, stop) in stops {
            if let Err(error) = self.stop_until(stop_deadline, &recorder, stop) {
                failed.push((id.to_string(), error));
            }
        }
        for recorder in leaving {
            // How that ends is told to whoever removes the recorder.
            drop(self.stop_until(stop_deadline, &recorder, None));
        }
        self.event_loop.end();
        let ended_in_time = environment.is_none_or(|environment| {
            let left = deadline.saturating_duration_since(Instant::now());
            match environment.ended.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout) => false,
                // A panic of the thread was caught inside of it.
                Ok(()) | Err(RecvTimeoutError::Disconnected) => environment.thread.join().is_ok(),
            }
        });
        if failed.is_empty() && ended_in_time {
            return Ok(());
        }
        Err(MetricsRuntimeError::Shutdown { recorders: failed, timed_out: !ended_in_time })
    }

    /// Waits for the stop, or stops the recorder if there is none yet and the recorder has not stopped already.
    pub(super) fn stop_until(
        &self,
        deadline: Instant,
        recorder: &MetricsRecorder,
        stop: Option<LifecycleHandle>,
    ) -> std::result::Result<(), MetricsRecorderError> {
        let stop = match recorder.status() {
            MetricsRecorderState::Virgin | MetricsRecorderState::Stopped => return Ok(()),
            MetricsRecorderState::Starting if stop.is_none() => {
                // How the start ends is in the state that follows it.
                drop(recorder.start().wait_until(deadline));
                recorder.stop()
            }
            _ => stop.unwrap_or_else(|| recorder.stop()),
        };
        match stop.wait_until(deadline) {
            // Somebody else's stop was faster.
            Some(Err(MetricsRecorderError::InvalidState {
                state: MetricsRecorderState::Stopped, ..
            })) => Ok(()),
            Some(result) => result,
            None => {
                let cause = Arc::new(TimedOut(self.choices.shutdown_timeout));
                Err(MetricsRecorderError::Unexpected { cause })
            }
        }
    }
}
