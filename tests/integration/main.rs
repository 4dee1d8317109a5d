//! The observable behaviours of the contract, through the public API.

mod events;
mod failures;
mod lifecycle;
mod recorder;
mod stages;
