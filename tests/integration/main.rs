//! The observable behaviours of the contract, through the public API.

mod events;
mod failures;
mod fairness;
mod hooks;
mod latency;
mod lifecycle;
mod logging;
mod logging_outcomes;
mod metrics;
mod panics;
mod recorder;
mod recorder_states;
mod reentrancy;
mod register_event;
mod registry;
mod restart;
mod runtime;
mod stalled_readers;
mod stalled_waits;
