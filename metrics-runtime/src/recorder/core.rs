//! What all handles of a recorder share: its queue, its metrics, its lifecycle.
//!
//! # Locks
//!
//! * `lifecycle` guards the state and the operation in progress. The queue is closed and reopened under it, so that
//!   the state and the queue's CLOSED flag change together. Nothing of the user's runs under it.
//! * `processing` guards the metrics and the right to consume. Handlers and snapshots, which are the user's code, run
//!   under it; a thread that is inside is refused a second one (see [`context`]), so no cycle can form.
//! * `lifecycle` may be taken inside `processing`, never the other way round. `returned` is taken inside of it, or alone.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::context;
use crate::error::{MetricsRecorderError, RegisterEventError};
use crate::event::MetricEvent;
use crate::hooks::DynHooks;
use crate::log::{self, Kind, LogPolicy, Operation, Speaker};
use crate::queue::{Consumer, PushError, Queue, ReserveError, WakeHint};
use crate::recorder::home::Home;
use crate::recorder::lifecycle::Lifecycle;
use crate::recorder::options::{MetricFailurePolicy, QueueOverflowPolicy};
use crate::recorder::processing::{Processing, Readers};
use crate::recorder::state::{ACCEPTING, MetricsRecorderState};
use crate::recorder::stats::{Counters, RecorderStats};
use crate::unwind::{self, Contained};

pub(crate) struct RecorderCore {
    pub(super) queue: Queue,
    pub(super) processing: Mutex<Processing>,
    /// Threads other than the consumer that want `processing`; the consumer lets them in between two turns.
    pub(super) readers: Readers,
    /// The right to consume on its way back from a worker with hooks.
    pub(super) returned: Mutex<Option<Consumer>>,
    pub(super) lifecycle: Mutex<Lifecycle>,
    pub(super) counters: Counters,
    pub(super) settings: Settings,
    hooks: Option<Contained<Box<dyn DynHooks>>>,
    /// Whether a hook of this recorder runs.
    pub(super) hook_runs: AtomicBool,
    pub(crate) home: Home,
    /// How many [`MetricsRecorder`](super::MetricsRecorder)s there are.
    pub(super) handles: AtomicUsize,
}

/// What was chosen for a recorder, completed with defaults.
pub(crate) struct Settings {
    pub(crate) entity_id: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) overflow: QueueOverflowPolicy,
    pub(crate) log_policy: LogPolicy,
    pub(crate) metric_failure: MetricFailurePolicy,
    /// How long events may wait in the event loop of a runtime; elsewhere they do not.
    pub(crate) poll_interval: Duration,
}

impl RecorderCore {
    pub(crate) fn new(
        queue: Queue,
        settings: Settings,
        hooks: Option<Contained<Box<dyn DynHooks>>>,
        home: Home,
    ) -> Self {
        Self {
            queue,
            processing: Mutex::new(Processing::new()),
            readers: Readers::default(),
            returned: Mutex::default(),
            lifecycle: Mutex::new(Lifecycle::new()),
            counters: Counters::default(),
            settings,
            hooks,
            hook_runs: AtomicBool::new(false),
            home,
            handles: AtomicUsize::new(1),
        }
    }

    /// What tells this recorder from others.
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    pub(crate) fn shared_entity_id(&self) -> &Arc<str> {
        &self.settings.entity_id
    }

    pub(crate) fn shared_namespace(&self) -> &Arc<str> {
        &self.settings.namespace
    }

    pub(crate) fn entity_id(&self) -> &str {
        &self.settings.entity_id
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.settings.namespace
    }

    pub(crate) fn log_policy(&self) -> LogPolicy {
        self.settings.log_policy
    }

    pub(crate) fn poll_interval(&self) -> Duration {
        self.settings.poll_interval
    }

    pub(super) fn hooks(&self) -> Option<&dyn DynHooks> {
        self.hooks.as_ref().map(|hooks| &***hooks)
    }

    pub(crate) fn stats(&self) -> RecorderStats {
        let consumed = self.queue.consumed();
        self.counters.stats(consumed, self.queue.accepted(), self.queue.limit())
    }

    pub(super) fn operation(&self, kind: Kind, event: &'static str) -> Operation {
        Operation::new(Speaker::Recorder, self.log_policy(), kind, event)
    }

    /// Logs an error of the infrastructure itself, unless it shows while an event is handed over.
    pub(super) fn log_error(&self, event: &'static str, metric: Option<&str>, error: &(dyn Error + 'static)) {
        if context::in_producer() {
            return;
        }
        log::infrastructure_error(self.log_policy(), event, self.entity_id(), metric, self.state(), error);
    }
}

/// Events.
impl RecorderCore {
    /// Hands an event over when there is more to it than filling a slot. Apart from the usual case, so that the latter needs
    /// no stack frame.
    #[cold]
    #[inline(never)]
    pub(super) fn register_with_care<E: MetricEvent>(
        self: &Arc<Self>,
        event: E,
        reason: ReserveError,
    ) -> Result<(), RegisterEventError<E>> {
        match self.queue.push_slow(event, reason) {
            Ok(hint) => {
                self.after_accepting(hint);
                Ok(())
            }
            Err((refusal, event)) => self.refuse(refusal, event),
        }
    }

    /// Does what the queue asks for after it has accepted an event.
    fn after_accepting(self: &Arc<Self>, hint: WakeHint) {
        match hint {
            WakeHint::None => {}
            WakeHint::Early => self.home.attend(self),
            WakeHint::Unpark => {
                if self.state() == MetricsRecorderState::Virgin {
                    self.start_silently();
                }
                // A queue as small as that is full before the next look at it.
                self.schedule(self.queue.limit() < 4);
            }
        }
    }

    /// Gives the event the fate it has when the queue does not take it.
    pub(super) fn refuse<E: MetricEvent>(
        self: &Arc<Self>,
        refusal: PushError,
        event: E,
    ) -> Result<(), RegisterEventError<E>> {
        if matches!(self.home, Home::Disabled) {
            unwind::contain(|| drop(event));
            return Ok(());
        }
        match (refusal, self.settings.overflow) {
            (PushError::Full, QueueOverflowPolicy::Drop) => {
                self.counters.count_dropped(E::EVENT_TYPE);
                unwind::contain(|| drop(event));
                Ok(())
            }
            (PushError::Full, QueueOverflowPolicy::Error) => {
                self.counters.count_rejected();
                let limit = usize::try_from(self.queue.limit()).unwrap_or(usize::MAX);
                Err(RegisterEventError::new(event, MetricsRecorderError::QueueOverflow { limit }))
            }
            (PushError::Closed, _) => {
                let refusal = {
                    let lifecycle = self.lifecycle();
                    (!lifecycle.state().accepts()).then(|| lifecycle.invalid_state(ACCEPTING))
                };
                let Some(refusal) = refusal else {
                    // It was started again since the queue was found closed.
                    return self.register_with_care(event, ReserveError::AtFastLimit);
                };
                self.counters.count_rejected();
                Err(RegisterEventError::new(event, refusal))
            }
        }
    }

    /// Asks for a turn; a recorder whose event loop has ended ends with it.
    pub(super) fn schedule(self: &Arc<Self>, urgent: bool) {
        if !self.home.schedule(self, urgent) {
            // Perhaps on a producer's thread, which logs nothing.
            self.cancel_silently();
        }
    }
}

/// What the registration of a metric did: whether the metric is new, or took the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registration {
    /// There was no metric of that name.
    Added,
    /// There was one; its state is discarded.
    Replaced,
}
