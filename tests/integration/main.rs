//! The behaviours of the contract, through the public API. `docs/behaviours.md` explains the ids in the names of the tests.

mod events;
mod failures;
mod fairness;
mod hooks;
mod latency;
mod lifecycle;
mod logging;
mod logging_outcomes;
mod logging_policies;
mod metric_handle;
mod metrics;
mod panics;
mod recorder;
mod recorder_states;
mod reentrancy;
mod register_event;
mod registry;
mod restart;
mod runtime;
mod runtime_async;
mod runtime_shutdown;
mod shutdown_timeout;
mod stalled_readers;
mod stalled_waits;
mod stalls;
mod wakers;
