//! Snapshots of a runtime, and their exposition as text.
//!
//! The contract is the section "Adapters at the edge". Its behaviours have no ids of their own in the first part; the head of
//! each file names its topic, and the ids of the second part that it covers.

mod continuity;
mod custom_dimensions;
mod fixtures;
mod golden;
mod handwritten;
mod health;
mod many_recorders;
mod rollup;
mod runtime_snapshot;
mod skipped;
mod slow_readers;
mod values;
