//! Snapshots of a runtime and their exposition as text.

mod golden;
mod health;
mod held;
mod hostile;
mod own;
mod rollup;
mod scale;
mod snapshot;
mod steady;
mod traffic;
