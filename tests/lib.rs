//! Helpers of the integration tests: bounded waits, gates, scripted hooks, events and hand-written metrics.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "helpers of tests panic to fail the test"
)]

#[path = "support/capture.rs"]
pub mod capture;
#[path = "support/collector.rs"]
pub mod collector;
#[path = "support/deadline.rs"]
pub mod deadline;
#[path = "support/environment.rs"]
pub mod environment;
#[path = "support/fixtures.rs"]
pub mod fixtures;
#[path = "support/gate.rs"]
pub mod gate;
#[allow(missing_docs, reason = "the messages have documents of their own")]
#[path = "support/messages.rs"]
pub mod messages;
#[path = "support/script.rs"]
pub mod script;
#[path = "support/visits.rs"]
pub mod visits;

pub use deadline::{bounded, bounded_async, eventually, in_threads};
pub use environment::{Direct, running_runtime};
pub use fixtures::{
    CallsOnce, Drops, Fragile, Gated, GatedSnapshot, Journal, Other, SnapshotPanics, Step, Steps,
    StepsSnapshot, Tracked,
};
pub use gate::Gate;
pub use script::{Act, HookLog, HooksAndListener, Script};

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
