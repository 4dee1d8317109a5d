//! The recorders of a runtime: creating, finding, stopping and removing them.

use std::sync::Arc;

use super::{Shared, deadline_in};
use crate::error::{MetricsRecorderError, MetricsRuntimeError, TimedOut};
use crate::log::Kind;
use crate::queue::Queue;
use crate::recorder::{
    Home, MetricsRecorder, RecorderCore, RecorderOptions, Settings, check_queue_max_size,
    problem_of_poll_interval,
};
use crate::runtime::state::USABLE;
use crate::runtime::{MetricsRuntimeState, Result};

impl Shared {
    pub(in crate::runtime) fn create_recorder(
        &self,
        id: &str,
        options: RecorderOptions,
    ) -> Result<MetricsRecorder> {
        self.logged(Kind::Lifecycle, "metrics_runtime.create_recorder", || {
            let id: Arc<str> = Arc::from(valid_id(id)?);
            let limit =
                check_queue_max_size(options.queue_max_size.unwrap_or(self.choices.queue_max_size)).map_err(
                    |problem| MetricsRuntimeError::InvalidArgument { argument: "queue_max_size", problem },
                )?;
            if let Some(problem) = options.poll_interval.and_then(problem_of_poll_interval) {
                return Err(MetricsRuntimeError::InvalidArgument { argument: "poll_interval", problem });
            }
            self.refuse_to_wait_here()?;
            let home = {
                let mut control = self.running()?;
                if !control.registry.reserve(&id) {
                    return Err(MetricsRuntimeError::RecorderAlreadyExists { id: id.to_string() });
                }
                let environment = control.environment.as_ref().ok_or(MetricsRuntimeError::LoopUnavailable)?;
                if options.hooks.is_some() {
                    Home::in_task(environment.tokio.clone(), Some(Arc::clone(&self.event_loop)))
                } else {
                    Home::in_loop(Arc::clone(&self.event_loop))
                }
            };
            let recorder = self.new_recorder(&id, limit, options, home);
            let started = self.start_recorder(&id, &recorder);
            let mut control = self.control();
            if started.is_ok() && control.state == MetricsRuntimeState::Running {
                control.registry.insert(id, recorder.clone());
                return Ok(recorder);
            }
            control.registry.free(&id);
            let state = control.state;
            drop(control);
            started?;
            // The runtime was shut down meanwhile; the recorder stops when its only handle is dropped here.
            Err(MetricsRuntimeError::InvalidState { state, expected: USABLE })
        })
    }

    fn new_recorder(
        &self,
        id: &Arc<str>,
        limit: u64,
        options: RecorderOptions,
        home: Home,
    ) -> MetricsRecorder {
        let entity_id = options.entity_id.as_deref().map(str::trim).filter(|entity_id| !entity_id.is_empty());
        let settings = Settings {
            entity_id: entity_id.map_or_else(|| Arc::clone(id), Arc::from),
            namespace: options.namespace.as_deref().map_or_else(|| Arc::clone(&self.namespace), Arc::from),
            overflow: options.queue_overflow_policy.unwrap_or(self.choices.queue_overflow_policy),
            log_policy: options.log_policy.unwrap_or(self.choices.log_policy),
            metric_failure: options.metric_failure_policy,
            poll_interval: options.poll_interval.unwrap_or(self.choices.poll_interval),
        };
        let queue = Queue::new(limit, self.event_loop.pool.clone());
        MetricsRecorder::from_core(RecorderCore::new(queue, settings, options.hooks, home))
    }

    fn start_recorder(&self, id: &str, recorder: &MetricsRecorder) -> Result<()> {
        let timeout = self.choices.startup_timeout;
        let started = recorder.start().wait_until(deadline_in(timeout));
        let started = started
            .unwrap_or_else(|| Err(MetricsRecorderError::Unexpected { cause: Arc::new(TimedOut(timeout)) }));
        started.map_err(|cause| MetricsRuntimeError::RecorderStartup { id: id.to_owned(), cause })
    }

    pub(in crate::runtime) fn get_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.logged(Kind::Read, "metrics_runtime.get_recorder", || {
            let id = valid_id(id)?;
            self.running()?.registry.get(id).cloned().ok_or_else(|| not_found(id))
        })
    }

    pub(in crate::runtime) fn try_get_recorder(&self, id: &str) -> Result<Option<MetricsRecorder>> {
        self.logged(Kind::Read, "metrics_runtime.try_get_recorder", || {
            let id = valid_id(id)?;
            Ok(self.running()?.registry.get(id).cloned())
        })
    }

    pub(in crate::runtime) fn list_recorder_ids(&self) -> Result<Vec<String>> {
        self.logged(Kind::Read, "metrics_runtime.list_recorder_ids", || {
            Ok(self.running()?.registry.ids().map(ToString::to_string).collect())
        })
    }

    pub(in crate::runtime) fn stop_recorder(&self, id: &str) -> Result<()> {
        self.logged(Kind::Lifecycle, "metrics_runtime.stop_recorder", || {
            let id = valid_id(id)?;
            self.refuse_to_wait_here()?;
            let recorder = self.running()?.registry.get(id).cloned().ok_or_else(|| not_found(id))?;
            self.stop_within_timeout(id, &recorder)
        })
    }

    pub(in crate::runtime) fn stop_and_remove_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.logged(Kind::Lifecycle, "metrics_runtime.stop_and_remove_recorder", || {
            let id = valid_id(id)?;
            self.refuse_to_wait_here()?;
            let leaving = self.running()?.registry.begin_removal(id);
            let (number, recorder) = leaving.ok_or_else(|| not_found(id))?;
            let stopped = self.stop_within_timeout(id, &recorder);
            self.retire(number, &recorder);
            stopped.map(|()| recorder)
        })
    }

    fn stop_within_timeout(&self, id: &str, recorder: &MetricsRecorder) -> Result<()> {
        let deadline = deadline_in(self.choices.shutdown_timeout);
        let stopped = self.stop_until(deadline, recorder, None);
        stopped.map_err(|cause| MetricsRuntimeError::RecorderStop { id: id.to_owned(), cause })
    }
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
