//! The part of a runtime that its handle and its endpoints share: the state, the thread, the recorders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::Config;
use super::loop_thread::LoopThread;
use super::registry::Registry;
use crate::engine::{Completion, EventLoop, FairGuard, FairLock};
use crate::error::MetricsRuntimeError;
use crate::log::{LogPolicy, LogTarget, Operation, OperationKind, Subject};
use crate::recorder::MetricsRecorder;
use crate::snapshot::Timestamp;
use crate::state::MetricsRuntimeState;
use crate::sync::Mutex;
use crate::thread_role;
use crate::totals::{RecorderSnapshot, RemovedRecorders};

pub(super) type Result<T> = std::result::Result<T, MetricsRuntimeError>;

/// The shared part of a runtime.
///
/// # Locks
///
/// `state` is held for microseconds, never during a wait, and no user code runs under it. `removed` is locked before `state`,
/// never inside of it.
pub(crate) struct RuntimeInner {
    namespace: Arc<str>,
    pub(super) config: Config,
    pub(super) event_loop: Arc<EventLoop>,
    state: FairLock<RuntimeState>,
    /// The counts of removed recorders, and what totals remember.
    pub(super) removed: Mutex<RemovedRecorders>,
}

/// The part of a runtime that changes.
pub(super) struct RuntimeState {
    pub(super) state: MetricsRuntimeState,
    pub(super) registry: Registry,
    pub(super) thread: Option<LoopThread>,
    /// The shutdown in progress.
    pub(super) shutdown: Option<Arc<Completion<Result<()>>>>,
    /// Unknown before the start.
    pub(super) started_at: Timestamp,
    /// After a shutdown: the last states of the recorders that there were when it began. Recorders that end after the shutdown
    /// timeout change them.
    pub(super) last: Option<Arc<Mutex<Arc<Vec<RecorderSnapshot>>>>>,
}

/// A start in progress ends here, because no handle is left that could use or shut down the runtime.
impl Drop for RuntimeInner {
    fn drop(&mut self) {
        self.event_loop.end();
    }
}

impl RuntimeInner {
    pub(super) fn new(config: Config) -> Self {
        let state = RuntimeState {
            state: MetricsRuntimeState::Virgin,
            registry: Registry::default(),
            thread: None,
            shutdown: None,
            started_at: Timestamp::default(),
            last: None,
        };
        Self {
            namespace: Arc::from(config.namespace.trim()),
            event_loop: Arc::new(EventLoop::new()),
            config,
            state: FairLock::new(state),
            removed: Mutex::default(),
        }
    }

    pub(crate) fn namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    pub(crate) fn log_policy(&self) -> LogPolicy {
        self.config.log_policy
    }

    pub(crate) fn status(&self) -> MetricsRuntimeState {
        self.state().state
    }

    /// The constant labels of the process.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn labels(&self) -> &BTreeMap<String, String> {
        self.config.labels.as_map()
    }

    /// Whether the runtime was started successfully at any time.
    #[allow(dead_code, reason = "the feature `openmetrics` uses it")]
    pub(crate) fn has_run(&self) -> bool {
        !self.state().started_at.is_unknown()
    }

    pub(super) fn state(&self) -> FairGuard<'_, RuntimeState> {
        self.state.lock()
    }

    /// The state of a runtime that runs.
    pub(super) fn running(&self) -> Result<FairGuard<'_, RuntimeState>> {
        let state = self.state();
        match state.state {
            MetricsRuntimeState::Running => Ok(state),
            other => Err(invalid_state(other, MetricsRuntimeState::USABLE)),
        }
    }

    /// Logs an operation of the runtime: its call, and its success or failure.
    pub(crate) fn logged<T>(
        &self,
        kind: OperationKind,
        event: &'static str,
        operation: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.logged_with(Subject::default(), kind, event, operation)
    }

    /// The same for an operation on one recorder.
    pub(super) fn logged_with<T>(
        &self,
        subject: Subject<'_>,
        kind: OperationKind,
        event: &'static str,
        operation: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let subject = Subject { entity_id: &self.namespace, ..subject };
        let log = Operation::new(LogTarget::Runtime, self.log_policy(), kind, event);
        let log = log.invoke(subject, self.status());
        let result = operation();
        log.end(subject, self.status(), &result);
        result
    }

    /// Whether a blocking wait here would wait for the current thread.
    pub(super) fn waiting_would_deadlock(&self) -> bool {
        thread_role::is_event_loop(self.event_loop.identity())
            || thread_role::in_hook()
            || thread_role::in_metrics()
    }

    pub(super) fn check_may_wait(&self) -> Result<()> {
        if self.waiting_would_deadlock() { Err(MetricsRuntimeError::WouldDeadlock) } else { Ok(()) }
    }

    /// Refuses an operation on the recorder of that id in a hook of this very recorder: its end would wait for the hook.
    pub(super) fn check_not_in_own_hook(&self, id: &str) -> Result<()> {
        let own = thread_role::in_hook()
            && self.state().registry.get(id.trim()).is_some_and(MetricsRecorder::is_in_hook);
        if own { Err(MetricsRuntimeError::WouldDeadlock) } else { Ok(()) }
    }
}

pub(super) fn invalid_state(
    state: MetricsRuntimeState,
    expected: &'static [MetricsRuntimeState],
) -> MetricsRuntimeError {
    MetricsRuntimeError::InvalidState { state, expected }
}

/// The end of a timeout that begins now. A timeout that the clock cannot represent ends in a century.
pub(super) fn deadline_in(timeout: Duration) -> Instant {
    const MAX_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);
    Instant::now() + timeout.min(MAX_TIMEOUT)
}
