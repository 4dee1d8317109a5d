//! Totals: the metrics of all recorders of a runtime as one value, from which text and other outputs are rendered.
//!
//! The collector sorts recorders into groups and adds them up, `sums` holds the sums of a group, and `removed` those of
//! recorders that are gone. `memory` keeps what later totals have to show again.

mod collector;
mod group;
mod label_slots;
mod labelled;
mod memory;
mod merge;
mod raise;
mod removed;
mod runtime_snapshot;
mod shared_text;
mod sums;
mod value;

pub(crate) use collector::{Collector, ReadRecorder};
pub use group::{GroupTotals, LeftOut, NamespaceRecorders, RecorderTotals};
#[allow(unused_imports, reason = "the feature `openmetrics` uses it")]
pub(crate) use memory::Memory;
pub(crate) use removed::RemovedRecorders;
pub use runtime_snapshot::{RecorderSnapshot, RuntimeSnapshot};
pub use value::{Scope, Totals};
