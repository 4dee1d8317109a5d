//! Where recorders of tests live.

use mvx_metrics::{MetricsRecorder, MetricsRuntime, RecorderOptions};
use tokio::runtime::{Builder, Runtime};

/// A runtime that runs.
pub fn running_runtime(namespace: &str) -> MetricsRuntime {
    let runtime = MetricsRuntime::new(namespace).expect("a valid namespace");
    runtime.start().expect("the runtime starts");
    runtime
}

/// An application with a tokio runtime of its own, with one worker thread.
pub struct Direct(Option<Runtime>);

impl Default for Direct {
    fn default() -> Self {
        Self::new()
    }
}

impl Direct {
    /// An application.
    pub fn new() -> Self {
        let tokio = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self(Some(tokio.expect("a tokio runtime")))
    }

    /// A direct recorder in it.
    pub fn recorder(&self, options: RecorderOptions) -> MetricsRecorder {
        let _inside = self.tokio().enter();
        MetricsRecorder::new("direct", options).expect("inside of a tokio runtime")
    }

    /// Its tokio runtime.
    pub fn tokio(&self) -> &Runtime {
        self.0.as_ref().expect("it has not ended")
    }

    /// How many tasks live in it.
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
