//! Stress. Producers on all cores emit to 1,000 recorders. Other threads create, stop, start, remove, replace, read and flush
//! the recorders meanwhile; their metrics and hooks fail. At the end every event is accounted for, no call has panicked or
//! hung, and no memory is left. No ids; accounting, single drops, and the memory of a queue.
//!
//! Run with `cargo test --release -p mvx-metrics-tests --test stress -- --ignored --nocapture`. `MVX_STRESS_SECONDS` sets the
//! duration, by default 30. The test prints its figures.

mod accounting;
mod fixtures;
mod memory;
mod queue_memory;
mod workload;

use std::panic;
use std::time::{Duration, Instant};

use memory::Memory;

/// How much more memory than after the warm-up may be allocated. The standard library, tokio and tracing keep some of what
/// the longer run makes them allocate for the first time. It does not grow with the duration.
const MAX_GROWTH_KIB: i64 = 64;

/// How much more memory than after the warm-up may be resident. The allocator returns whole pages only, and keeps pages for
/// each thread that ever allocated, so this measure is coarse. A leak that bypasses the allocator still shows within minutes.
const MAX_RESIDENT_GROWTH_KIB: u64 = 64 * 1_024;

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
    // The warm-up allocates what stays for the life of the process.
    workload::run(Duration::from_secs(3), 7);
    let before = Memory::now();
    let started = Instant::now();
    let outcome = workload::run(Duration::from_secs(seconds), 1_234_567);
    let elapsed = started.elapsed();
    let workload::Outcome { totals, disturbances, snapshots } = outcome;
    let a_second = u128::from(totals.calls) * 1_000 / elapsed.as_millis().max(1);
    println!("{} calls in {:.1} s, {a_second} a second", totals.calls, elapsed.as_secs_f64());
    assert!(snapshots > 0 && totals.failed > 0 && totals.quarantined > 0 && totals.discarded > 0);
    println!("{totals:#?}\n{disturbances:#?}\n{snapshots} snapshots");
    drop(totals);
    let after = Memory::now();
    println!("memory in KiB: {before:?} after the warm-up, {after:?} at the end");
    assert!(after.in_use <= before.in_use + MAX_GROWTH_KIB, "{before:?}, {after:?}");
    if let (Some(before), Some(after)) = (before.resident, after.resident) {
        assert!(after <= before + MAX_RESIDENT_GROWTH_KIB, "{before} KiB, {after} KiB");
    }
}
