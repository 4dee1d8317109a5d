//! The pusher, against fake collectors on loopback.

mod answers;
mod broken_answers;
mod endings;
mod log;
mod scheduling;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod unreachable;
