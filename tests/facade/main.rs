//! The recorder for the facade `metrics`: what its macros record, in all that a runtime shows. Covers FC1 to FC3.

mod bounds;
mod fixtures;
mod handles;
mod install;
mod model;
mod otlp;
mod outputs;
mod reentrancy;
