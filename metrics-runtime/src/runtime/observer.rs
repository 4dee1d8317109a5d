//! Reading a runtime without owning it.

use std::fmt;
use std::sync::Arc;

use super::MetricsRuntime;
use super::inner::{Result, RuntimeInner};
use crate::log::LogPolicy;
use crate::state::MetricsRuntimeState;
use crate::totals::{RuntimeSnapshot, Scope, Totals};

/// Reads the metrics of a runtime and does not keep it running: for exporters and for threads of their own.
///
/// A clone is cheap. When the [`MetricsRuntime`] is dropped, it shuts down although observers exist. The final state stays
/// readable, as after [`shutdown`](MetricsRuntime::shutdown), and an observer keeps it in memory.
///
/// ```
/// use std::thread;
///
/// use mvx_metrics::{MetricsRuntime, Scope};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let observer = runtime.observer();
/// let pusher = thread::spawn(move || observer.totals(Scope::Rollup).map(|totals| totals.groups.len()));
/// # let _ = pusher.join().map_err(|_| "the thread has panicked")??;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RuntimeObserver {
    inner: Arc<RuntimeInner>,
}

impl MetricsRuntime {
    /// A handle that reads this runtime and does not keep it running, in any state of the runtime.
    #[must_use]
    pub fn observer(&self) -> RuntimeObserver {
        RuntimeObserver { inner: Arc::clone(&self.inner) }
    }
}

impl RuntimeObserver {
    /// As [`MetricsRuntime::snapshot`].
    ///
    /// # Errors
    /// As there.
    pub fn snapshot(&self) -> Result<RuntimeSnapshot> {
        self.inner.snapshot()
    }

    /// As [`MetricsRuntime::totals`].
    ///
    /// # Errors
    /// As there.
    pub fn totals(&self, scope: Scope) -> Result<Totals> {
        self.inner.totals(scope)
    }

    /// The state the runtime is in. A runtime that was dropped is closed.
    #[must_use]
    pub fn status(&self) -> MetricsRuntimeState {
        self.inner.status()
    }

    /// The runtime's namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.inner.namespace()
    }

    /// What the runtime logs. An exporter that belongs to it logs as much.
    #[must_use]
    pub fn log_policy(&self) -> LogPolicy {
        self.inner.log_policy()
    }
}

impl fmt::Debug for RuntimeObserver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RuntimeObserver")
            .field("namespace", &self.namespace())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
