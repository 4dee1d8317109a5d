//! How an extension keeps the counts of removed recorders. The export feature plugs in here.

use std::any::Any;
use std::sync::Arc;

use crate::engine::{Observation, RecorderInner};

/// Keeps the final state of removed recorders, for one runtime.
///
/// The runtime adds a recorder here and removes it from its registry under one lock. So at each moment a recorder is in exactly
/// one of the two.
pub(crate) trait RemovedRecorders: Send {
    /// Adds the final state of a recorder that leaves the registry.
    ///
    /// Answers `false` when the metrics could not be read and are missing until [`add_late`](Self::add_late).
    fn add(&mut self, recorder: &Arc<RecorderInner>, last: &Observation) -> bool;

    /// The removed recorders of which the metrics are missing.
    fn unread(&self) -> Vec<Arc<RecorderInner>>;

    /// Adds the metrics of one of [`unread`](Self::unread), unless another thread was faster.
    fn add_late(&mut self, recorder: &Arc<RecorderInner>, last: &Observation);

    /// A copy of the kept state. The extension that reads it knows its type.
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
