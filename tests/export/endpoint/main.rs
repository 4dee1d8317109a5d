//! The HTTP service and its endpoint: answers, limits, and failures.

mod client;
mod client_limits;
// Its tests need a shell.
#[cfg(unix)]
mod failures;
mod fixtures;
mod gzip;
mod hosts;
// It reads what Linux tells of threads and memory.
#[cfg(target_os = "linux")]
mod overload;
mod protobuf;
mod requests;
mod server;
mod service;
mod several;
