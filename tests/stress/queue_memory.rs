//! The memory of a queue is bounded by its limit, for events of any size and in any number.

use std::panic;
use std::sync::{Mutex, PoisonError};

use mvx_metrics::{
    MetricEvent, MetricsRecorder, MetricsRuntime, QueueOverflowPolicy, RecorderOptions, RecorderStats,
};
use mvx_metrics_tests::{Gate, Gated, Step, bounded, eventually, in_threads, running_runtime};

use crate::fixtures::PlannedPanic;
use crate::memory::Memory;

/// The tests of this program measure the same allocator, so they run one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// 256 slots of a cache line.
const SEGMENT_KIB: i64 = 16;
/// What a queue takes at once when it needs more than a runtime keeps. Only used pages of it are resident.
const CHUNK_KIB: i64 = 2_049 * (SEGMENT_KIB * 1_024 + 64) / 1_024;
/// How much a runtime keeps of the segments that its recorders have used.
const POOL_KIB: i64 = 1_024;
/// For threads of the test, names of event types, and allocations of the standard library.
const SLACK_KIB: i64 = 64;

struct Small;

struct Wide(#[expect(dead_code, reason = "bulk")] [u64; 512]);

#[repr(align(4096))]
struct Aligned;

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        // As `panic!`, without the panic hook.
        panic::resume_unwind(Box::new(PlannedPanic));
    }
}

impl MetricEvent for Small {
    const EVENT_TYPE: &'static str = "small";
}

impl MetricEvent for Wide {
    const EVENT_TYPE: &'static str = "wide";
}

impl MetricEvent for Aligned {
    const EVENT_TYPE: &'static str = "aligned";
}

impl MetricEvent for PanicsOnDrop {
    const EVENT_TYPE: &'static str = "panics_on_drop";
}

/// A running runtime with its thread blocked at the gate, and one of its recorders.
fn held_up(options: RecorderOptions) -> (MetricsRuntime, MetricsRecorder, Gate) {
    let runtime = running_runtime("bounds");
    let (held, gate) = (runtime.create_recorder("held").expect("a fresh id"), Gate::new());
    let recorder = runtime.create_recorder_with("flooded", options).expect("a fresh id");
    held.register_metric(Gated(gate.clone())).expect("registers");
    held.emit(Step(1));
    gate.wait_for_arrival();
    (runtime, recorder, gate)
}

/// Two threads offer `count` events to a full queue.
fn flood<E: MetricEvent>(policy: QueueOverflowPolicy, count: u64, make: fn() -> E) {
    const LIMIT: u64 = 1_000;
    let options = RecorderOptions::new().queue_max_size(1_000).queue_overflow_policy(policy);
    let (runtime, recorder, gate) = held_up(options);
    (0..LIMIT).for_each(|_| assert!(recorder.register_event(make()).is_ok(), "there is room"));
    recorder.emit(make());
    let before = Memory::now().in_use;
    in_threads(2, |_| {
        for number in 0..count / 2 {
            match recorder.register_event(make()) {
                Ok(()) => assert_eq!(policy, QueueOverflowPolicy::Drop),
                Err(error) => {
                    assert_eq!(policy, QueueOverflowPolicy::Error);
                    assert_eq!(error.error().reason(), "QUEUE_OVERFLOW");
                    // The error hands the event back, and the test drops it.
                    let _ = panic::catch_unwind(panic::AssertUnwindSafe(|| drop(error.into_event())));
                }
            }
            if number % 10_000 == 0 {
                let now = Memory::now().in_use;
                assert!(now <= before + SLACK_KIB, "{}: {before} KiB, then {now} KiB", E::EVENT_TYPE);
            }
        }
    });
    let after = Memory::now().in_use;
    assert!(after <= before + 1, "{}: {before} KiB, then {after} KiB", E::EVENT_TYPE);
    gate.open();
    recorder.flush().wait().expect("flushes");
    let RecorderStats { accepted, processed, pending, dropped, rejected, .. } = recorder.stats();
    assert_eq!((accepted, processed, pending), (LIMIT, LIMIT, 0));
    let refused = match policy {
        QueueOverflowPolicy::Drop => (count + 1, 0),
        QueueOverflowPolicy::Error => (0, count + 1),
        other => unreachable!("not tested: {other:?}"),
    };
    assert_eq!((dropped, rejected), refused);
    assert!(recorder.register_event(make()).is_ok(), "there is room again");
    runtime.shutdown().expect("everything stops");
}

#[test]
fn a_full_queue_takes_no_memory_for_further_events_of_any_size() {
    const FLOOD: u64 = 1_000_000;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for policy in [QueueOverflowPolicy::Drop, QueueOverflowPolicy::Error] {
        bounded(move || flood(policy, FLOOD, || Small));
        bounded(move || flood(policy, FLOOD / 10, || Wide([0; 512])));
        bounded(move || flood(policy, FLOOD / 10, || Aligned));
        // Fewer, because unwinding is slow.
        bounded(move || flood(policy, FLOOD / 100, || PanicsOnDrop));
    }
}

#[test]
fn a_burst_takes_the_memory_of_its_segments_and_gives_it_back() {
    const LIMIT: u32 = 100_000;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    bounded(|| {
        let (runtime, recorder, gate) = held_up(RecorderOptions::new().queue_max_size(LIMIT as usize));
        let Memory { in_use: before, resident: resident_before } = Memory::now();
        (0..LIMIT).for_each(|_| assert!(recorder.register_event(Small).is_ok(), "there is room"));
        let Memory { in_use, resident } = Memory::now();
        let segments = i64::from(LIMIT.div_ceil(256) + 1);
        let full = in_use - before;
        assert!(full <= CHUNK_KIB + SLACK_KIB, "{full} KiB for {LIMIT} events");
        assert!(full >= (segments - 1) * SEGMENT_KIB, "{full} KiB: is this the queue's memory?");
        if let (Some(before), Some(now)) = (resident_before, resident) {
            let full = now.cast_signed() - before.cast_signed();
            // Twice, because a sanitizer keeps memory of its own for each page.
            assert!(full <= 2 * segments * SEGMENT_KIB, "{full} KiB resident for {LIMIT} events");
        }
        gate.open();
        for round in 0..10 {
            recorder.flush().wait().expect("flushes");
            // The first burst waited at the gate, so it used the whole chunk. Of a later one the consumer may take so much
            // meanwhile that few segments of a chunk were used; then one such chunk stays.
            let chunk = if round == 0 { 0 } else { CHUNK_KIB };
            let kept = || Memory::now().in_use - before;
            eventually("the queue's memory comes back", || {
                kept() <= POOL_KIB + chunk + SEGMENT_KIB + SLACK_KIB
            });
            (0..LIMIT).for_each(|_| recorder.emit(Wide([0; 512])));
        }
        recorder.flush().wait().expect("flushes");
        assert_eq!(recorder.stats().dropped, 0);
        runtime.shutdown().expect("everything stops");
    });
}
