//! The recorders of a runtime: creating, finding, stopping and removing them.

use std::sync::Arc;

use super::inner::{Result, RuntimeInner, deadline_in, invalid_state};
use crate::engine::{Observation, Placement, RecorderInner};
use crate::error::{MetricsRecorderError, MetricsRuntimeError};
use crate::log::{self, LogPolicy, NewRecorder, OperationKind, Subject};
use crate::recorder::{MetricsRecorder, RecorderDefaults, RecorderOptions};
use crate::snapshot::MetricSnapshot;
use crate::state::MetricsRuntimeState;

impl RuntimeInner {
    pub(super) fn create_recorder(&self, id: &str, options: RecorderOptions) -> Result<MetricsRecorder> {
        let id: Arc<str> = Arc::from(id.trim());
        let resolved = options.resolve(|| self.recorder_defaults(&id));
        let settings = resolved.as_ref().ok().map(|(settings, _)| settings.clone());
        let new_recorder = settings.as_ref().map(|settings| NewRecorder {
            entity_id: &settings.entity_id,
            namespace: &settings.namespace,
            queue_max_size: settings.queue_max_size,
            queue_overflow_policy: &settings.overflow,
        });
        let subject = Subject { new_recorder, ..about(&id) };
        self.logged_with(subject, OperationKind::Lifecycle, "metrics_runtime.create_recorder", || {
            valid_id(&id)?;
            let (settings, hooks) = resolved?;
            self.check_may_wait()?;
            let placement = {
                let mut state = self.running()?;
                if !state.registry.reserve(&id) {
                    return Err(MetricsRuntimeError::RecorderAlreadyExists { id: id.to_string() });
                }
                let thread = state.thread.as_ref().ok_or(MetricsRuntimeError::LoopUnavailable)?;
                Placement::in_runtime(Arc::clone(&self.event_loop), &thread.tokio, &hooks)
            };
            let recorder = MetricsRecorder::from_inner(RecorderInner::new(settings, hooks, placement));
            let started = self.start_recorder(&id, &recorder);
            let mut state = self.state();
            if started.is_ok() && state.state == MetricsRuntimeState::Running {
                state.registry.insert(Arc::clone(&id), recorder.clone());
                return Ok(recorder);
            }
            state.registry.free(&id);
            let other = state.state;
            drop(state);
            started?;
            // The runtime was shut down meanwhile. This drops the only handle of the recorder, which stops it.
            Err(invalid_state(other, MetricsRuntimeState::USABLE))
        })
    }

    /// Whether a recorder with these options has hooks, its own or the runtime's.
    pub(super) fn has_hooks(&self, options: &RecorderOptions) -> bool {
        !options.hooks.is_empty() || !self.config.hooks.is_empty()
    }

    fn recorder_defaults(&self, id: &Arc<str>) -> RecorderDefaults {
        RecorderDefaults {
            recorder_id: Some(Arc::clone(id)),
            entity_id: Arc::clone(id),
            namespace: Arc::clone(self.namespace()),
            queue_max_size: self.config.queue_max_size as u64,
            overflow: self.config.queue_overflow_policy,
            log_policy: self.config.log_policy,
            poll_interval: self.config.poll_interval,
            hook_timeout: self.config.shutdown_timeout,
            hooks: self.config.hooks.clone(),
        }
    }

    fn start_recorder(&self, id: &str, recorder: &MetricsRecorder) -> Result<()> {
        let timeout = self.config.startup_timeout;
        let started =
            recorder.start().wait_until(deadline_in(timeout)).unwrap_or(Err(MetricsRecorderError::Stalled {
                waited_for: "the recorder to start",
                waited: timeout,
            }));
        started.map_err(|cause| MetricsRuntimeError::RecorderStartup { id: id.to_owned(), cause })
    }

    pub(super) fn get_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.logged_with(about(id), OperationKind::Read, "metrics_runtime.get_recorder", || {
            let id = valid_id(id)?;
            self.running()?.registry.get(id).cloned().ok_or_else(|| not_found(id))
        })
    }

    pub(super) fn try_get_recorder(&self, id: &str) -> Result<Option<MetricsRecorder>> {
        self.logged_with(about(id), OperationKind::Read, "metrics_runtime.try_get_recorder", || {
            let id = valid_id(id)?;
            Ok(self.running()?.registry.get(id).cloned())
        })
    }

    pub(super) fn list_recorder_ids(&self) -> Result<Vec<String>> {
        self.logged(OperationKind::Read, "metrics_runtime.list_recorder_ids", || {
            Ok(self.running()?.registry.ids().map(ToString::to_string).collect())
        })
    }

    pub(super) fn stop_recorder(&self, id: &str) -> Result<()> {
        self.logged_with(about(id), OperationKind::Lifecycle, "metrics_runtime.stop_recorder", || {
            let id = valid_id(id)?;
            self.check_may_wait()?;
            let recorder = self.running()?.registry.get(id).cloned().ok_or_else(|| not_found(id))?;
            self.stop_within_timeout(id, &recorder)
        })
    }

    pub(super) fn stop_and_remove_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.logged_with(
            about(id),
            OperationKind::Lifecycle,
            "metrics_runtime.stop_and_remove_recorder",
            || {
                let id = valid_id(id)?;
                self.check_may_wait()?;
                let removing = self.running()?.registry.begin_removal(id);
                let (number, recorder) = removing.ok_or_else(|| not_found(id))?;
                let stopped = self.stop_within_timeout(id, &recorder);
                self.remove(id, number, &recorder);
                stopped.map(|()| recorder)
            },
        )
    }

    fn stop_within_timeout(&self, id: &str, recorder: &MetricsRecorder) -> Result<()> {
        let deadline = deadline_in(self.config.shutdown_timeout);
        let stopped = self.stop_until(deadline, recorder, None);
        stopped.map_err(|cause| MetricsRuntimeError::RecorderStop { id: id.to_owned(), cause })
    }

    /// Ends the removal of a recorder: its final state goes to the removed recorders, at the moment it leaves the registry.
    fn remove(&self, id: &str, number: u64, recorder: &MetricsRecorder) {
        // A recorder that did not stop in time still has events. Its metrics, and those that panicked while they were read, are read
        // again later.
        let observed = recorder.inner().observe_final();
        let read = |last: &Observation| {
            !last.metrics.iter().flatten().chain(&last.replaced).any(MetricSnapshot::is_unread)
        };
        let last = observed.filter(read).unwrap_or_else(|| recorder.inner().observe_without_metrics());
        let (was_read, removed) = {
            let mut removed_recorders = self.removed.lock();
            let was_read = removed_recorders.add(recorder.inner(), &last);
            (was_read, self.state().registry.remove(number))
        };
        // The drop of the handle may run user code, and so may a log subscriber. So no lock is held.
        drop(removed);
        if !was_read && self.log_policy() != LogPolicy::Silent {
            log::late_metrics(id, recorder.entity_id(), recorder.namespace());
        }
    }
}

/// The subject of the log lines of an operation on the recorder of that id.
fn about(id: &str) -> Subject<'_> {
    Subject { recorder_id: Some(id.trim()), ..Subject::default() }
}

fn valid_id(id: &str) -> Result<&str> {
    match id.trim() {
        "" => Err(MetricsRuntimeError::InvalidArgument {
            argument: "recorder id",
            problem: "must not be blank",
        }),
        id => Ok(id),
    }
}

fn not_found(id: &str) -> MetricsRuntimeError {
    MetricsRuntimeError::RecorderNotFound { id: id.to_owned() }
}
