//! `register_event` and `emit`: states, the pending limit, both overflow policies, accounting, the trait `Recorder`.
//! Covers RE1, RE2, RE4 to RE12; `recorder.rs` has RE3.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mvx_metrics::testing::CaptureRecorder;
use mvx_metrics::{
    MetricsRecorder, MetricsRecorderError, MetricsRecorderState, QueueOverflowPolicy, Recorder,
    RecorderOptions, RecorderStats, Registered,
};
use mvx_metrics_tests::{
    Act, Direct, Drops, Gate, Gated, HooksAndListener, Journal, Other, Script, Step, Steps, bounded,
    bounded_async, eventually, in_threads, running_runtime,
};

use MetricsRecorderState::{Running, Starting, Stopped};

#[test]
fn re1_an_event_starts_a_virgin() {
    bounded(|| {
        let application = Direct::new();
        let script = Script::new();
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        eventually("the recorder runs", || recorder.status() == Running);
        recorder.flush().wait().expect("flushes");
        assert_eq!(hook_log.entries(), ["starting", "steps 1"]);
    });
}

#[test]
fn re1_the_first_events_of_many_threads_start_a_virgin_once() {
    bounded(|| {
        for _ in 0..20 {
            let application = Direct::new();
            let script = Script::new();
            let hook_log = script.hook_log();
            let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
            in_threads(8, |_| recorder.register_event(Step(1)).expect("accepted"));
            recorder.flush().wait().expect("flushes");
            assert_eq!((hook_log.count("starting"), recorder.stats().processed), (1, 8));
        }
    });
}

#[test]
fn re2_events_are_kept_while_starting() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let journal = Journal::new();
        recorder.register_metric(journal.clone()).expect("registers");
        let start = recorder.start();
        gate.wait_for_arrival();
        for step in 0..1_000 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        assert_eq!(recorder.status(), Starting);
        assert_eq!((recorder.stats().pending, recorder.stats().processed), (1_000, 0));
        assert!(journal.numbers().is_empty());
        gate.open();
        start.wait().expect("starts");
        recorder.flush().wait().expect("flushes");
        assert_eq!(journal.numbers(), (0..1_000).collect::<Vec<_>>());
    });
}

#[test]
fn re2_events_kept_while_starting_are_discarded_when_the_start_fails() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::WaitAndFail(gate.clone(), "no publisher"));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let drops = Drops::new();
        for _ in 0..10 {
            recorder.register_event(drops.event()).expect("accepted");
        }
        let flush = recorder.flush();
        gate.open();
        let error = flush.wait().expect_err("the start failed");
        assert_eq!(error.reason(), "INVALID_RECORDER_STATE");
        eventually("the events are dropped", || drops.dropped() == 10);
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed, stats.discarded, stats.pending), (10, 0, 10, 0));
    });
}

/// A full recorder with that limit. Its consumer is blocked at the gate.
fn full(application: &Direct, limit: usize, policy: QueueOverflowPolicy) -> (MetricsRecorder, Gate) {
    let gate = Gate::new();
    let recorder =
        application.recorder(RecorderOptions::new().queue_max_size(limit).queue_overflow_policy(policy));
    recorder.register_metric(Gated(gate.clone())).expect("registers");
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.register_event(Step(0)).expect("there is room");
    gate.wait_for_arrival();
    for step in 1..limit {
        recorder.register_event(Step(step as u64)).expect("there is room");
    }
    assert_eq!(recorder.stats().pending, limit as u64);
    (recorder, gate)
}

#[test]
fn re4_at_the_limit_the_event_is_handed_back() {
    bounded(|| {
        let application = Direct::new();
        let (recorder, gate) = full(&application, 3, QueueOverflowPolicy::Error);
        let refused = recorder.register_event(Step(77)).expect_err("it is full");
        assert_eq!(refused.reason(), "QUEUE_OVERFLOW");
        assert!(matches!(refused.error(), MetricsRecorderError::QueueOverflow { limit: 3 }));
        assert_eq!(refused.into_event(), Step(77));
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.rejected, stats.dropped), (3, 1, 0));
        assert_eq!(recorder.status(), Running, "an overflow changes nothing else");
        gate.open();
        assert_eq!(Steps::total(&recorder), 3);
    });
}

#[test]
fn re5_at_the_limit_the_event_is_dropped_and_counted_by_type() {
    bounded(|| {
        let application = Direct::new();
        let (recorder, gate) = full(&application, 3, QueueOverflowPolicy::Drop);
        let drops = Drops::new();
        recorder.register_event(Step(77)).expect("dropped without an error");
        recorder.register_event(drops.event()).expect("dropped without an error");
        recorder.register_event(drops.event()).expect("dropped without an error");
        assert_eq!(drops.dropped(), 2);
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.rejected, stats.dropped), (3, 0, 3));
        let dropped: Vec<_> =
            stats.dropped_by_type.iter().map(|(event_type, count)| (&**event_type, *count)).collect();
        assert_eq!(dropped, [("step", 1), ("tracked", 2)]);
        gate.open();
        assert_eq!(Steps::total(&recorder), 3);
    });
}

/// Checks the accounting identity, and that no count falls between two reads of the stats.
fn check(before: &RecorderStats, now: &RecorderStats, limit: u64) {
    assert!(now.pending <= limit, "{now:?}");
    assert_eq!(now.accepted, now.processed + now.discarded + now.pending, "{now:?}");
    assert_eq!(now.dropped, now.dropped_by_type.values().sum::<u64>(), "{now:?}");
    let never_falls = |value: fn(&RecorderStats) -> u64| value(before) <= value(now);
    assert!(never_falls(|stats| stats.accepted), "{before:?} {now:?}");
    assert!(never_falls(|stats| stats.processed), "{before:?} {now:?}");
    assert!(never_falls(|stats| stats.dropped), "{before:?} {now:?}");
    assert!(never_falls(|stats| stats.rejected), "{before:?} {now:?}");
    assert!(never_falls(|stats| stats.discarded), "{before:?} {now:?}");
}

/// Several threads emit the same number of events while another thread reads the stats. At rest every call is accounted for.
fn race(recorder: &MetricsRecorder, threads: usize, events: u64, limit: u64) -> RecorderStats {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut before = recorder.stats();
            while !done.load(Ordering::Relaxed) {
                let now = recorder.stats();
                check(&before, &now, limit);
                before = now;
            }
        });
        in_threads(threads, |_| {
            for step in 0..events {
                recorder.emit(Step(step));
            }
        });
        done.store(true, Ordering::Relaxed);
        watcher.join().expect("the identities hold");
    });
    recorder.flush().wait().expect("flushes");
    let stats = recorder.stats();
    check(&RecorderStats::default(), &stats, limit);
    assert_eq!(stats.accepted + stats.dropped + stats.rejected, threads as u64 * events);
    assert_eq!((stats.pending, stats.accepted), (0, stats.processed + stats.discarded));
    stats
}

#[test]
fn re6_pending_never_exceeds_a_limit_of_4_with_8_threads() {
    bounded(|| {
        let runtime = running_runtime("re6");
        for policy in [QueueOverflowPolicy::Drop, QueueOverflowPolicy::Error] {
            let options = RecorderOptions::new().queue_max_size(4).queue_overflow_policy(policy);
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            recorder.register_metric(Steps::default()).expect("registers");
            let stats = race(&recorder, 8, 5_000, 4);
            assert_eq!(Steps::total(&recorder), stats.processed);
            runtime.stop_and_remove_recorder("a").expect("stops");
        }
    });
}

#[test]
fn re7_room_made_is_usable_at_once() {
    bounded_async(|| async {
        let options = RecorderOptions::new().queue_max_size(2);
        let recorder = MetricsRecorder::new("x", options).expect("inside of tokio");
        recorder.register_metric(Steps::default()).expect("registers");
        for round in 1..=500 {
            recorder.register_event(Step(1)).expect("there is room");
            recorder.register_event(Step(2)).expect("there is room");
            assert_eq!(recorder.stats().pending, 2);
            recorder.register_event(Step(3)).expect_err("it is full");
            assert_eq!(Steps::total(&recorder), 2 * round);
            assert_eq!(recorder.stats().pending, 0);
        }
    });
}

#[test]
fn re7_pending_falls_event_by_event() {
    bounded(|| {
        let application = Direct::new();
        let gates = [Gate::new(), Gate::new()];
        let script = Script::new().changed(Act::Wait(gates[0].clone())).changed(Act::Wait(gates[1].clone()));
        let recorder =
            application.recorder(RecorderOptions::new().queue_max_size(2).hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("there is room");
        recorder.register_event(Step(2)).expect("there is room");
        gates[0].wait_for_arrival();
        recorder.register_event(Step(3)).expect_err("it is full");
        gates[0].open();
        gates[1].wait_for_arrival();
        assert_eq!(recorder.stats().pending, 1);
        recorder.register_event(Step(3)).expect("there is room");
        gates[1].open();
        recorder.flush().wait().expect("flushes");
        assert_eq!(Steps::total(&recorder), 3);
    });
}

#[test]
fn re8_the_accounting_holds_while_racing_into_a_failure() {
    bounded(|| {
        for hooks in [false, true] {
            let application = Direct::new();
            let options = RecorderOptions::new()
                .queue_max_size(64)
                .metric_failure_policy(mvx_metrics::MetricFailurePolicy::FailRecorder);
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = application.recorder(options);
            recorder.register_metric(mvx_metrics_tests::Fragile::at(777)).expect("registers");
            let done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let watcher = scope.spawn(|| {
                    let mut before = recorder.stats();
                    while !done.load(Ordering::Relaxed) {
                        let now = recorder.stats();
                        check(&before, &now, 64);
                        before = now;
                    }
                });
                in_threads(4, |_| {
                    for step in 0..2_000 {
                        recorder.emit(Step(step));
                        std::thread::yield_now();
                    }
                });
                eventually("nothing is pending", || recorder.stats().pending == 0);
                done.store(true, Ordering::Relaxed);
                watcher.join().expect("the identities hold");
            });
            let stats = recorder.stats();
            assert_eq!(stats.accepted + stats.dropped + stats.rejected, 8_000);
            assert_eq!(stats.accepted, stats.processed + stats.discarded);
        }
    });
}

#[test]
fn re9_emit_swallows_errors_and_counts_them() {
    bounded(|| {
        let application = Direct::new();
        let (recorder, gate) = full(&application, 2, QueueOverflowPolicy::Error);
        recorder.emit(Step(1));
        assert_eq!(recorder.stats().rejected, 1);
        gate.open();
        recorder.stop().wait().expect("stops");
        let drops = Drops::new();
        recorder.emit(drops.event());
        assert_eq!((recorder.stats().rejected, drops.dropped()), (2, 1));
        assert_eq!(recorder.status(), Stopped);
    });
}

#[test]
fn re10_8_threads_hand_over_100_000_events_each() {
    bounded(|| {
        let runtime = running_runtime("re10");
        let options = RecorderOptions::new().queue_max_size(1 << 20);
        let recorder = runtime.create_recorder_with("a", options).expect("creates");
        recorder.register_metric(Steps::default()).expect("registers");
        let stats = race(&recorder, 8, 100_000, 1 << 20);
        assert_eq!((stats.accepted, stats.processed), (800_000, 800_000));
        let steps = recorder.metric_snapshot::<Steps>().expect("reads").expect("it is there");
        assert_eq!((steps.total, steps.sum), (800_000, 8 * 99_999 * 50_000));
    });
}

#[test]
fn re11_a_disabled_recorder_accepts_and_does_nothing() {
    bounded(|| {
        let recorder = MetricsRecorder::disabled();
        let drops = Drops::new();
        assert_eq!(recorder.register_metric(Steps::default()).expect("accepts"), Registered::Added);
        recorder.register_event(drops.event()).expect("accepts");
        recorder.emit(drops.event());
        assert_eq!(drops.dropped(), 2);
        assert!(recorder.metric_snapshots().expect("reads").is_empty());
        assert!(recorder.metrics().expect("reads").is_empty());
        assert!(recorder.metric_snapshot::<Steps>().expect("reads").is_none());
        assert_eq!(recorder.stats(), RecorderStats::default());
        recorder.start().wait().expect("nothing to start");
        recorder.flush().wait().expect("nothing to flush");
        recorder.stop().wait().expect("nothing to stop");
        recorder.register_event(Step(1)).expect("accepts");
    });
}

fn walk(recorder: &impl Recorder) {
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.register_event(Step(1)).expect("accepted");
    recorder.emit(Step(2));
    recorder.emit(Other);
}

fn walk_dyn(recorder: &Arc<dyn Recorder>) {
    recorder.register_metric(Steps::default()).expect("registers");
    recorder.register_event(Step(1)).expect("accepted");
    recorder.emit(Step(2));
    recorder.emit(Other);
}

#[test]
fn re12_code_over_recorder_works_with_both_kinds() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        walk(&recorder);
        assert_eq!(Steps::total(&recorder), 2);
        let recorder = application.recorder(RecorderOptions::new());
        walk_dyn(&(Arc::new(recorder.clone()) as Arc<dyn Recorder>));
        assert_eq!(Steps::total(&recorder), 2);
        let recorder = application.recorder(RecorderOptions::new());
        walk(&(Box::new(recorder.clone()) as Box<dyn Recorder>));
        assert_eq!(Steps::total(&recorder), 2);
        let recorder = application.recorder(RecorderOptions::new());
        walk(&(&recorder as &dyn Recorder));
        assert_eq!(Steps::total(&recorder), 2);

        let capture = CaptureRecorder::new();
        walk(&capture);
        walk_dyn(&(Arc::new(capture.clone()) as Arc<dyn Recorder>));
        assert_eq!(capture.event_types(), ["step", "step", "other", "step", "step", "other"]);
        assert_eq!(capture.take::<Step>(), [Step(1), Step(2), Step(1), Step(2)]);
        assert_eq!((capture.count::<Step>(), capture.count::<Other>()), (0, 2));
        assert_eq!(capture.metric_names(), ["steps"]);
        assert!(Recorder::metric_snapshots(&capture).expect("reads").is_empty());
        capture.clear();
        assert!(capture.event_types().is_empty());
    });
}

#[test]
fn re12_a_refused_event_comes_back_through_the_trait_object() {
    bounded(|| {
        let application = Direct::new();
        let (recorder, gate) = full(&application, 1, QueueOverflowPolicy::Error);
        let narrow: Arc<dyn Recorder> = Arc::new(recorder.clone());
        let refused = narrow.register_event(Step(5)).expect_err("it is full");
        assert_eq!((refused.reason(), refused.into_event()), ("QUEUE_OVERFLOW", Step(5)));
        let refused = Recorder::register_event(&recorder, Step(6)).expect_err("it is full");
        assert_eq!(refused.into_event(), Step(6));
        gate.open();
    });
}
