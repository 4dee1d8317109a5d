//! The HTTP endpoint, and what hostile clients can do to it.

mod client;
mod hostility;
mod load;
mod requests;
