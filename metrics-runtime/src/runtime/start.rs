//! Starting a runtime: its thread, and the event loop on it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::runtime::{Builder, Handle};

use super::inner::{Result, RuntimeInner, invalid_state};
use crate::engine::EventLoop;
use crate::error::{MetricsRuntimeError, SharedError, TimedOut};
use crate::log::OperationKind;
use crate::panics;
use crate::state::{MetricsRuntimeState, StartDecision};
use crate::thread_role;

/// The runtime's thread.
pub(super) struct LoopThread {
    pub(super) tokio: Handle,
    thread: JoinHandle<()>,
    /// Disconnected when the thread's main function returns.
    main_returned: mpsc::Receiver<()>,
}

impl LoopThread {
    /// Waits until the thread has ended, thread-local destructors included. Answers `false` when the deadline passes first.
    pub(super) fn join_until(self, deadline: Instant) -> bool {
        let left = || deadline.saturating_duration_since(Instant::now());
        if self.main_returned.recv_timeout(left()) == Err(RecvTimeoutError::Timeout) {
            return false;
        }
        // `JoinHandle::join` has no timeout, and a destructor of a user's thread-local may run for any time. So another
        // thread joins.
        let (joined, has_joined) = mpsc::sync_channel(1);
        let thread = self.thread;
        let join = move || {
            // A panic of the thread was caught on it.
            let _ = thread.join();
            let _ = joined.send(());
        };
        let helper = thread::Builder::new().name("metrics_runtime.join".to_owned()).spawn(join);
        helper.is_ok() && has_joined.recv_timeout(left()).is_ok()
    }
}

impl RuntimeInner {
    pub(super) fn start(&self) -> Result<()> {
        self.logged(OperationKind::Lifecycle, "metrics_runtime.start", || {
            {
                let mut state = self.state();
                match state.state.on_start() {
                    StartDecision::Nothing => return Ok(()),
                    StartDecision::Refuse => {
                        return Err(invalid_state(state.state, MetricsRuntimeState::STARTABLE));
                    }
                    StartDecision::Begin => state.state = MetricsRuntimeState::Starting,
                }
            }
            let thread = self.spawn_thread();
            let mut state = self.state();
            match thread {
                Ok(thread) => {
                    state.thread = Some(thread);
                    state.state = MetricsRuntimeState::Running;
                    Ok(())
                }
                Err(cause) => {
                    state.state = MetricsRuntimeState::Failure;
                    // A thread that becomes ready too late ends at once.
                    self.event_loop.end();
                    Err(MetricsRuntimeError::Startup { cause })
                }
            }
        })
    }

    /// Spawns the thread and waits until its event loop is ready.
    fn spawn_thread(&self) -> std::result::Result<LoopThread, SharedError> {
        let (ready, readiness) = mpsc::sync_channel(1);
        let (alive, main_returned) = mpsc::sync_channel(0);
        let event_loop = Arc::clone(&self.event_loop);
        let mut builder = thread::Builder::new().name(format!("{}.metrics_runtime", self.namespace()));
        if let Some(bytes) = self.config.thread_stack_size {
            builder = builder.stack_size(bytes);
        }
        let main = move || {
            let _alive = alive;
            run_event_loop(&event_loop, &ready);
        };
        let thread = builder.spawn(main).map_err(|error| Arc::new(error) as SharedError)?;
        let timeout = self.config.startup_timeout;
        let tokio = readiness.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => Arc::new(TimedOut(timeout)) as SharedError,
            RecvTimeoutError::Disconnected => Arc::new(error),
        })??;
        Ok(LoopThread { tokio, thread, main_returned })
    }
}

/// The thread's main function.
fn run_event_loop(
    event_loop: &EventLoop,
    ready: &mpsc::SyncSender<std::result::Result<Handle, SharedError>>,
) {
    thread_role::become_event_loop(event_loop.identity());
    let tokio = match Builder::new_current_thread().enable_all().build() {
        Ok(tokio) => tokio,
        Err(error) => {
            // The thread that starts the runtime may have given up waiting.
            let _ = ready.send(Err(Arc::new(error)));
            return;
        }
    };
    let _ = ready.send(Ok(tokio.handle().clone()));
    panics::catch_and_ignore(|| tokio.block_on(event_loop.run()));
    // Hooks that still run are dropped. Threads that they left blocked are not waited for.
    panics::catch_and_ignore(|| tokio.shutdown_background());
}
