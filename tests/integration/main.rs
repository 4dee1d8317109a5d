//! The observable behaviours of the contract, through the public API.

mod events;
