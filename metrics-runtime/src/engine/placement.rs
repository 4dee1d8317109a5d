//! Where a recorder's events are processed, and so which thread may wait for them and which may process them.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;

use super::scheduler::EventLoop;
use crate::hooks::Hooks;
use crate::moment::Clock;
use crate::thread_role;

pub(crate) enum Placement {
    /// Nowhere: a disabled recorder.
    Disabled,
    /// In turns on the thread of a runtime's event loop.
    Loop(LoopPlacement),
    /// In a task of its own: recorders with a change listener, and recorders that were created directly.
    /// Boxed, because few recorders are of this kind.
    Task(Box<TaskPlacement>),
}

pub(crate) struct LoopPlacement {
    pub(super) event_loop: Arc<EventLoop>,
    /// The tokio runtime on the same thread. It runs the recorder's lifecycle hooks; `None` without any.
    pub(super) tokio: Option<Handle>,
}

pub(crate) struct TaskPlacement {
    tokio: Handle,
    /// The event loop on the same thread as the task. `None` for a recorder that was created directly.
    event_loop: Option<Arc<EventLoop>>,
    wake: Notify,
}

/// When a thread that waits for a recorder processes the recorder's events itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallerDrains {
    /// The thread that processes the events may be this one, or there may be none. A mere wait might then never end.
    AtOnce,
    /// Only when the thread that processes the events makes no progress.
    WhenStalled,
    /// Never, because only the recorder's task runs its change listeners.
    Never,
}

impl Placement {
    /// On a runtime's thread: in a task if a listener hears of each change, else in turns.
    pub(crate) fn in_runtime(event_loop: Arc<EventLoop>, tokio: &Handle, hooks: &Hooks) -> Self {
        if hooks.has_listeners() {
            return Self::in_task(tokio.clone(), Some(event_loop));
        }
        Self::Loop(LoopPlacement { event_loop, tokio: hooks.has_lifecycle().then(|| tokio.clone()) })
    }

    pub(crate) fn in_task(tokio: Handle, event_loop: Option<Arc<EventLoop>>) -> Self {
        Self::Task(Box::new(TaskPlacement { tokio, event_loop, wake: Notify::new() }))
    }

    pub(super) fn event_loop(&self) -> Option<&EventLoop> {
        match self {
            Self::Disabled => None,
            Self::Loop(placement) => Some(&placement.event_loop),
            Self::Task(task) => task.event_loop.as_deref(),
        }
    }

    /// The clock by which values are recorded and read. Threads that read a runtime's recorders may be in tokio runtimes with paused
    /// clocks, and the runtime's thread is in none of them.
    pub(super) fn clock(&self) -> Clock {
        if self.event_loop().is_some() { Clock::System } else { Clock::Tokio }
    }

    pub(super) fn caller_drains(&self, has_listeners: bool) -> CallerDrains {
        match self {
            _ if has_listeners => CallerDrains::Never,
            Self::Loop(_) if !self.is_loop_thread() => CallerDrains::WhenStalled,
            Self::Disabled | Self::Loop(_) | Self::Task(_) => CallerDrains::AtOnce,
        }
    }

    /// Whether this is the thread of the recorder's event loop.
    pub(super) fn is_loop_thread(&self) -> bool {
        self.event_loop().is_some_and(|event_loop| thread_role::is_event_loop(event_loop.identity()))
    }

    /// Whether a blocking wait here would block the thread that runs the recorder's task.
    ///
    /// For a directly created recorder in a single-threaded tokio runtime, the answer is `true` inside of every single-threaded
    /// tokio runtime. The current thread cannot know which thread drives the recorder's one.
    pub(super) fn runs_on_current_thread(&self) -> bool {
        let is_single_threaded = |tokio: &Handle| tokio.runtime_flavor() == RuntimeFlavor::CurrentThread;
        match self {
            Self::Disabled => false,
            Self::Loop(_) => self.is_loop_thread(),
            Self::Task(task) if task.event_loop.is_some() => self.is_loop_thread(),
            Self::Task(task) => {
                is_single_threaded(&task.tokio)
                    && Handle::try_current().is_ok_and(|current| is_single_threaded(&current))
            }
        }
    }

    /// Spawns a recorder's task. When the tokio runtime has ended, tokio drops the task at once.
    pub(super) fn spawn(&self, task: impl FnOnce() -> Box<dyn Future<Output = ()> + Send>) {
        let tokio = match self {
            Self::Disabled => None,
            Self::Loop(placement) => placement.tokio.as_ref(),
            Self::Task(task) => Some(&task.tokio),
        };
        if let Some(tokio) = tokio {
            drop(tokio.spawn(Box::into_pin(task())));
        }
    }

    /// Wakes the recorder's task.
    pub(super) fn wake_task(&self) {
        if let Self::Task(task) = self {
            task.wake.notify_one();
        }
    }

    /// Waits in the recorder's task until another thread wakes it.
    pub(super) async fn woken(&self) {
        if let Self::Task(task) = self {
            task.wake.notified().await;
        }
    }
}
