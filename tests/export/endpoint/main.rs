//! The HTTP service and its endpoint: answers, limits, and failures.

mod client;
mod client_limits;
// Its tests need a shell.
#[cfg(unix)]
mod failures;
mod fixtures;
mod gzip;
mod hosts;
mod page;
mod page_bounds;
mod protobuf;
mod requests;
mod server;
mod service;
mod several;
