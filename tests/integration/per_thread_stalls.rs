//! Recorders with a ring for each thread, while a handler in the thread of a producer does not end. Covers PT7.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use mvx_metrics::{
    Counter, Handoff, Metric, MetricsRecorder, MetricsRecorderError, MetricsRuntime, RecorderOptions,
    metric_event,
};
use mvx_metrics_tests::{Direct, Gate, bounded, eventually, running_runtime};

/// As many events as a ring has room for.
const RING: usize = 256;

#[metric_event]
struct Blocked {
    gate: Gate,
    producer: ThreadId,
}

/// Blocks in the thread of the producer. The runtime's thread may apply some of the events before.
fn blocks(event: &Blocked) -> bool {
    if thread::current().id() == event.producer {
        event.gate.block();
    }
    true
}

#[derive(Metric, Default)]
#[metric(on(Blocked), when = self::blocks)]
struct Blocks {
    total: Counter,
}

#[metric_event]
struct Free;

#[derive(Metric, Default)]
#[metric(on(Free))]
struct Frees {
    total: Counter,
}

fn options() -> RecorderOptions {
    RecorderOptions::new().handoff(Handoff::PerThread)
}

/// Runs `during` while a producer is in a handler that does not end. Returns how many events the producer has emitted.
fn with_blocked_producer(recorder: &MetricsRecorder, during: impl FnOnce()) -> u64 {
    let gate = Gate::new();
    recorder.metric::<Blocks>().expect("registers");
    let producer = {
        let (recorder, gate) = (recorder.clone(), gate.clone());
        thread::spawn(move || {
            let producer = thread::current().id();
            let mut emitted = 0;
            while gate.arrivals() == 0 {
                recorder.emit(Blocked { gate: gate.clone(), producer });
                emitted += 1;
            }
            emitted
        })
    };
    gate.wait_for_arrival();
    during();
    gate.open();
    producer.join().expect("it does not panic")
}

fn is_stalled<T>(result: &Result<T, MetricsRecorderError>) -> bool {
    matches!(result, Err(MetricsRecorderError::Stalled { .. }))
}

#[test]
fn pt7_readers_and_registrations_give_up_while_other_threads_emit() {
    bounded(|| {
        let runtime = running_runtime("pt7");
        let recorder = runtime.create_recorder_with("shared", options()).expect("creates");
        let other = runtime.create_recorder("other").expect("creates");
        let is_done = AtomicBool::new(false);
        let mut emitted = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    for _ in 0..RING {
                        recorder.emit(Free);
                    }
                    other.emit(Free);
                    thread::sleep(Duration::from_millis(1));
                }
            });
            emitted = with_blocked_producer(&recorder, || {
                let flushes = scope.spawn(|| is_stalled(&recorder.flush().wait()));
                let registers = scope.spawn(|| is_stalled(&recorder.register_metric(Frees::default())));
                let read = recorder.metric_snapshots();
                assert!(is_stalled(&read), "{read:?}");
                assert!(registers.join().expect("it does not panic"));
                assert!(flushes.join().expect("it does not panic"));
                let stats = recorder.stats();
                assert!(stats.pending > 0);
                runtime.snapshot().expect("it shows the recorder as it is");
            });
            is_done.store(true, Ordering::Relaxed);
        });
        assert_eq!(recorder.metric::<Blocks>().and_then(|m| m.snapshot()).expect("reads").total, emitted);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt7_a_reader_of_a_recorder_without_a_runtime_gives_up() {
    bounded(|| {
        let direct = Direct::new();
        let recorder = direct.recorder(options());
        let emitted = with_blocked_producer(&recorder, || assert!(is_stalled(&recorder.metric_snapshots())));
        assert_eq!(recorder.metric::<Blocks>().and_then(|m| m.snapshot()).expect("reads").total, emitted);
        recorder.stop().wait().expect("stops");
    });
}

#[test]
fn pt7_other_recorders_of_the_runtime_go_on() {
    bounded(|| {
        let runtime = running_runtime("pt7");
        let recorder = runtime.create_recorder_with("shared", options()).expect("creates");
        let other = runtime.create_recorder("other").expect("creates");
        let frees = other.metric::<Frees>().expect("registers");
        with_blocked_producer(&recorder, || {
            for round in 1..=3 {
                thread::sleep(Duration::from_millis(100));
                other.emit(Free);
                eventually("the other recorder is processed", || other.stats().processed == round);
            }
        });
        assert_eq!(frees.snapshot().expect("reads").total, 3);
        runtime.shutdown().expect("shuts down");
    });
}

#[test]
fn pt7_a_shutdown_ends_within_its_timeout() {
    bounded(|| {
        let timeout = Duration::from_millis(300);
        let runtime = MetricsRuntime::builder("pt7").shutdown_timeout(timeout).build().expect("valid");
        runtime.start().expect("starts");
        let recorder = runtime.create_recorder_with("shared", options()).expect("creates");
        with_blocked_producer(&recorder, || {
            let before = Instant::now();
            runtime.shutdown().expect_err("the recorder does not stop");
            assert!(before.elapsed() < timeout + Duration::from_millis(1_500), "{:?}", before.elapsed());
            assert!(recorder.stats().accepted >= 256);
        });
    });
}
