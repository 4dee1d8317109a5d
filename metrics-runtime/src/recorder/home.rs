//! Where a recorder's events are processed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;

use crate::context;
use crate::recorder::{MetricsRecorderState, RecorderCore, worker};
use crate::runtime::EventLoop;

pub(crate) enum Home {
    /// Nowhere: a disabled recorder.
    Disabled,
    /// The event loop of a runtime, together with its other recorders.
    Loop {
        event_loop: Arc<EventLoop>,
        listing: Listing,
        /// Whether a turn is on its way, so that a queue that fills up need not ask for one.
        attended: AtomicBool,
        /// The loop's round in which the recorder had its last turn. Used by the loop's thread only.
        round: AtomicU64,
    },
    /// A task of its own: recorders that were created directly, and recorders with hooks.
    Task(TaskHome),
}

/// Which of its lists the event loop has a recorder on. Read and written under the lock of those lists.
#[derive(Default)]
pub(crate) struct Listing {
    /// Those that get turns.
    pub(crate) scheduled: AtomicBool,
    /// Those that are visited although they get turns anyway.
    pub(crate) visited: AtomicBool,
    /// Those that were started again.
    pub(crate) remembered: AtomicBool,
}

pub(crate) struct TaskHome {
    tokio: Handle,
    /// The runtime's event loop, if it is one of ours.
    event_loop: Option<Arc<EventLoop>>,
    wake: Notify,
    /// The thread that last ran the task, or created the recorder.
    driver: Mutex<ThreadId>,
}

impl Home {
    pub(crate) fn in_loop(event_loop: Arc<EventLoop>) -> Self {
        Self::Loop {
            event_loop,
            listing: Listing::default(),
            attended: AtomicBool::new(false),
            round: AtomicU64::new(0),
        }
    }

    pub(crate) fn in_task(tokio: Handle, event_loop: Option<Arc<EventLoop>>) -> Self {
        Self::Task(TaskHome {
            tokio,
            event_loop,
            wake: Notify::new(),
            driver: Mutex::new(std::thread::current().id()),
        })
    }

    /// Asks for a turn of the recorder; `false` when nobody is there any more to give one.
    pub(crate) fn schedule(&self, recorder: &Arc<RecorderCore>, urgent: bool) -> bool {
        match self {
            Self::Disabled => true,
            Self::Loop { event_loop, listing, .. } => event_loop.schedule(recorder, listing, urgent),
            Self::Task(task) => {
                task.wake.notify_one();
                true
            }
        }
    }

    /// Where the event loop has the recorder; to be used under the lock of its lists.
    pub(crate) fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Loop { listing, .. } => Some(listing),
            Self::Disabled | Self::Task(_) => None,
        }
    }

    /// Sees that a recorder whose queue fills up gets a turn now instead of after the interval of the timer.
    pub(super) fn attend(&self, recorder: &Arc<RecorderCore>) {
        if let Self::Loop { event_loop, listing, attended, .. } = self {
            // It spares the lock while the turn is on its way. AcqRel: whoever ends that sees the events before this.
            if !attended.swap(true, Ordering::AcqRel) {
                event_loop.schedule(recorder, listing, true);
            }
        }
    }

    /// Whether this is the recorder's first turn in that round of the loop; there is no second one.
    pub(crate) fn may_take_turn(&self, now: u64) -> bool {
        match self {
            // Relaxed: one thread's own.
            Self::Loop { round, .. } => round.swap(now, Ordering::Relaxed) != now,
            Self::Disabled | Self::Task(_) => true,
        }
    }

    /// The loop is about to give the recorder turns by itself.
    pub(crate) fn begin_to_attend(&self) {
        if let Self::Loop { attended, .. } = self {
            // Relaxed: it keeps others from asking, and the turns do not depend on what they did.
            attended.store(true, Ordering::Relaxed);
        }
    }

    /// Whoever sees the queue fill up from now on asks for a turn; what was accepted before is seen by the caller.
    pub(super) fn end_to_attend(&self) {
        if let Self::Loop { attended, .. } = self {
            // AcqRel: with whoever has found it set before.
            attended.swap(false, Ordering::AcqRel);
        }
    }

    fn event_loop(&self) -> Option<&EventLoop> {
        match self {
            Self::Disabled => None,
            Self::Loop { event_loop, .. } => Some(event_loop),
            Self::Task(task) => task.event_loop.as_deref(),
        }
    }

    /// The recorder gets a turn.
    pub(super) fn beat(&self) {
        if let Some(event_loop) = self.event_loop() {
            event_loop.beat();
        }
    }

    /// A number that changes while this recorder, or another one in the same event loop, gets turns.
    pub(super) fn beats(&self) -> u64 {
        self.event_loop().map_or(0, EventLoop::beats)
    }

    /// Whether the recorder can be started here, coming from that state; not when its event loop has ended. A loop that ends
    /// later ends the recorder with it: its runtime may not know one that had stopped any more.
    pub(super) fn takes_in(&self, recorder: &Arc<RecorderCore>, from: MetricsRecorderState) -> bool {
        match (self, from) {
            (Self::Loop { event_loop, listing, .. }, MetricsRecorderState::Stopped) => {
                event_loop.remember(recorder, listing)
            }
            _ => self.event_loop().is_none_or(|event_loop| !event_loop.has_ended()),
        }
    }

    /// Starts the task of a recorder that has one. When the tokio runtime has ended, the task is dropped at once, and
    /// the recorder is cancelled.
    pub(super) fn spawn_worker(&self, recorder: &Arc<RecorderCore>) {
        if let Self::Task(task) = self {
            drop(task.tokio.spawn(worker::work(Arc::clone(recorder))));
        }
    }

    /// Whether a caller may process events itself instead of waiting.
    ///
    /// In a runtime of ours only its own thread may. A recorder that was created directly lives wherever its application
    /// runs it, and waiting could stop just the thread that runs it.
    pub(super) fn lets_callers_help(&self) -> bool {
        match self {
            Self::Disabled => true,
            Self::Loop { event_loop, .. } => context::is_event_loop(event_loop.identity()),
            Self::Task(task) => task.event_loop.is_none(),
        }
    }

    /// Whether whoever waits for the recorder may process its events meanwhile, as far as there are no hooks: it was created
    /// directly, and the caller may just stop the thread that its task needs.
    pub(super) fn lets_waiters_help(&self) -> bool {
        matches!(self, Self::Task(TaskHome { event_loop: None, .. }))
    }

    /// Whether the recorder's own task may be unable to run while the caller waits: the recorder was created directly, and
    /// either its tokio runtime has no threads of its own, so that perhaps nobody drives it, or the caller runs in a task of it.
    pub(super) fn may_be_starved(&self) -> bool {
        match self {
            Self::Task(TaskHome { event_loop: None, tokio, .. }) => {
                tokio.runtime_flavor() == RuntimeFlavor::CurrentThread
                    || tokio::task::try_id().is_some()
                        && Handle::try_current().is_ok_and(|here| here.id() == tokio.id())
            }
            Self::Disabled | Self::Loop { .. } | Self::Task(_) => false,
        }
    }

    /// Whether the calling thread is the one that would have to do the work.
    pub(super) fn is_here(&self) -> bool {
        match self {
            Self::Disabled => false,
            Self::Loop { event_loop, .. } => context::is_event_loop(event_loop.identity()),
            Self::Task(TaskHome { event_loop: Some(event_loop), .. }) => {
                context::is_event_loop(event_loop.identity())
            }
            Self::Task(task) => {
                task.tokio.runtime_flavor() == RuntimeFlavor::CurrentThread
                    && Handle::try_current().is_ok_and(|here| here.id() == task.tokio.id())
                    && *task.driver() == std::thread::current().id()
            }
        }
    }

    /// Waits in the recorder's task until somebody asks for a turn.
    pub(super) async fn asked_for_a_turn(&self) {
        if let Self::Task(task) = self {
            task.wake.notified().await;
            self.remember_driver();
        }
    }

    pub(super) fn remember_driver(&self) {
        if let Self::Task(task) = self {
            *task.driver() = std::thread::current().id();
        }
    }
}

impl TaskHome {
    fn driver(&self) -> std::sync::MutexGuard<'_, ThreadId> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
