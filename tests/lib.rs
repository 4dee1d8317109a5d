//! Helpers of the integration tests: bounded waits, gates, scripted hooks, events and hand-written metrics.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "helpers of tests panic to fail the test"
)]

/// The helpers. The UI cases use none, so `trybuild` need not build what they depend on.
#[cfg(not(trybuild))]
#[path = "support/all.rs"]
mod all;
#[cfg(not(trybuild))]
pub use all::*;

/// The code blocks of the documents compile and run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../ARCHITECTURE.md")]
    struct Architecture;
    #[doc = include_str!("../CONTRIBUTING.md")]
    struct Contributing;
    #[doc = include_str!("../docs/contract.md")]
    struct Contract;
}

pub mod strict;
