//! Calls of a recorder's hooks, in the recorder's task. Each call is counted, so that waiting threads know that a hook runs.

use super::recorder_inner::RecorderInner;
use crate::error::{MetricsRecorderError, SharedError};
use crate::hooks::{self, HookFuture, MetricChange, RecorderContext};
use crate::queue::Batch;

impl RecorderInner {
    fn context(&self) -> RecorderContext<'_> {
        RecorderContext::new(self)
    }

    async fn call_hook<'a>(&self, hook: impl FnOnce() -> HookFuture<'a>) -> Result<(), SharedError> {
        let _call = HookCall::begin(self);
        hooks::run(self.identity(), hook).await
    }

    /// Runs the `on_starting` hooks. The first error ends them.
    pub(super) async fn run_on_starting(&self) -> Result<(), MetricsRecorderError> {
        for hooks in self.hooks.lifecycle() {
            let called = self.call_hook(|| hooks.on_starting(self.context())).await;
            called.map_err(|cause| MetricsRecorderError::OnStartingHookFailed { cause })?;
        }
        Ok(())
    }

    /// Runs the `on_stopped` hooks, the innermost first. All of them run. Returns the first error, and logs the others.
    async fn run_on_stopped(&self) -> Result<(), SharedError> {
        let mut result = Ok(());
        for hooks in self.hooks.lifecycle().rev() {
            let called = self.call_hook(|| hooks.on_stopped(self.context())).await;
            match called {
                Err(error) if result.is_err() => self.log_cleanup_error(&error),
                Err(error) => result = Err(error),
                Ok(()) => {}
            }
        }
        result
    }

    /// Runs the `on_stopped` hooks and ends the stop.
    pub(super) async fn stop_with_hooks(&self) {
        let stopped = self.run_on_stopped().await;
        self.finish_stop(stopped.map_err(|cause| MetricsRecorderError::OnStoppedHookFailed { cause }));
    }

    /// Runs the `on_stopped` hooks after a failure. Their errors do not replace the first one.
    pub(super) async fn clean_up(&self) {
        if let Err(error) = self.run_on_stopped().await {
            self.log_cleanup_error(&error);
        }
    }

    fn log_cleanup_error(&self, error: &SharedError) {
        self.log_error("metrics_recorder.cleanup.failed", None, "ON_STOPPED_HOOK_FAILED", &**error);
    }

    /// Tells the listeners that the first event of the batch has changed a metric. The first error ends the calls.
    pub(super) async fn run_on_metric_changed(
        &self,
        metric: &str,
        batch: &mut Batch<'_>,
    ) -> Result<(), MetricsRecorderError> {
        for listener in self.hooks.listeners() {
            let change = MetricChange::new(self, metric, batch.first());
            let called = self.call_hook(|| listener.on_metric_changed(change)).await;
            called.map_err(|cause| MetricsRecorderError::Unexpected { cause })?;
        }
        Ok(())
    }
}

/// Marks the recorder as running a hook, until it is dropped. Readers that see a running hook do not wait for it.
struct HookCall<'a>(&'a RecorderInner);

impl<'a> HookCall<'a> {
    fn begin(recorder: &'a RecorderInner) -> Self {
        recorder.count_hook_call();
        Self(recorder)
    }
}

impl Drop for HookCall<'_> {
    fn drop(&mut self) {
        self.0.count_hook_call();
    }
}
