//! Recorders that take no event: disabled, stopped, failed and cancelled ones. Covers RS2.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mvx_metrics::{
    MetricFailurePolicy, MetricsRecorder, MetricsRecorderError, MetricsRecorderState, Recorder,
    RecorderOptions, RecorderStats,
};
use mvx_metrics_tests::{Direct, Drops, Fragile, Step, Steps, bounded, in_threads, running_runtime};

use MetricsRecorderState::{Cancelled, Failure, Stopped};

const THREADS: usize = 4;
const EVENTS: u64 = 10_000;

/// Every thread hands over events in both ways. Answers how many events there were.
fn hand_over(recorder: &MetricsRecorder, is_accepted: bool) -> u64 {
    in_threads(THREADS, |_| {
        for number in 0..EVENTS {
            recorder.emit(Step(number));
            assert_eq!(recorder.register_event(Step(number)).is_ok(), is_accepted);
        }
    });
    2 * THREADS as u64 * EVENTS
}

#[test]
fn rs2_a_disabled_recorder_counts_nothing() {
    bounded(|| {
        let recorder = MetricsRecorder::disabled();
        hand_over(&recorder, true);
        let none: Option<MetricsRecorder> = None;
        none.emit(Step(1));
        none.register_event(Step(1)).expect("accepted");
        assert_eq!(recorder.stats(), RecorderStats::default());
    });
}

#[test]
fn rs2_a_stopped_recorder_counts_every_event_of_many_threads_as_rejected() {
    bounded(|| {
        let runtime = running_runtime("rs2");
        let recorder = runtime.create_recorder("stopped").expect("a fresh id");
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.emit(Step(1));
        recorder.stop().wait().expect("stops");
        let rejected = hand_over(&recorder, false);
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed, stats.rejected), (1, 1, rejected));
        assert_eq!((recorder.status(), Steps::total(&recorder)), (Stopped, 1));
    });
}

#[test]
fn rs2_a_failed_recorder_counts_every_event_and_says_why() {
    bounded(|| {
        let application = Direct::new();
        let policy = MetricFailurePolicy::FailRecorder;
        let recorder = application.recorder(RecorderOptions::new().metric_failure_policy(policy));
        recorder.register_metric(Fragile::at(1)).expect("registers");
        recorder.emit(Step(1));
        recorder.flush().wait().expect_err("the metric fails the recorder");
        let rejected = hand_over(&recorder, false);
        assert_eq!((recorder.status(), recorder.stats().rejected), (Failure, rejected));
        let refused = recorder.register_event(Step(2)).expect_err("it has failed");
        let MetricsRecorderError::InvalidState { state: Failure, cause: Some(cause), .. } = refused.error()
        else {
            panic!("{refused:?}");
        };
        assert_eq!(cause.reason(), "METRIC_FAILED");
    });
}

#[test]
fn rs2_a_cancelled_recorder_counts_every_event_and_says_why() {
    bounded(|| {
        let mut application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        recorder.start().wait().expect("starts");
        application.end();
        let rejected = hand_over(&recorder, false);
        assert_eq!((recorder.status(), recorder.stats().rejected), (Cancelled, rejected));
        let refused = recorder.register_event(Step(2)).expect_err("it is cancelled");
        let MetricsRecorderError::InvalidState { state: Cancelled, cause: Some(cause), .. } = refused.error()
        else {
            panic!("{refused:?}");
        };
        assert_eq!(cause.reason(), "DISPATCHER_UNEXPECTEDLY_CANCELLED");
    });
}

#[test]
fn rs2_every_refused_event_is_dropped_once() {
    bounded(|| {
        let runtime = running_runtime("rs2");
        let stopped = runtime.create_recorder("stopped").expect("a fresh id");
        stopped.stop().wait().expect("stops");
        for recorder in [stopped, MetricsRecorder::disabled()] {
            let drops = Drops::new();
            recorder.emit(drops.event());
            assert_eq!(drops.dropped(), 1);
            Some(recorder).emit(drops.event());
            assert_eq!(drops.dropped(), 2);
        }
    });
}

/// Producers meet the queue closed, being closed, and reopened.
#[test]
fn rs2_no_event_is_lost_or_counted_twice_when_restarts_race_with_producers() {
    bounded(|| {
        const RESTARTS: u64 = 200;
        let runtime = running_runtime("rs2");
        let options = RecorderOptions::new().queue_max_size(1 << 20);
        let recorder = runtime.create_recorder_with("restarted", options).expect("a fresh id");
        recorder.register_metric(Steps::default()).expect("registers");
        let (ended, accepted, refused) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        let emitted: u64 = in_threads(3, |thread| {
            if thread == 0 {
                for _ in 0..RESTARTS {
                    recorder.stop().wait().expect("stops");
                    recorder.start().wait().expect("starts again");
                    recorder.register_event(Step(0)).expect("a call after the restart is accepted");
                    let before = recorder.stats().accepted;
                    recorder.emit(Step(0));
                    assert!(recorder.stats().accepted > before, "also this one");
                }
                ended.store(true, Ordering::Relaxed);
                return 2 * RESTARTS;
            }
            let mut emitted = 0;
            while !ended.load(Ordering::Relaxed) {
                recorder.emit(Step(0));
                match recorder.register_event(Step(0)) {
                    Ok(()) => accepted.fetch_add(1, Ordering::Relaxed),
                    Err(_) => refused.fetch_add(1, Ordering::Relaxed),
                };
                emitted += 2;
            }
            emitted
        })
        .into_iter()
        .sum();
        recorder.flush().wait().expect("flushes");
        let stats = recorder.stats();
        assert_eq!(stats.accepted + stats.rejected + stats.dropped, emitted);
        assert!(stats.accepted >= accepted.into_inner() + 2 * RESTARTS);
        assert!(stats.rejected >= refused.into_inner());
        assert_eq!(Steps::total(&recorder), stats.accepted);
    });
}
