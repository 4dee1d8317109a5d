//! The thread of a runtime, and the event loop on it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::runtime::{Builder, Handle};

use super::config::Config;
use crate::engine::EventLoop;
use crate::error::{SharedError, TimedOut};
use crate::panics;
use crate::thread_role;

/// The runtime's thread.
pub(super) struct LoopThread {
    pub(super) tokio: Handle,
    thread: JoinHandle<()>,
}

impl LoopThread {
    /// Spawns the thread and waits until its event loop is ready.
    pub(super) fn spawn(event_loop: Arc<EventLoop>, config: &Config) -> Result<Self, SharedError> {
        let (ready, readiness) = mpsc::sync_channel(1);
        let mut builder = thread::Builder::new().name(format!("{}.metrics_runtime", config.namespace.trim()));
        if let Some(bytes) = config.thread_stack_size {
            builder = builder.stack_size(bytes);
        }
        let main = move || run_event_loop(&event_loop, &ready);
        let thread = builder.spawn(main).map_err(|error| Arc::new(error) as SharedError)?;
        let timeout = config.startup_timeout;
        let tokio = readiness.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => Arc::new(TimedOut(timeout)) as SharedError,
            RecvTimeoutError::Disconnected => Arc::new(error),
        })??;
        Ok(Self { tokio, thread })
    }

    /// Runs `before`, waits until the thread has ended, thread-local destructors included, and runs what `before` returned.
    /// Answers `false` when the deadline passes first; all of it goes on then.
    ///
    /// `before` reads and drops stopped recorders. The snapshots and destructors of metrics, and the destructors of
    /// thread-locals, are user code and may take any time. `JoinHandle::join` has no timeout, and `JoinHandle::is_finished` is
    /// no substitute: it is true before the thread-locals are destroyed. So another thread does all of this.
    pub(super) fn join_until<A: FnOnce()>(
        self,
        deadline: Instant,
        before: impl FnOnce() -> A + Send + 'static,
    ) -> bool {
        let (ended, has_ended) = mpsc::sync_channel(1);
        let join = move || {
            let after = before();
            // A panic of the thread was caught on it.
            let _ = self.thread.join();
            after();
            let _ = ended.send(());
        };
        let helper = thread::Builder::new().name("metrics_runtime.join".to_owned()).spawn(join);
        let left = deadline.saturating_duration_since(Instant::now());
        helper.is_ok() && has_ended.recv_timeout(left).is_ok()
    }
}

/// The thread's main function.
fn run_event_loop(event_loop: &EventLoop, ready: &mpsc::SyncSender<Result<Handle, SharedError>>) {
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
    // Drops the hooks that still run. It does not wait for blocked threads that hooks have spawned.
    panics::catch_and_ignore(|| tokio.shutdown_background());
}
