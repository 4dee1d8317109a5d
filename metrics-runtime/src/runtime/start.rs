//! Starting a runtime.

use std::sync::Arc;

use super::inner::{Result, RuntimeInner, invalid_state};
use super::loop_thread::LoopThread;
use crate::error::MetricsRuntimeError;
use crate::log::OperationKind;
use crate::snapshot::Timestamp;
use crate::state::{MetricsRuntimeState, StartDecision};

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
            let thread = LoopThread::spawn(Arc::clone(&self.event_loop), &self.config);
            let mut state = self.state();
            match thread {
                Ok(thread) => {
                    state.thread = Some(thread);
                    state.state = MetricsRuntimeState::Running;
                    state.started_at = Timestamp::now();
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
}
