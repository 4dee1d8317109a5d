//! The HTTP endpoint: its answers, its limits, and its failures.

mod client;
mod client_limits;
// Its tests need a shell.
#[cfg(unix)]
mod failures;
mod fixtures;
// It reads what Linux tells of threads and memory.
#[cfg(target_os = "linux")]
mod overload;
mod requests;
