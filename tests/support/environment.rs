//! The environments of recorders: a running runtime of the library, or an application's own tokio runtime.

use mvx_metrics::{MetricsRecorder, MetricsRuntime, RecorderOptions};
use tokio::runtime::{Builder, Runtime};

/// A started runtime with this namespace.
pub fn running_runtime(namespace: &str) -> MetricsRuntime {
    let runtime = MetricsRuntime::new(namespace).expect("a valid namespace");
    runtime.start().expect("the runtime starts");
    runtime
}

/// An application that owns a tokio runtime with one worker thread.
pub struct Direct(Option<Runtime>);

impl Default for Direct {
    fn default() -> Self {
        Self::new()
    }
}

impl Direct {
    /// Starts the tokio runtime.
    pub fn new() -> Self {
        let tokio = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self(Some(tokio.expect("a tokio runtime")))
    }

    /// Creates a direct recorder in the tokio runtime.
    pub fn recorder(&self, options: RecorderOptions) -> MetricsRecorder {
        let _inside = self.tokio().enter();
        MetricsRecorder::new("direct", options).expect("inside of a tokio runtime")
    }

    /// The application's tokio runtime.
    pub fn tokio(&self) -> &Runtime {
        self.0.as_ref().expect("it has not ended")
    }

    /// How many tasks exist in the tokio runtime.
    pub fn tasks(&self) -> usize {
        self.tokio().metrics().num_alive_tasks()
    }

    /// Ends the tokio runtime; its tasks are aborted.
    pub fn end(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        if let Some(tokio) = self.0.take() {
            // A test that fails may leave a hook blocked.
            tokio.shutdown_background();
        }
    }
}
