//! Covers slow readers: a snapshot that does not return delays only other readers of the same recorder.

use std::thread;

use mvx_metrics::export::{Format, Scope};
use mvx_metrics::{
    EventHandler, HandleEvent, Metric, MetricSnapshot, MetricsRecorder, MetricsRuntime, RecorderHooks,
    RecorderOptions,
};
use mvx_metrics_tests::{Gate, Step, Steps, bounded, eventually};

use crate::fixtures::running;

/// A metric with a snapshot that waits at the gate.
struct Slow(Gate);

impl HandleEvent<Step> for Slow {
    fn handle(&mut self, _: &Step) -> bool {
        true
    }
}

impl Metric for Slow {
    fn metric_name(&self) -> &'static str {
        "slow"
    }

    fn handlers() -> &'static [EventHandler<Self>] {
        const { &[EventHandler::of::<Step>()] }
    }

    fn snapshot(&self) -> MetricSnapshot {
        self.0.block();
        MetricSnapshot::new("slow")
    }
}

struct NoHooks;

impl RecorderHooks for NoHooks {}

/// Reads a slow recorder, and checks that the runtime does everything else meanwhile.
fn check_others_go_on(options: RecorderOptions, read: fn(&MetricsRuntime, &MetricsRecorder)) {
    bounded(move || {
        let (runtime, gate) = (running("shop"), Gate::new());
        let slow = runtime.create_recorder_with("slow", options).expect("the id is free");
        slow.register_metric(Slow(gate.clone())).expect("the recorder runs");
        let other = runtime.create_recorder("other").expect("the id is free");
        other.register_metric(Steps::default()).expect("the recorder runs");
        thread::scope(|scope| {
            let reader = scope.spawn(|| read(&runtime, &slow));
            gate.wait_for_arrival();
            // The event loop gets to this recorder first, and cannot lock it.
            slow.emit(Step(1));
            for _ in 0..3 {
                other.emit(Step(1));
                other.flush().wait().expect("the event loop goes on");
            }
            assert_eq!(Steps::total(&other), 3);
            runtime.create_recorder("third").expect("the id is free");
            runtime.stop_and_remove_recorder("third").expect("it stops");
            assert!(runtime.try_get_recorder("slow").expect("the runtime runs").is_some());
            assert_eq!((slow.stats().processed, reader.is_finished()), (0, false));
            gate.open();
        });
        slow.flush().wait().expect("the event loop goes on");
        assert_eq!(slow.stats().processed, 1);
        runtime.stop_recorder("slow").expect("it stops");
    });
}

fn snapshot(runtime: &MetricsRuntime, _: &MetricsRecorder) {
    runtime.snapshot().expect("the runtime runs");
}

#[test]
fn a_slow_snapshot_of_the_runtime_does_not_delay_others() {
    check_others_go_on(RecorderOptions::new(), snapshot);
}

#[test]
fn a_slow_exposition_does_not_delay_others() {
    check_others_go_on(RecorderOptions::new(), |runtime, _| {
        runtime.exposition(Scope::Rollup, Format::OpenMetrics).expect("the runtime runs");
    });
}

#[test]
fn a_slow_reader_of_one_recorder_does_not_delay_others() {
    check_others_go_on(RecorderOptions::new(), |_, slow| {
        slow.metric_snapshots().expect("reading works");
    });
}

#[test]
fn a_slow_snapshot_of_a_recorder_with_hooks_does_not_delay_others() {
    check_others_go_on(RecorderOptions::new().hooks(NoHooks), snapshot);
}

#[test]
fn a_recorder_that_is_read_stops_after_the_reader_returns() {
    bounded(|| {
        let (runtime, gate) = (running("shop"), Gate::new());
        let slow = runtime.create_recorder("slow").expect("the id is free");
        slow.register_metric(Slow(gate.clone())).expect("the recorder runs");
        thread::scope(|scope| {
            scope.spawn(|| snapshot(&runtime, &slow));
            gate.wait_for_arrival();
            slow.emit(Step(1));
            let stop = slow.stop();
            let other = runtime.create_recorder("other").expect("the id is free");
            other.emit(Step(1));
            other.flush().wait().expect("the event loop goes on");
            gate.open();
            stop.wait().expect("it stops");
        });
        assert_eq!(slow.stats().processed, 1);
        slow.start().wait().expect("it starts again");
        slow.emit(Step(1));
        eventually("the event is processed", || slow.stats().processed == 2);
    });
}
