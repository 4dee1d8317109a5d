//! How an extension counts what removed recorders had counted. The export feature plugs in here.

use std::any::Any;
use std::sync::Arc;

use crate::engine::{Observation, RecorderInner};

/// Keeps the final state of removed recorders, for one runtime.
///
/// The runtime adds a recorder here and removes it from its registry under one lock. So a recorder is in the registry or
/// among the removed ones at each moment, never in both, never in neither.
pub(crate) trait RemovedRecorders: Send {
    /// Adds the final state of a recorder that leaves the registry.
    ///
    /// Answers `false` when the metrics could not be read and are missing until [`add_late`](Self::add_late).
    fn add(&mut self, recorder: &Arc<RecorderInner>, last: &Observation) -> bool;

    /// The removed recorders whose metrics are missing.
    fn unread(&self) -> Vec<Arc<RecorderInner>>;

    /// Adds the metrics of one of [`unread`](Self::unread), unless another thread was faster.
    fn add_late(&mut self, recorder: &Arc<RecorderInner>, last: &Observation);

    /// What is kept, at this moment. The extension that reads it knows its type.
    fn copy(&self) -> Arc<dyn Any + Send + Sync>;
}

/// Without an extension the runtime forgets removed recorders.
impl RemovedRecorders for () {
    fn add(&mut self, _recorder: &Arc<RecorderInner>, _last: &Observation) -> bool {
        true
    }

    fn unread(&self) -> Vec<Arc<RecorderInner>> {
        Vec::new()
    }

    fn add_late(&mut self, _recorder: &Arc<RecorderInner>, _last: &Observation) {}

    fn copy(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::new(())
    }
}
