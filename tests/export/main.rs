//! Snapshots of a runtime, and their exposition as text.
//!
//! They check what the contract says under "Adapters at the edge". The head of each file names its topic, and the ids of the
//! behaviours it covers, where they have ids.

mod after_shutdown;
mod by_metric;
mod catalogue;
mod continuity;
mod custom_dimensions;
mod dimensions;
mod distinct;
mod everything;
mod fixtures;
mod further;
mod golden;
mod handwritten;
mod health;
mod hostile;
mod labels;
mod late_reads;
mod many_recorders;
mod means;
mod merging;
mod process;
mod protobuf;
mod pushed;
mod recent;
mod replaced;
mod rollup;
mod round_trip;
mod runtime_snapshot;
mod samples;
mod several_runtimes;
mod skipped;
mod slow_readers;
mod time_units;
mod times;
mod top;
mod totals;
mod values;
mod zeros;
