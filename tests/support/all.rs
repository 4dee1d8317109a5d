//! All helpers.

#[path = "capture.rs"]
pub mod capture;
#[path = "collector.rs"]
pub mod collector;
#[path = "deadline.rs"]
pub mod deadline;
#[path = "environment.rs"]
pub mod environment;
#[path = "fixtures.rs"]
pub mod fixtures;
#[path = "gate.rs"]
pub mod gate;
#[path = "handwritten.rs"]
pub mod handwritten;
#[allow(missing_docs, reason = "the messages have documents of their own")]
#[path = "messages.rs"]
pub mod messages;
#[path = "script.rs"]
pub mod script;
#[path = "visits.rs"]
pub mod visits;

pub use self::deadline::{bounded, bounded_async, eventually, in_threads};
pub use self::environment::{Direct, running_runtime};
pub use self::fixtures::{
    CallsOnce, Drops, Fragile, Gated, GatedSnapshot, Journal, Other, SnapshotPanics, Step, Steps,
    StepsSnapshot, Tracked,
};
pub use self::gate::Gate;
pub use self::handwritten::Handwritten;
pub use self::script::{Act, HookLog, HooksAndListener, Script};
