//! What the library does in and with the program's allocator. Covers RS1, RS3, RS4, PT4, ST13 and HX4, and looks for leaks.

mod allocator;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use mvx_metrics::{
    AnyEvent, Breakdown, Counter, HandleEvent, Handoff, Label, Metric, MetricsRecorder, MetricsRuntime,
    QueueOverflowPolicy, Recorder, RecorderOptions, RegisterEventError, TypedMetric, metric_event,
};
use mvx_metrics_tests::{
    Gate, Gated, HooksAndListener, Script, Step, bounded, eventually, in_threads, running_runtime,
};

use crate::allocator::{
    Allocation, blocks_allocated_by, bytes_in_use, emitting, emitting_everywhere, held_up_at, observe_with,
    release, wait_for_held_thread,
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
/// How long a test measures what a held-up producer costs.
const HELD_TIME: Duration = Duration::from_millis(300);
/// 256 slots of a cache line, and a line with the next segment.
const SEGMENT_BYTES: usize = 257 * 64;
/// The first block of segments of a runtime, with room to align them.
const FIRST_CHUNK_BYTES: usize = 64 * SEGMENT_BYTES + 64;

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
        observe_with(vec![recorder.clone()]);
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

/// Recorders with full queues: a handler of each blocks at the gate.
fn full_recorders(runtime: &MetricsRuntime, gate: &Gate) -> Vec<MetricsRecorder> {
    let recorder =
        runtime.create_recorder_with("full", RecorderOptions::new().queue_max_size(1)).expect("a fresh id");
    recorder.register_metric(Gated(gate.clone())).expect("it runs");
    recorder.emit(Step(0));
    gate.wait_for_arrival();
    recorder.emit(Step(1));
    vec![recorder]
}

#[test]
fn rs3_threads_that_wait_for_each_other_in_emit_may_allocate_meanwhile() {
    let _alone = alone();
    let dropped = bounded(|| {
        let runtime = running_runtime("allocator");
        let gate = Gate::new();
        let recorders = full_recorders(&runtime, &gate);
        observe_with(recorders.clone());
        emitting_everywhere(|| {
            for _ in 0..20 {
                in_threads(48, |_| {
                    for size in 0..500 {
                        drop(std::hint::black_box(Vec::<u8>::with_capacity(size + 1)));
                    }
                });
            }
        });
        gate.open();
        runtime.shutdown().expect("everything stops");
        recorders[0].stats().dropped
    });
    assert!(dropped >= 20 * 48 * 2 * 500, "{dropped}");
}

/// Goes through the life of a recorder and of a runtime. Every step allocates, and so emits to recorders in the same state.
fn live(namespace: &str, recorder: &MetricsRecorder) {
    let ignored = |result: Result<(), mvx_metrics::MetricsRecorderError>| drop(result);
    for round in 0..100 {
        ignored(recorder.register_metric(Allocations::default()).map(drop));
        recorder.emit(LARGE);
        ignored(recorder.flush().wait());
        ignored(recorder.metric_snapshots().map(drop));
        drop((recorder.stats(), recorder.metrics()));
        ignored(recorder.stop().wait());
        ignored(recorder.start().wait());
        if round % 10 == 0 {
            let runtime = running_runtime(namespace);
            let options = RecorderOptions::new().hooks_and_listener(Script::new());
            let hooked = runtime.create_recorder_with("hooked", options).expect("a fresh id");
            hooked.register_metric(Both::default()).expect("it runs");
            hooked.emit(LARGE);
            hooked.flush().wait().expect("it runs");
            runtime.create_recorder("plain").expect("a fresh id").emit(Small);
            drop(runtime.snapshot().expect("it runs"));
            runtime.stop_and_remove_recorder("plain").expect("it stops");
            runtime.shutdown().expect("everything stops");
        }
    }
}

#[test]
fn rs3_every_call_may_allocate_while_every_thread_emits() {
    let _alone = alone();
    bounded(|| {
        let runtime = running_runtime("allocator");
        let options = |limit| RecorderOptions::new().queue_max_size(limit).poll_interval(Duration::ZERO);
        let mut recorders: Vec<_> = [3, 300, 30_000]
            .map(|limit| {
                runtime.create_recorder_with(&format!("limit {limit}"), options(limit)).expect("a fresh id")
            })
            .into();
        // Its hooks allocate too, and so feed themselves.
        let hooked = options(30).hooks_and_listener(Script::new());
        recorders.push(runtime.create_recorder_with("hooked", hooked).expect("a fresh id"));
        observe_with(recorders.clone());
        emitting_everywhere(|| {
            in_threads(8, |thread| live(&format!("life {thread}"), &recorders[thread % recorders.len()]));
            runtime.shutdown().expect("everything stops");
        });
        for recorder in recorders {
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.pending), (stats.processed + stats.discarded, 0));
            assert!(stats.accepted > 0);
        }
    });
}

#[test]
fn rs3_an_allocator_may_emit_into_the_rings_of_all_threads() {
    let _alone = alone();
    bounded(|| {
        let runtime = running_runtime("allocator");
        let options = RecorderOptions::new().handoff(Handoff::PerThread);
        let recorder = runtime.create_recorder_with("shared", options).expect("a fresh id");
        recorder.register_metric(Allocations::default()).expect("it runs");
        observe_with(vec![recorder.clone()]);
        emitting_everywhere(|| {
            in_threads(8, |_| {
                for size in 0..2_000 {
                    drop(std::hint::black_box(Vec::<u8>::with_capacity(size + 1)));
                    if size % 100 == 0 {
                        recorder.emit(LARGE);
                        drop(recorder.metric_snapshots().map(drop));
                    }
                }
            });
            drop(recorder.stop().wait());
            runtime.shutdown().expect("everything stops");
        });
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.pending), (stats.processed + stats.discarded, 0));
        assert!(stats.accepted >= 8 * 2 * 2_000, "{stats:?}");
    });
}

/// How long the threads of this name have run on a processor. `None` where the system does not tell.
fn processor_time(name: &str) -> Option<Duration> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?.flatten();
    let is_meant = |comm: &str| comm.trim_end() == name;
    let times = tasks
        .map(|task| task.path())
        .filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| is_meant(&comm)))
        .map(|task| {
            let schedule = std::fs::read_to_string(task.join("schedstat")).ok()?;
            schedule.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
        });
    times.sum()
}

/// A thread emits `event` and is held up in an allocation of `size` bytes; another one emits and reads.
fn held_up<E: mvx_metrics::MetricEvent>(event: E, size: usize) {
    let _alone = alone();
    bounded(move || {
        let runtime = running_runtime("held");
        let recorder = runtime.create_recorder("held").expect("a fresh id");
        recorder.register_metric(Both::default()).expect("it runs");
        let producer = {
            let recorder = recorder.clone();
            thread::spawn(move || held_up_at(size, || recorder.emit(event)))
        };
        wait_for_held_thread();
        recorder.emit(Small);
        let before = seen(&recorder);
        // The system cuts the name of a thread.
        let used = || processor_time("held.metrics_ru");
        let used_before = used();
        thread::sleep(HELD_TIME);
        let used_after = used();
        release();
        producer.join().expect("no panic");
        assert_eq!(before, 1, "the event of the thread that is not held up");
        assert_eq!(seen(&recorder), 2);
        if let (Some(before), Some(after)) = (used_before, used_after) {
            assert!(before > Duration::ZERO, "the event loop's thread was found");
            let used = after.saturating_sub(before);
            assert!(used < HELD_TIME / 10, "the event loop used {used:?} of the processor");
        }
        runtime.shutdown().expect("everything stops");
    });
}

#[test]
fn rs4_a_producer_held_up_in_the_box_of_a_large_event_holds_up_no_reader() {
    held_up(LARGE, size_of::<Large>());
}

#[test]
fn rs4_a_producer_held_up_in_the_allocation_of_segments_holds_up_no_reader() {
    held_up(Small, FIRST_CHUNK_BYTES);
}

#[test]
fn rs1_a_recorder_takes_at_most_a_kibibyte_before_its_first_event() {
    const RECORDERS: i64 = 4_000;
    let _alone = alone();
    bounded(|| {
        let runtime = running_runtime("allocator");
        let before = bytes_in_use();
        let create = |number| runtime.create_recorder(&format!("recorder {number}")).expect("a fresh id");
        let recorders: Vec<MetricsRecorder> = (0..RECORDERS).map(create).collect();
        let each = (bytes_in_use() - before) / RECORDERS;
        assert!(each <= 1_024, "{each} bytes");
        drop(recorders);
        runtime.shutdown().expect("everything stops");
    });
}

#[test]
fn rs1_the_first_event_after_a_pause_allocates_nothing() {
    let _alone = alone();
    bounded(|| {
        for options in [RecorderOptions::new().queue_max_size(1 << 28), per_thread()] {
            // A direct recorder parks at once.
            let tokio = tokio::runtime::Builder::new_current_thread().build().expect("a tokio runtime");
            let recorder = {
                let _inside = tokio.enter();
                MetricsRecorder::new("pauses", options).expect("valid options")
            };
            for round in 0..10 {
                let blocks = blocks_allocated_by(|| recorder.emit(Small));
                assert!(blocks == 0 || round == 0, "{blocks} blocks in round {round}");
                tokio.block_on(async { recorder.flush().await.expect("it runs") });
                // The recorder's task parks the queue.
                tokio.block_on(async {
                    for _ in 0..10 {
                        tokio::task::yield_now().await;
                    }
                });
            }
        }
    });
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

#[test]
fn rs2_a_refused_event_allocates_nothing() {
    let _alone = alone();
    bounded(|| {
        let runtime = running_runtime("allocator");
        let stopped = runtime.create_recorder("stopped").expect("a fresh id");
        stopped.stop().wait().expect("it stops");
        for recorder in [stopped, MetricsRecorder::disabled()] {
            let emits = || {
                recorder.emit(Small);
                recorder.emit(LARGE);
            };
            assert_eq!(blocks_allocated_by(emits), 0);
        }
        runtime.shutdown().expect("everything stops");
    });
}

/// A recorder of the user's own.
struct Passes<R>(R);

impl<R: Recorder> Recorder for Passes<R> {
    fn register_any<'a>(&self, event: AnyEvent<'a>) -> Result<(), RegisterEventError<AnyEvent<'a>>> {
        self.0.register_any(event)
    }

    fn wrapped(&self) -> Option<&dyn Recorder> {
        Some(&self.0)
    }
}

#[test]
fn hx4_an_event_on_its_way_through_trait_objects_is_not_boxed() {
    let _alone = alone();
    bounded(|| {
        let runtime = running_runtime("allocator");
        let recorder = runtime.create_recorder("a").expect("a fresh id");
        let narrow: Arc<dyn Recorder> = Arc::new(recorder.clone());
        let passed: Arc<dyn Recorder> = Arc::new(Passes(Arc::clone(&narrow)));
        // The first event takes a segment. The first one that wakes the runtime may take a place in the run queue.
        for _ in 0..10 {
            recorder.emit(Small);
            recorder.flush().wait().expect("it runs");
        }
        for recorder in [&narrow, &passed] {
            assert_eq!(blocks_allocated_by(|| recorder.emit(Small)), 0);
        }
        recorder.flush().wait().expect("it runs");
        assert_eq!(recorder.stats().accepted, 12);
        runtime.shutdown().expect("everything stops");
    });
}

#[derive(Label, Clone, Copy)]
enum Size {
    Small,
    Medium,
    Large,
}

#[metric_event]
struct Sized {
    size: Size,
    is_new: bool,
}

#[derive(Metric, Default)]
#[metric(on(Sized))]
struct BySize {
    #[dimension(by(size, is_new))]
    by_size: Breakdown<(Size, bool), Counter>,
}

#[test]
fn st13_zeros_take_no_memory_in_the_metric() {
    let mut metric = None;
    assert_eq!(blocks_allocated_by(|| metric = Some(BySize::default())), 0);
    let mut metric = metric.expect("it was created");
    assert_eq!(metric.typed_snapshot().by_size.len(), 6);
    assert_eq!(metric.snapshot().dimensions.len(), 1);
    // The slots of all labels are one block. It is allocated by the first event, and not by reading.
    let sizes = [Size::Small, Size::Medium, Size::Large];
    let blocks =
        sizes.map(|size| blocks_allocated_by(|| assert!(metric.handle(&Sized { size, is_new: true }))));
    assert_eq!(blocks, [1, 0, 0]);
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

fn per_thread() -> RecorderOptions {
    RecorderOptions::new().handoff(Handoff::PerThread)
}

#[test]
fn pt4_threads_that_end_leave_no_ring_and_no_part_behind() {
    let _alone = alone();
    bounded(|| {
        let recorders = Mutex::new(None);
        assert_leaves_nothing(300, |runtime| {
            let mut recorder = recorders.lock().unwrap_or_else(PoisonError::into_inner);
            let recorder = recorder.get_or_insert_with(|| {
                let recorder = runtime.create_recorder_with("shared", per_thread()).expect("a fresh id");
                recorder.register_metric(Both::default()).expect("it runs");
                recorder
            });
            in_threads(4, |_| (0..600).for_each(|_| recorder.emit(Small)));
            recorder.flush().wait().expect("it runs");
        });
    });
}

#[test]
fn pt4_recorders_that_end_leave_nothing_behind_in_threads_that_go_on() {
    let _alone = alone();
    bounded(|| {
        assert_leaves_nothing(300, |runtime| {
            let recorder = runtime.create_recorder_with("shared", per_thread()).expect("a fresh id");
            recorder.register_metric(Both::default()).expect("it runs");
            (0..600).for_each(|_| recorder.emit(Small));
            recorder.emit(LARGE);
            drop(recorder);
            runtime.stop_and_remove_recorder("shared").expect("it stops");
        });
    });
}

#[test]
fn rs1_a_quiet_recorder_gives_the_rings_of_its_threads_back() {
    let _alone = alone();
    bounded(|| {
        let runtime = running_runtime("allocator");
        let recorder = runtime.create_recorder_with("shared", per_thread()).expect("a fresh id");
        recorder.register_metric(Both::default()).expect("it runs");
        // The lists of the event loop, which all recorders share.
        let other = runtime.create_recorder_with("other", per_thread()).expect("a fresh id");
        other.emit(Small);
        other.flush().wait().expect("it runs");
        eventually("the other recorder is quiet", || other.stats().pending == 0);
        std::thread::sleep(Duration::from_millis(100));
        let before = bytes_in_use();
        recorder.emit(Small);
        eventually("the recorder is quiet", || bytes_in_use() - before < 1_024);
        recorder.emit(Small);
        assert_eq!(seen(&recorder), 2);
        runtime.shutdown().expect("everything stops");
    });
}
