//! The observable behaviours of the contract, through the public API.

mod capture;
mod events;
mod failures;
mod hooks;
mod lifecycle;
mod logging;
mod metrics;
mod recorder;
mod registering;
mod registry;
mod runtime;
mod stages;
