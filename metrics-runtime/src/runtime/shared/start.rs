//! Starting a runtime: its thread and the event loop in it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use tokio::runtime::Handle;

use super::Shared;
use crate::context;
use crate::error::{MetricsRuntimeError, SharedError, TimedOut};
use crate::log::Kind;
use crate::runtime::state::{STARTABLE, Start, on_start};
use crate::runtime::{EventLoop, MetricsRuntimeState, Result};
use crate::unwind;

/// The runtime's thread.
pub(super) struct Environment {
    pub(super) tokio: Handle,
    pub(super) thread: JoinHandle<()>,
    /// Answers with an error when the thread is about to end.
    pub(super) ended: mpsc::Receiver<()>,
}

impl Shared {
    pub(in crate::runtime) fn start(&self) -> Result<()> {
        self.logged(Kind::Lifecycle, "metrics_runtime.start", || {
            let mut control = self.control();
            match on_start(control.state) {
                Start::Nothing => return Ok(()),
                Start::Refuse => {
                    let state = control.state;
                    return Err(MetricsRuntimeError::InvalidState { state, expected: STARTABLE });
                }
                Start::Begin => control.state = MetricsRuntimeState::Starting,
            }
            drop(control);
            let environment = self.create_environment();
            let mut control = self.control();
            match environment {
                Ok(environment) => {
                    control.environment = Some(environment);
                    control.state = MetricsRuntimeState::Running;
                    Ok(())
                }
                Err(cause) => {
                    control.state = MetricsRuntimeState::Failure;
                    // Should the thread be ready too late, it ends at once.
                    self.event_loop.end();
                    Err(MetricsRuntimeError::Startup { cause })
                }
            }
        })
    }

    fn create_environment(&self) -> std::result::Result<Environment, SharedError> {
        let (ready, readiness) = mpsc::sync_channel(1);
        let (alive, ended) = mpsc::sync_channel(0);
        let event_loop = Arc::clone(&self.event_loop);
        let mut builder = thread::Builder::new().name(format!("{}.metrics_runtime", self.namespace));
        if let Some(bytes) = self.choices.thread_stack_size {
            builder = builder.stack_size(bytes);
        }
        let main = move || {
            let _alive = alive;
            run_event_loop(&event_loop, &ready);
        };
        let thread = builder.spawn(main).map_err(|error| Arc::new(error) as SharedError)?;
        let timeout = self.choices.startup_timeout;
        let tokio = readiness.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => Arc::new(TimedOut(timeout)) as SharedError,
            RecvTimeoutError::Disconnected => Arc::new(error),
        })??;
        Ok(Environment { tokio, thread, ended })
    }
}

/// The thread's main function.
fn run_event_loop(
    event_loop: &EventLoop,
    ready: &mpsc::SyncSender<std::result::Result<Handle, SharedError>>,
) {
    context::become_event_loop(event_loop.identity());
    let tokio = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(tokio) => tokio,
        Err(error) => {
            // Whoever started the runtime may have given up waiting.
            let _ = ready.send(Err(Arc::new(error)));
            return;
        }
    };
    let _ = ready.send(Ok(tokio.handle().clone()));
    unwind::contain(|| tokio.block_on(event_loop.run()));
    // Hooks that are still running are dropped, threads they left blocked are not waited for.
    unwind::contain(|| tokio.shutdown_background());
}
