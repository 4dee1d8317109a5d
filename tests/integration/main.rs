//! The observable behaviours of the contract, through the public API.

mod events;
mod failures;
mod fairness;
mod hooks;
mod hostile;
mod latency;
mod lifecycle;
mod logging;
mod logging_outcomes;
mod metrics;
mod outliving;
mod recorder;
mod reentrancy;
mod registering;
mod registry;
mod runtime;
mod stages;
mod stuck;
mod waits;
