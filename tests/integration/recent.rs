//! The last seconds of a dimension, in recorders: their clock, many readers, and the end of a recorder. Covers DI7.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mvx_metrics::{
    Counter, DimensionValue, Max, Metric, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, Recent,
    RecorderOptions,
};
use mvx_metrics_tests::{Fragile, HooksAndListener, Script, Step, bounded, running_runtime};
use tokio::runtime::Builder;
use tokio::time::advance;

const MINUTE: Duration = Duration::from_mins(1);

#[derive(Metric, Default)]
#[metric(name = "lately", on(Step))]
struct Lately {
    minute: Recent<Counter, 60>,
    hour: Recent<Counter, 3_600>,
    #[dimension(value = 0)]
    largest: Recent<Max<u64>, 60>,
    second: Recent<Counter, 1>,
}

fn read(recorder: &MetricsRecorder) -> LatelySnapshot {
    recorder.metric_snapshot::<Lately>().expect("it can be read").expect("it is registered")
}

/// The counts of the last minute and of the last hour.
fn counts(recorder: &MetricsRecorder) -> (u64, u64) {
    let snapshot = read(recorder);
    (snapshot.minute, snapshot.hour)
}

fn emit(recorder: &MetricsRecorder, steps: u64) {
    (0..steps).for_each(|step| recorder.emit(Step(step)));
}

fn paused<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    bounded(|| {
        let tokio = Builder::new_current_thread().enable_all().start_paused(true).build();
        tokio.expect("a tokio runtime").block_on(test());
    });
}

fn direct(options: RecorderOptions) -> MetricsRecorder {
    let recorder = MetricsRecorder::new("direct", options).expect("inside of tokio");
    recorder.register_metric(Lately::default()).expect("registers");
    recorder
}

#[test]
fn di7_a_direct_recorder_follows_the_clock_of_tokio() {
    paused(|| async {
        let plain = direct(RecorderOptions::new());
        let listened = direct(RecorderOptions::new().hooks_and_listener(Script::new()));
        for recorder in [plain, listened] {
            emit(&recorder, 500);
            recorder.flush().await.expect("flushes");
            advance(MINUTE).await;
            assert_eq!(counts(&recorder), (500, 500));
            emit(&recorder, 3);
            recorder.flush().await.expect("flushes");
            advance(MINUTE / 10).await;
            assert_eq!((counts(&recorder), read(&recorder).largest.known()), ((3, 503), Some(2)));
            advance(MINUTE).await;
            assert_eq!((counts(&recorder), read(&recorder).largest.known()), ((0, 503), None));
        }
    });
}

#[test]
fn di7_a_stopped_recorder_shows_the_last_seconds_before_its_stop_for_ever() {
    paused(|| async {
        let plain = direct(RecorderOptions::new());
        let hooked = direct(RecorderOptions::new().hooks_and_listener(Script::new()));
        for recorder in [plain, hooked] {
            emit(&recorder, 2);
            recorder.flush().await.expect("flushes");
            advance(MINUTE / 2).await;
            emit(&recorder, 5);
            recorder.stop().await.expect("stops");
            for later in [MINUTE, 100 * MINUTE, Duration::from_hours(24 * 365)] {
                advance(later).await;
                assert_eq!(counts(&recorder), (7, 7), "{later:?} later");
            }
        }
    });
}

#[test]
fn di7_the_time_goes_on_after_a_restart() {
    paused(|| async {
        let recorder = direct(RecorderOptions::new());
        emit(&recorder, 4);
        recorder.stop().await.expect("stops");
        advance(2 * MINUTE).await;
        assert_eq!(counts(&recorder), (4, 4));
        recorder.start().await.expect("starts again");
        assert_eq!(counts(&recorder), (0, 4));
        emit(&recorder, 1);
        assert_eq!(counts(&recorder), (1, 5));
        recorder.stop().await.expect("stops again");
        advance(2 * MINUTE).await;
        assert_eq!(counts(&recorder), (1, 5));
    });
}

#[test]
fn di7_a_failed_recorder_shows_the_last_seconds_before_its_failure() {
    paused(|| async {
        let recorder =
            direct(RecorderOptions::new().metric_failure_policy(MetricFailurePolicy::FailRecorder));
        recorder.register_metric(Fragile::at(3)).expect("registers");
        emit(&recorder, 4);
        recorder.flush().await.expect_err("it fails");
        assert_eq!(recorder.status(), MetricsRecorderState::Failure);
        let at_failure = counts(&recorder);
        assert!(at_failure.0 > 0);
        advance(10 * MINUTE).await;
        assert_eq!(counts(&recorder), at_failure);
    });
}

/// The runtime's own thread is in no tokio runtime of the application.
#[test]
fn di7_a_paused_clock_of_a_reader_is_not_the_clock_of_a_runtime() {
    paused(|| async {
        let runtime = running_runtime("di7.paused");
        let options = [RecorderOptions::new(), RecorderOptions::new().hooks_and_listener(Script::new())];
        for (id, options) in ["plain", "listened"].into_iter().zip(options) {
            let recorder = runtime.create_recorder_with(id, options).expect("creates");
            recorder.register_metric(Lately::default()).expect("registers");
            // A reader does not wait for a listener that runs, so the events are flushed.
            emit(&recorder, 5);
            recorder.flush().wait().expect("flushes");
            assert_eq!(counts(&recorder), (5, 5));
            advance(2 * MINUTE).await;
            assert_eq!(counts(&recorder), (5, 5));
            emit(&recorder, 5);
            recorder.flush().wait().expect("flushes");
            assert_eq!(counts(&recorder), (10, 10));
        }
    });
}

#[test]
fn di7_a_running_recorder_of_a_runtime_forgets() {
    bounded(|| {
        let runtime = running_runtime("di7.running");
        let recorder = runtime.create_recorder("one").expect("creates");
        recorder.register_metric(Lately::default()).expect("registers");
        emit(&recorder, 5);
        assert_eq!(counts(&recorder), (5, 5));
        while read(&recorder).second > 0 {
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(counts(&recorder), (5, 5));
    });
}

#[test]
fn di7_a_stopped_recorder_of_a_runtime_forgets_nothing() {
    bounded(|| {
        let (runtime, recorders) = loop {
            let begin = Instant::now();
            let runtime = running_runtime("di7.frozen");
            let recorders = ["stopped", "shut_down"].map(|id| {
                let recorder = runtime.create_recorder(id).expect("creates");
                recorder.register_metric(Lately::default()).expect("registers");
                emit(&recorder, 5);
                recorder
            });
            recorders[0].stop().wait().expect("stops");
            runtime.shutdown().expect("shuts down");
            // On a busy machine the second may be over before the stop.
            if begin.elapsed() < Duration::from_secs(1) {
                break (runtime, recorders);
            }
        };
        thread::sleep(Duration::from_millis(1_150));
        assert_eq!(recorders.each_ref().map(|recorder| read(recorder).second), [5, 5]);
        let last = runtime.snapshot().expect("the last state");
        for recorder in &last.recorders {
            let second = recorder.metrics.get("lately").and_then(|metric| metric.get("second"));
            assert_eq!(second.and_then(DimensionValue::as_u64), Some(5), "{}", recorder.id);
        }
    });
}

#[test]
fn di7_many_readers_see_the_same_window_while_events_come() {
    const EVENTS: u64 = 20_000;
    const READERS: usize = 8;
    bounded(|| {
        let runtime = running_runtime("di7.readers");
        let recorder = runtime.create_recorder("one").expect("creates");
        recorder.register_metric(Lately::default()).expect("registers");
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| {
                    let mut before = 0;
                    while !is_done.load(Ordering::Acquire) {
                        let snapshot = read(&recorder);
                        assert_eq!(snapshot.minute, snapshot.hour);
                        assert!(snapshot.minute >= before, "reading takes nothing away");
                        before = snapshot.minute;
                    }
                });
            }
            for step in 0..EVENTS {
                recorder.register_event_blocking(Step(step), MINUTE).expect("there is room");
            }
            recorder.flush().wait().expect("flushes");
            is_done.store(true, Ordering::Release);
        });
        let accepted = recorder.stats().accepted;
        assert_eq!(counts(&recorder), (accepted, accepted));
        assert_eq!(read(&recorder).largest.known(), Some(EVENTS - 1));
    });
}
