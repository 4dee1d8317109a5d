//! Producers on all cores hand events to 1,000 recorders that are created, stopped, started, removed and replaced under their
//! hands, whose metrics and hooks panic and fail, while others read and flush them. At the end every event is accounted for,
//! whatever became of its recorder, no call of the API has panicked or hung, and the memory is back to where it was.
//!
//! Run with `cargo test --release -p mvx-metrics-tests --test stress -- --ignored --nocapture`. `MVX_STRESS_SECONDS` says for
//! how long, by default 30. Prints its figures.

mod accounting;
mod fixtures;
mod memory;
mod queue_memory;
mod workload;

use std::panic;
use std::time::{Duration, Instant};

use memory::Memory;

/// What may be in use beyond what was in use after the warm-up: recorders where the standard library, tokio and tracing keep
/// things for good, which the longer run may meet for the first time. Of the recorders, the events and the runtime itself
/// nothing is left then, so this does not grow with the time.
const MOST_KEPT_KIB: i64 = 64;

/// What may be resident beyond that; the exact measure is the other one. The allocator gives memory back to the system by whole
/// pages and keeps some of them for each thread that has ever allocated; how many depends on who freed what when, in both
/// rounds. What grows with the time, and the allocator was never asked for, would still be more within minutes.
const MOST_KEPT_BY_ALLOCATOR_KIB: u64 = 64 * 1_024;

#[test]
#[ignore = "takes as long as MVX_STRESS_SECONDS says, 30 by default, and all cores"]
fn every_event_is_accounted_for_and_memory_comes_back() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<fixtures::PlannedPanic>() {
            report(info);
        }
    }));
    let seconds = std::env::var("MVX_STRESS_SECONDS")
        .ok()
        .map_or(30, |seconds| seconds.parse().expect("MVX_STRESS_SECONDS is a number of seconds"));
    // Once, so that everything is there that stays.
    workload::play(Duration::from_secs(3), 7);
    let before = Memory::now();
    let started = Instant::now();
    let outcome = workload::play(Duration::from_secs(seconds), 1_234_567);
    let elapsed = started.elapsed();
    let workload::Outcome { totals, disturbances, snapshots } = outcome;
    let a_second = u128::from(totals.calls) * 1_000 / elapsed.as_millis().max(1);
    println!("{} calls in {:.1} s, {a_second} a second", totals.calls, elapsed.as_secs_f64());
    assert!(snapshots > 0 && totals.failed > 0 && totals.quarantined > 0 && totals.discarded > 0);
    println!("{totals:#?}\n{disturbances:#?}\n{snapshots} snapshots");
    drop(totals);
    let after = Memory::now();
    println!("memory in KiB: {before:?} after the warm-up, {after:?} at the end");
    assert!(after.in_use <= before.in_use + MOST_KEPT_KIB, "{before:?}, {after:?}");
    if let (Some(before), Some(after)) = (before.resident, after.resident) {
        assert!(after <= before + MOST_KEPT_BY_ALLOCATOR_KIB, "{before} KiB, {after} KiB");
    }
}
