//! What the library does in and with the program's allocator. Covers RS3 and RS4, and looks for leaks.

mod allocator;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use mvx_metrics::{
    Counter, Metric, MetricsRecorder, MetricsRuntime, QueueOverflowPolicy, RecorderOptions, metric_event,
};
use mvx_metrics_tests::{Gate, Gated, Step, bounded, running_runtime};

use crate::allocator::{
    Allocation, blocks_allocated_by, bytes_in_use, emitting, held_up_at, observe_with, release,
    wait_for_held_thread,
};

/// The tests of this program share one allocator.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does not fit a slot, and has nothing to drop.
#[metric_event]
struct Large {
    bulk: [u64; 77],
}

#[metric_event]
struct Small;

const LARGE: Large = Large { bulk: [0; 77] };
/// 256 slots of a cache line.
const SEGMENT_BYTES: usize = 256 * 64;

#[derive(Metric, Default)]
#[metric(on(Allocation))]
struct Allocations {
    seen: Counter,
}

#[derive(Metric, Default)]
#[metric(on(Small), on(Large))]
struct Both {
    seen: Counter,
}

fn seen(recorder: &MetricsRecorder) -> u64 {
    recorder.metric_snapshot::<Both>().expect("it can be read").expect("it is registered").seen
}

#[test]
fn rs3_an_allocator_that_emits_an_event_for_each_block_does_not_deadlock() {
    let _alone = alone();
    let accepted = bounded(|| {
        let runtime = running_runtime("allocator");
        let recorder = runtime
            .create_recorder_with("observer", RecorderOptions::new().queue_max_size(1_000_000))
            .expect("a fresh id");
        recorder.register_metric(Allocations::default()).expect("it runs");
        observe_with(recorder.clone());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                thread::spawn(|| {
                    emitting(|| {
                        for size in 0..5_000 {
                            drop(std::hint::black_box(Vec::<u8>::with_capacity(size + 1)));
                        }
                    });
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
        recorder.stop().wait().expect("it stops");
        let snapshot =
            recorder.metric_snapshot::<Allocations>().expect("it can be read").expect("it is registered");
        assert_eq!(snapshot.seen, recorder.stats().accepted);
        runtime.shutdown().expect("everything stops");
        recorder.stats().accepted
    });
    assert!(accepted >= 4 * 2 * 5_000, "{accepted}");
}

/// A thread emits `event` and is held up in an allocation of `size` bytes; another one emits and reads.
fn held_up<E: mvx_metrics::MetricEvent>(event: E, size: usize) {
    let _alone = alone();
    bounded(move || {
        let runtime = running_runtime("allocator");
        let recorder = runtime.create_recorder("held").expect("a fresh id");
        recorder.register_metric(Both::default()).expect("it runs");
        let producer = {
            let recorder = recorder.clone();
            thread::spawn(move || held_up_at(size, || recorder.emit(event)))
        };
        wait_for_held_thread();
        recorder.emit(Small);
        let before = seen(&recorder);
        release();
        producer.join().expect("no panic");
        assert_eq!(before, 1, "the event of the thread that is not held up");
        assert_eq!(seen(&recorder), 2);
        runtime.shutdown().expect("everything stops");
    });
}

#[test]
fn rs4_a_producer_held_up_in_the_box_of_a_large_event_holds_up_no_reader() {
    held_up(LARGE, size_of::<Large>());
}

#[test]
fn rs4_a_producer_held_up_in_the_allocation_of_a_segment_holds_up_no_reader() {
    held_up(Small, SEGMENT_BYTES);
}

#[test]
fn a_large_event_that_is_dropped_is_not_boxed_first() {
    let _alone = alone();
    bounded(|| {
        let disabled = MetricsRecorder::disabled();
        disabled.emit(LARGE);
        assert_eq!(blocks_allocated_by(|| disabled.emit(LARGE)), 0, "a closed queue");

        let runtime = running_runtime("allocator");
        let (gate, options) = (Gate::new(), RecorderOptions::new().queue_max_size(2));
        let recorder = runtime.create_recorder_with("full", options).expect("a fresh id");
        recorder.register_metric(Gated(gate.clone())).expect("it runs");
        recorder.emit(Step(0));
        gate.wait_for_arrival();
        (0..2).for_each(|_| recorder.emit(LARGE));
        assert_eq!(blocks_allocated_by(|| recorder.emit(LARGE)), 0, "a full queue");
        assert_eq!(recorder.stats().dropped, 2);
        gate.open();
        runtime.shutdown().expect("everything stops");
    });
}

/// Runs `round` a few times to fill caches, then many times; fails when these leave memory behind.
fn assert_leaves_nothing(rounds: i64, mut round: impl FnMut(&MetricsRuntime)) {
    let runtime = running_runtime("allocator");
    (0..3).for_each(|_| round(&runtime));
    let before = bytes_in_use();
    (0..rounds).for_each(|_| round(&runtime));
    let left = bytes_in_use() - before;
    assert!(left < rounds * 64, "{left} bytes after {rounds} rounds");
    runtime.shutdown().expect("everything stops");
}

#[test]
fn large_events_without_a_destructor_leave_nothing_behind() {
    let _alone = alone();
    bounded(|| {
        let recorders = Mutex::new(None);
        assert_leaves_nothing(1_000, |runtime| {
            let mut recorder = recorders.lock().unwrap_or_else(PoisonError::into_inner);
            let recorder =
                recorder.get_or_insert_with(|| runtime.create_recorder("large").expect("a fresh id"));
            recorder.emit(LARGE);
            recorder.flush().wait().expect("it runs");
        });
    });
}

#[test]
fn refused_and_dropped_large_events_leave_nothing_behind() {
    let _alone = alone();
    bounded(|| {
        let stopped = MetricsRecorder::disabled();
        assert_leaves_nothing(1_000, |runtime| {
            stopped.emit(LARGE);
            let options =
                RecorderOptions::new().queue_max_size(1).queue_overflow_policy(QueueOverflowPolicy::Error);
            let recorder = runtime.create_recorder_with("small", options).expect("a fresh id");
            (0..4).for_each(|_| drop(recorder.register_event(LARGE)));
            drop(recorder);
            runtime.stop_and_remove_recorder("small").expect("it stops");
        });
    });
}

#[test]
fn queues_leave_nothing_behind() {
    let _alone = alone();
    bounded(|| {
        assert_leaves_nothing(300, |runtime| {
            let recorder = runtime.create_recorder("short").expect("a fresh id");
            (0..600).for_each(|_| recorder.emit(Small));
            drop(recorder);
            runtime.stop_and_remove_recorder("short").expect("it stops");
        });
    });
}

#[test]
fn recorders_that_end_with_pending_events_leave_nothing_behind() {
    let _alone = alone();
    bounded(|| {
        assert_leaves_nothing(300, |_| {
            let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
            let recorder = {
                let _inside = tokio.enter();
                MetricsRecorder::new("pending", RecorderOptions::new()).expect("valid options")
            };
            (0..10).for_each(|_| recorder.emit(LARGE));
            // The recorder's task is dropped before it was polled.
            drop(tokio);
        });
    });
}
