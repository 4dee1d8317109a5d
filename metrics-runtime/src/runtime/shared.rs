//! What the handles of a runtime share: its state, its thread, its recorders.

mod recorders;
mod shutdown;
mod start;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::shutdown::Outcome;
use self::start::Environment;
use crate::context;
use crate::error::MetricsRuntimeError;
use crate::log::{Kind, Operation, Speaker};
use crate::recorder::MetricsRecorder;
use crate::runtime::registry::Registry;
use crate::runtime::state::USABLE;
use crate::runtime::{EventLoop, MetricsRuntimeBuilder, MetricsRuntimeState, Result};
use crate::unwind;

pub(crate) struct Shared {
    namespace: Arc<str>,
    choices: MetricsRuntimeBuilder,
    event_loop: Arc<EventLoop>,
    control: Mutex<Control>,
    /// Threads that wait for `control`; whoever takes it again and again lets them in.
    waiting: AtomicUsize,
    /// What removed recorders have counted. Locked before `control`, never inside of it.
    #[cfg(feature = "openmetrics")]
    pub(super) retired: Mutex<crate::export::Retired>,
    #[cfg(feature = "openmetrics")]
    pub(crate) reported: crate::export::Reported,
}

/// What changes in the life of a runtime.
pub(super) struct Control {
    state: MetricsRuntimeState,
    pub(super) registry: Registry,
    environment: Option<Environment>,
    /// The shutdown in progress.
    shutdown: Option<Arc<Outcome>>,
}

/// Nobody can start or shut down the runtime any more; a start that was under way ends here.
impl Drop for Shared {
    fn drop(&mut self) {
        self.event_loop.end();
        // In the result are the errors of hooks, which are somebody else's code.
        let shutdown = self.control().shutdown.take();
        unwind::contain(|| drop(shutdown));
    }
}

impl Shared {
    pub(super) fn new(choices: MetricsRuntimeBuilder) -> Self {
        let control = Control {
            state: MetricsRuntimeState::Virgin,
            registry: Registry::default(),
            environment: None,
            shutdown: None,
        };
        Self {
            namespace: Arc::from(choices.namespace.trim()),
            event_loop: Arc::new(EventLoop::new()),
            choices,
            control: Mutex::new(control),
            waiting: AtomicUsize::new(0),
            #[cfg(feature = "openmetrics")]
            retired: Mutex::default(),
            #[cfg(feature = "openmetrics")]
            reported: crate::export::Reported::default(),
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn shared_namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    pub(crate) fn state(&self) -> MetricsRuntimeState {
        self.control().state
    }

    pub(super) fn control(&self) -> MutexGuard<'_, Control> {
        if let Ok(control) = self.control.try_lock() {
            return control;
        }
        // Relaxed: a hint; the lock is what counts.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        control
    }

    /// Lets those have `control` who wait for it: a lock that is taken again at once is mostly gone before they wake up.
    pub(super) fn let_others_in(&self) {
        const PATIENCE: Duration = Duration::from_millis(1);
        let mut until = None;
        while self.waiting.load(Ordering::Relaxed) > 0 {
            let now = Instant::now();
            if now >= *until.get_or_insert(now + PATIENCE) {
                break;
            }
            thread::yield_now();
        }
    }

    pub(super) fn running(&self) -> Result<MutexGuard<'_, Control>> {
        let control = self.control();
        match control.state {
            MetricsRuntimeState::Running => Ok(control),
            state => Err(MetricsRuntimeError::InvalidState { state, expected: USABLE }),
        }
    }

    #[cfg(feature = "openmetrics")]
    pub(crate) fn log_policy(&self) -> crate::LogPolicy {
        self.choices.log_policy
    }

    pub(crate) fn logged<T>(
        &self,
        kind: Kind,
        event: &'static str,
        operation: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let log = Operation::new(Speaker::Runtime, self.choices.log_policy, kind, event);
        let log = log.invoke(&self.namespace, None, self.state());
        let result = operation();
        log.end(&self.namespace, None, self.state(), &result);
        result
    }

    /// Whether waiting would stop the runtime's own thread.
    pub(super) fn is_here(&self) -> bool {
        context::is_event_loop(self.event_loop.identity()) || context::in_hook() || context::in_metrics()
    }

    pub(super) fn refuse_to_wait_here(&self) -> Result<()> {
        if self.is_here() { Err(MetricsRuntimeError::WouldDeadlock) } else { Ok(()) }
    }

    /// Whether this is a hook of the very recorder of that id: its end would wait for the hook.
    pub(super) fn refuse_to_wait_for_own_hook(&self, id: &str) -> Result<()> {
        let own = context::in_hook()
            && self.control().registry.get(id.trim()).is_some_and(MetricsRecorder::is_in_hook);
        if own { Err(MetricsRuntimeError::WouldDeadlock) } else { Ok(()) }
    }
}

/// When a timeout that begins now is over; one beyond what the clock can show is over in a century.
fn deadline_in(timeout: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);
    let now = Instant::now();
    now + timeout.min(CENTURY)
}
