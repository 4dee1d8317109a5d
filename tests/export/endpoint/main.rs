//! The HTTP endpoint: its answers, its limits, and its failures.

mod client;
mod client_limits;
mod failures;
mod fixtures;
mod overload;
mod requests;
