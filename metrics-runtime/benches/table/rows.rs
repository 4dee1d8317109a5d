//! The rows of the table.

mod batch;
mod fan_out;
mod handoff;
mod machine;
mod producers;
mod recorders;
mod snapshot;
mod steady_state;

use crate::event_loop::OneRecorder;
use crate::ours::OurLoop;
use crate::peers::PortLoop;
use crate::report::Report;

type Ours = OneRecorder<OurLoop>;
pub type Port = OneRecorder<PortLoop>;

/// One row: its title, the meaning of its figures, and the function that measures and prints them.
pub struct Row {
    pub title: &'static str,
    pub measure: &'static str,
    pub print: fn(&Report),
}

/// All rows in the order of the table.
pub const ROWS: [Row; 15] = [
    Row {
        title: "the machine",
        measure: "the parts of any handoff between threads, to compare the rest with",
        print: machine::print,
    },
    Row {
        title: "handoff, one producer",
        measure: "ns per event on the producer's thread, bursts of 4,096 within the limit, drained in between",
        print: handoff::one_producer,
    },
    Row {
        title: "handoff, two producers on one recorder",
        measure: "ns per event on each producer's thread, bursts of 4,096 at once, drained in between",
        print: handoff::two_producers,
    },
    Row {
        title: "handoff of a lone event while traffic is recent",
        measure: "ns per call 50 us after the one before, less what reading the clock costs",
        print: handoff::lone,
    },
    Row {
        title: "sustained, one producer",
        measure: "ns per event until the last one is applied, nothing dropped: a refused event is offered again",
        print: handoff::sustained_by_one,
    },
    Row {
        title: "sustained, two producers on one recorder",
        measure: "ns per event of both until the last one is applied, nothing dropped",
        print: handoff::sustained_by_two,
    },
    Row {
        title: "steady pace, one producer",
        measure: "events refused because the runtime thread came too late",
        print: handoff::paced,
    },
    Row {
        title: "batch, two producers that wait for room",
        measure: "ns per item of both until the last one is applied, nothing dropped",
        print: batch::print,
    },
    Row {
        title: "producers, calls",
        measure: "ns per event on each producer's thread, bursts of 4,096 at once, drained in between",
        print: producers::calls,
    },
    Row {
        title: "producers, CPU",
        measure: "ns of CPU per event: the producers in their bursts, and all other threads",
        print: producers::cpu,
    },
    Row {
        title: "fan-out, producer",
        measure: "ns per event on the producer's thread, bursts of 4,096 within the limit, drained in between",
        print: fan_out::producer,
    },
    Row {
        title: "fan-out, runtime thread",
        measure: "ns per event for draining 10,000 events that are already there",
        print: fan_out::runtime_thread,
    },
    Row {
        title: "snapshot of one recorder",
        measure: "median time until the snapshot is there; pending events are applied before",
        print: snapshot::print,
    },
    Row {
        title: "recorders",
        measure: "memory before the first event without metrics; 100,000 of them created, then idle",
        print: recorders::print,
    },
    Row {
        title: "steady state",
        measure: "allocations of all threads, bursts of 4,096 after a warm-up, drained in between",
        print: steady_state::print,
    },
];
