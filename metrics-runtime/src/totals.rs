//! Totals: the metrics of all recorders of a runtime as one value, from which text and other outputs are rendered.
//!
//! The collector sorts recorders into groups and adds them up, `sums` holds the sums of a group, and `removed` those of
//! recorders that are gone. `memory` keeps what later totals have to show again, and `constant_labels` those of the process.
//! `dimension` is what exporters see of totals: one dimension after the other, with those of `health` and the `parts` of values.

mod collector;
mod constant_labels;
mod dimension;
mod group;
mod health;
mod label_slots;
mod labelled;
mod labels_of_both;
mod memory;
mod merge;
mod parts;
mod raise;
mod removed;
mod runtime_snapshot;
mod shared_text;
mod sums;
mod value;

pub(crate) use collector::{Collector, ReadRecorder};
pub(crate) use constant_labels::ConstantLabels;
#[cfg(feature = "openmetrics")]
pub(crate) use constant_labels::{ENTITY_ID, NAMESPACE, REPEATED, RESERVED, check_label_name, is_reserved};
pub use dimension::DimensionTotals;
pub use group::{GroupTotals, LeftOut, NamespaceRecorders, RecorderTotals};
#[cfg(feature = "catalogue")]
pub(crate) use health::{DECLARED as DECLARED_HEALTH, METRIC as HEALTH_METRIC};
pub(crate) use memory::Memory;
#[cfg(feature = "catalogue")]
pub(crate) use parts::for_each_part;
pub(crate) use removed::RemovedRecorders;
pub use runtime_snapshot::{RecorderSnapshot, RuntimeSnapshot};
pub use value::{Scope, Totals};
