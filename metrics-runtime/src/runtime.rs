//! The runtime: one thread with an event loop, and the recorders that it owns.

mod builder;
mod config;
mod inner;
#[allow(dead_code, reason = "the feature `page` uses it")]
mod listing;
mod loop_thread;
mod observer;
mod reading;
mod recorders;
mod registry;
mod shutdown;
mod start;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;

use self::config::Config;
use self::inner::Result;
use crate::error::{MetricsRuntimeError, SharedError};
use crate::log::LogPolicy;
use crate::recorder::{MetricsRecorder, RecorderOptions};
use crate::state::MetricsRuntimeState;
use crate::totals::{RuntimeSnapshot, Scope, Totals};

pub use self::builder::MetricsRuntimeBuilder;
pub use self::observer::RuntimeObserver;

pub(crate) use self::inner::RuntimeInner;
#[allow(unused_imports, reason = "the feature `page` uses them")]
pub(crate) use self::listing::{ListedRecorder, Listing};

/// The owner of recorders: one dedicated thread with a tokio event loop, and a registry of recorders.
///
/// Owned by the application: one runtime for an application or a large subsystem, many recorders in it. Dropping a running
/// runtime shuts it down, within the shutdown timeout.
///
/// All methods are synchronous and may be called from any thread. Methods that wait for the runtime's thread have a twin for
/// async code, with `_async` in its name. On the runtime's own thread, that is in a hook, they return
/// [`WouldDeadlock`](MetricsRuntimeError::WouldDeadlock) at once.
///
/// ```
/// use mvx_metrics::{MetricsRuntime, MetricsRuntimeState};
///
/// # fn main() -> Result<(), mvx_metrics::MetricsRuntimeError> {
/// let runtime = MetricsRuntime::new("example.metrics")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder("connection-0001")?;
/// assert_eq!(recorder.entity_id(), "connection-0001");
/// runtime.shutdown()?;
/// assert_eq!(runtime.status(), MetricsRuntimeState::Closed);
/// # Ok(())
/// # }
/// ```
pub struct MetricsRuntime {
    pub(crate) inner: Arc<RuntimeInner>,
}

impl MetricsRuntime {
    /// Creates a runtime; there is no thread yet.
    ///
    /// # Errors
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) when the namespace is blank or has a NUL character in it.
    pub fn new(namespace: impl Into<String>) -> Result<Self> {
        Self::builder(namespace).build()
    }

    /// A builder, for a runtime with options.
    pub fn builder(namespace: impl Into<String>) -> MetricsRuntimeBuilder {
        MetricsRuntimeBuilder::new(namespace.into())
    }

    fn from_config(config: Config) -> Self {
        Self { inner: Arc::new(RuntimeInner::new(config)) }
    }

    /// Creates the thread and its event loop, and waits until they are ready. Does nothing when the runtime runs.
    ///
    /// # Errors
    /// * [`InvalidState`](MetricsRuntimeError::InvalidState) while another thread starts the runtime, and after it was
    ///   shut down
    /// * [`Startup`](MetricsRuntimeError::Startup) when the thread or its event loop cannot be created, or is not ready
    ///   within the startup timeout. The runtime is then in `FAILURE`.
    pub fn start(&self) -> Result<()> {
        self.inner.start()
    }

    /// Stops and removes all recorders, after all their accepted events are processed, and ends the thread.
    ///
    /// The call returns within the shutdown timeout, whatever handlers, hooks and the destructors of thread-locals do.
    /// Concurrent calls wait for the one shutdown and agree on its result. A runtime that never ran is closed.
    ///
    /// # Errors
    /// [`Shutdown`](MetricsRuntimeError::Shutdown) when recorders could not be stopped, or when the thread did not end within
    /// the shutdown timeout. The error lists the recorders. Everything else has ended, and the runtime is in `FAILURE`.
    /// [`InvalidState`](MetricsRuntimeError::InvalidState) while the runtime is starting or after a failure;
    /// [`WouldDeadlock`](MetricsRuntimeError::WouldDeadlock) in a hook.
    pub fn shutdown(&self) -> Result<()> {
        self.inner.shutdown()
    }

    /// Creates a recorder, starts it and registers it under the id, which is trimmed.
    ///
    /// # Errors
    /// As [`create_recorder_with`](Self::create_recorder_with).
    pub fn create_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.create_recorder_with(id, RecorderOptions::new())
    }

    /// Creates a recorder with options. Its entity id is the id, and its namespace that of the runtime, unless the options
    /// say otherwise.
    ///
    /// # Errors
    /// * [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) when the id is blank or an option is out of range
    /// * [`RecorderAlreadyExists`](MetricsRuntimeError::RecorderAlreadyExists) when the id is in use or being created
    /// * [`RecorderStartup`](MetricsRuntimeError::RecorderStartup) when its `on_starting` hook fails or takes longer
    ///   than the startup timeout. The id is then free again.
    /// * [`InvalidState`](MetricsRuntimeError::InvalidState) unless the runtime runs
    /// * [`WouldDeadlock`](MetricsRuntimeError::WouldDeadlock) in a hook
    pub fn create_recorder_with(&self, id: &str, options: RecorderOptions) -> Result<MetricsRecorder> {
        self.inner.create_recorder(id, options)
    }

    /// The recorder of that id.
    ///
    /// # Errors
    /// [`RecorderNotFound`](MetricsRuntimeError::RecorderNotFound) when there is none;
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) when the id is blank;
    /// [`InvalidState`](MetricsRuntimeError::InvalidState) unless the runtime runs.
    pub fn get_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.inner.get_recorder(id)
    }

    /// The recorder of that id, or `None`.
    ///
    /// # Errors
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) when the id is blank;
    /// [`InvalidState`](MetricsRuntimeError::InvalidState) unless the runtime runs.
    pub fn try_get_recorder(&self, id: &str) -> Result<Option<MetricsRecorder>> {
        self.inner.try_get_recorder(id)
    }

    /// The ids of all recorders in the order of their creation.
    ///
    /// # Errors
    /// [`InvalidState`](MetricsRuntimeError::InvalidState) unless the runtime runs.
    pub fn list_recorder_ids(&self) -> Result<Vec<String>> {
        self.inner.list_recorder_ids()
    }

    /// Stops a recorder, which stays registered. A recorder that has stopped already is no error.
    ///
    /// # Errors
    /// * [`RecorderNotFound`](MetricsRuntimeError::RecorderNotFound) when there is none or it is being removed
    /// * [`RecorderStop`](MetricsRuntimeError::RecorderStop) when it fails to stop, had failed before, or takes longer
    ///   than the shutdown timeout
    /// * [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) when the id is blank
    /// * [`InvalidState`](MetricsRuntimeError::InvalidState) unless the runtime runs
    /// * [`WouldDeadlock`](MetricsRuntimeError::WouldDeadlock) in a hook
    pub fn stop_recorder(&self, id: &str) -> Result<()> {
        self.inner.stop_recorder(id)
    }

    /// Stops a recorder, removes it and returns it: its final state stays readable, and its id is free again. It is removed
    /// even when it fails to stop. Of several concurrent callers, one gets it.
    ///
    /// # Errors
    /// As [`stop_recorder`](Self::stop_recorder).
    pub fn stop_and_remove_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.inner.stop_and_remove_recorder(id)
    }

    /// The state of all recorders with their metrics, in the order of their creation.
    ///
    /// Recorders are read one after the other while all of them go on. Only the recorder that is being read is locked, for
    /// some microseconds. Events accepted before the call are included. There are three exceptions: a hook of their recorder
    /// runs, its handlers make no progress, or all pending events together take more than two seconds.
    ///
    /// After a shutdown the answer is the final state, with the recorders that there were when the shutdown began.
    ///
    /// # Errors
    /// [`InvalidState`](crate::MetricsRuntimeError::InvalidState) before the start and during a shutdown;
    /// [`WouldDeadlock`](crate::MetricsRuntimeError::WouldDeadlock) in a hook.
    pub fn snapshot(&self) -> Result<RuntimeSnapshot> {
        self.inner.snapshot()
    }

    /// The metrics of all recorders, added up, in one of two scopes. They are read as for [`snapshot`](Self::snapshot).
    ///
    /// A rollup includes removed recorders and replaced metrics. [`Totals`] has an example.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn totals(&self, scope: Scope) -> Result<Totals> {
        self.inner.totals(scope)
    }

    /// The state the runtime is in.
    #[must_use]
    pub fn status(&self) -> MetricsRuntimeState {
        self.inner.status()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.inner.namespace()
    }

    /// What the runtime logs.
    #[must_use]
    pub fn log_policy(&self) -> LogPolicy {
        self.inner.log_policy()
    }
}

/// For async code. Another thread waits, so the caller's executor is not blocked.
impl MetricsRuntime {
    /// As [`start`](Self::start), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there.
    pub async fn start_async(&self) -> Result<()> {
        self.in_thread(RuntimeInner::start).await
    }

    /// As [`shutdown`](Self::shutdown), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there.
    pub async fn shutdown_async(&self) -> Result<()> {
        if self.inner.waiting_would_deadlock() {
            // The shutdown would wait for the hook, which awaits the shutdown.
            return Err(MetricsRuntimeError::WouldDeadlock);
        }
        self.in_thread(RuntimeInner::shutdown).await
    }

    /// As [`create_recorder`](Self::create_recorder), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there.
    pub async fn create_recorder_async(&self, id: &str) -> Result<MetricsRecorder> {
        self.create_recorder_with_async(id, RecorderOptions::new()).await
    }

    /// As [`create_recorder_with`](Self::create_recorder_with), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there.
    pub async fn create_recorder_with_async(
        &self,
        id: &str,
        options: RecorderOptions,
    ) -> Result<MetricsRecorder> {
        if !self.inner.has_hooks(&options) && !self.inner.waiting_would_deadlock() {
            // Without a hook there is nothing to wait for.
            return self.create_recorder_with(id, options);
        }
        let id = id.to_owned();
        self.in_thread(move |inner| inner.create_recorder(&id, options)).await
    }

    /// As [`stop_recorder`](Self::stop_recorder), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there. A hook can stop other recorders in this way, not its own.
    pub async fn stop_recorder_async(&self, id: &str) -> Result<()> {
        self.inner.check_not_in_own_hook(id)?;
        let id = id.to_owned();
        self.in_thread(move |inner| inner.stop_recorder(&id)).await
    }

    /// As [`stop_and_remove_recorder`](Self::stop_and_remove_recorder), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there. A hook can stop other recorders in this way, not its own.
    pub async fn stop_and_remove_recorder_async(&self, id: &str) -> Result<MetricsRecorder> {
        self.inner.check_not_in_own_hook(id)?;
        let id = id.to_owned();
        self.in_thread(move |inner| inner.stop_and_remove_recorder(&id)).await
    }

    /// As [`snapshot`](Self::snapshot), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there.
    pub async fn snapshot_async(&self) -> Result<RuntimeSnapshot> {
        self.in_thread(RuntimeInner::snapshot).await
    }

    /// As [`totals`](Self::totals), without blocking the caller's executor.
    ///
    /// # Errors
    /// As there.
    pub async fn totals_async(&self, scope: Scope) -> Result<Totals> {
        self.in_thread(move |inner| inner.totals(scope)).await
    }

    /// Runs an operation that waits in a thread of its own. The operation goes on when the future is dropped.
    pub(crate) async fn in_thread<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&RuntimeInner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        let (answer, answered) = oneshot::channel();
        let run = move || {
            // The future that awaits the answer may be dropped.
            let _ = answer.send(operation(&inner));
        };
        let thread = thread::Builder::new().name(format!("{}.wait", self.namespace())).spawn(run);
        let cause: SharedError = match (thread, answered.await) {
            (_, Ok(result)) => return result,
            (Err(error), _) => Arc::new(error),
            (Ok(_), Err(error)) => Arc::new(error),
        };
        Err(MetricsRuntimeError::Unexpected { cause })
    }
}

// A panic of user code inside of a runtime is caught there, and leaves the runtime's data whole.
impl UnwindSafe for MetricsRuntime {}
impl RefUnwindSafe for MetricsRuntime {}

impl Drop for MetricsRuntime {
    fn drop(&mut self) {
        self.inner.shut_down_on_drop();
    }
}

impl fmt::Debug for MetricsRuntime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MetricsRuntime")
            .field("namespace", &self.namespace())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
