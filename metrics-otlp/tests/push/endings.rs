//! The last push: at a shutdown, at a drop, after the end of the runtime.

use std::time::{Duration, Instant};

use mvx_metrics::{
    HookError, MetricsRecorderState, MetricsRuntime, MetricsRuntimeState, RecorderContext, RecorderHooks,
    RecorderOptions,
};
use mvx_metrics_otlp::{OtlpError, Temporality};
use mvx_metrics_tests::collector::{FakeCollector, Reply, Then};
use mvx_metrics_tests::{Gate, bounded, eventually};

use crate::support::{Hits, hit, hits, hits_in, options, start};

/// The last number of hits that a collector has got.
fn last_hits(collector: &FakeCollector) -> Vec<i64> {
    collector.requests().last().map(hits_in).unwrap_or_default()
}

#[test]
fn ot4_a_shutdown_pushes_the_last_state() {
    bounded(|| {
        for temporality in [Temporality::Cumulative, Temporality::Delta] {
            let collector = FakeCollector::accepting();
            let (runtime, recorder) = hits("last");
            let pusher = start(&runtime, options(&collector).temporality(temporality));
            hit(&recorder, 2);
            pusher.push().expect("a collector that takes all");
            hit(&recorder, 3);
            let stats = pusher.shutdown(Duration::from_secs(5)).expect("a collector that takes all");
            assert_eq!((stats.successes, stats.failures), (2, 0));
            assert_eq!(last_hits(&collector), [if temporality == Temporality::Delta { 3 } else { 5 }]);
        }
    });
}

#[test]
fn ot4_a_shutdown_ends_in_time_when_the_collector_hangs() {
    bounded(|| {
        let collector = FakeCollector::start(|_, _| Reply::raw("", Then::Hang));
        let (runtime, _recorder) = hits("hangs");
        let pusher = start(&runtime, options(&collector));
        let begin = Instant::now();
        let error = pusher.shutdown(Duration::from_millis(300)).expect_err("no answer");
        assert!(matches!(error, OtlpError::TimedOut { .. }), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    });
}

#[test]
fn ot4_a_request_that_hangs_gives_way_to_the_last_push() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number {
            0 => Reply::raw("", Then::Hang),
            _ => Reply::success(),
        });
        let (runtime, recorder) = hits("gives way");
        // The timeout of the request is far longer than that of the shutdown.
        let pusher = start(&runtime, options(&collector).interval(Duration::from_secs(1)));
        collector.wait_for(1);
        hit(&recorder, 9);
        let stats = pusher.shutdown(Duration::from_millis(600)).expect("the second connection answers");
        assert_eq!(last_hits(&collector), [9]);
        assert_eq!((stats.successes, stats.failures, stats.pushes), (1, 1, 2));
    });
}

#[test]
fn ot4_a_retry_gives_way_to_the_last_push() {
    bounded(|| {
        let collector = FakeCollector::start(|number, _| match number {
            0 => Reply::http(503, "Retry-After: 30\r\n", b""),
            _ => Reply::success(),
        });
        let (runtime, recorder) = hits("retry");
        let pusher = start(&runtime, options(&collector).interval(Duration::from_secs(1)));
        collector.wait_for(1);
        hit(&recorder, 9);
        pusher.shutdown(Duration::from_secs(5)).expect("the second answer");
        assert_eq!(last_hits(&collector), [9]);
    });
}

#[test]
fn ot4_the_final_state_is_pushed_after_the_runtime_was_shut_down() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let (runtime, recorder) = hits("closed");
        let pusher = start(&runtime, options(&collector));
        hit(&recorder, 4);
        runtime.shutdown().expect("a shutdown");
        pusher.shutdown(Duration::from_secs(5)).expect("a collector that takes all");
        assert_eq!(last_hits(&collector), [4]);
    });
}

#[test]
fn ot4_a_pusher_does_not_keep_its_runtime_running_and_pushes_its_final_state() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let (runtime, recorder) = hits("dropped");
        let pusher = start(&runtime, options(&collector));
        hit(&recorder, 4);
        drop(runtime);
        assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
        pusher.push().expect("a collector that takes all");
        assert_eq!(last_hits(&collector), [4]);
        pusher.shutdown(Duration::from_secs(5)).expect("a collector that takes all");
    });
}

/// A hook that ends when the test lets it.
struct Held(Gate);

impl RecorderHooks for Held {
    async fn on_stopped(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
        self.0.pass().await;
        Ok(())
    }
}

#[test]
fn ot4_a_shutdown_of_the_runtime_in_progress_is_waited_for() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let runtime = mvx_metrics_tests::running_runtime("stopping");
        let gate = Gate::new();
        let held = RecorderOptions::new().hooks(Held(gate.clone()));
        let recorder = runtime.create_recorder_with("one", held).expect("a recorder");
        recorder.metric::<Hits>().expect("a metric");
        hit(&recorder, 6);
        let pusher = start(&runtime, options(&collector));
        std::thread::scope(|scope| {
            let stopping = scope.spawn(|| runtime.shutdown());
            eventually("the runtime stops", || runtime.status() == MetricsRuntimeState::Stopping);
            let ended = scope.spawn(|| pusher.shutdown(Duration::from_secs(20)));
            gate.open();
            stopping.join().expect("no panic").expect("a shutdown");
            ended.join().expect("no panic").expect("a collector that takes all");
        });
        assert_eq!(last_hits(&collector), [6]);
    });
}

#[test]
fn ot4_a_drop_pushes_the_last_state() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let (runtime, recorder) = hits("drop");
        let pusher = start(&runtime, options(&collector));
        hit(&recorder, 5);
        drop(pusher);
        assert_eq!(last_hits(&collector), [5]);
    });
}

#[test]
fn ot4_a_drop_ends_in_time_when_the_collector_hangs() {
    bounded(|| {
        let collector = FakeCollector::start(|_, _| Reply::raw("", Then::Hang));
        let (runtime, _recorder) = hits("drop hangs");
        let pusher = start(&runtime, options(&collector));
        let begin = Instant::now();
        drop(pusher);
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    });
}

#[test]
fn ot4_a_runtime_that_never_ran_has_nothing_to_push() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let runtime = MetricsRuntime::new("virgin").expect("a namespace");
        let pusher = start(&runtime, options(&collector));
        let error = pusher.shutdown(Duration::from_secs(5)).expect_err("no totals");
        assert_eq!(error.reason(), "OTLP_TOTALS_UNAVAILABLE");
        assert!(collector.requests().is_empty());
    });
}

#[test]
fn ot4_a_shutdown_without_any_time_ends_at_once() {
    bounded(|| {
        let collector = FakeCollector::start(|_, _| Reply::raw("", Then::Hang));
        let (runtime, _recorder) = hits("at once");
        let pusher = start(&runtime, options(&collector));
        let begin = Instant::now();
        pusher.shutdown(Duration::ZERO).expect_err("no time");
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    });
}

#[test]
fn ot4_a_timeout_that_the_clock_cannot_count_to_is_a_long_one() {
    bounded(|| {
        let collector = FakeCollector::accepting();
        let (runtime, _recorder) = hits("long");
        let pusher = start(&runtime, options(&collector));
        pusher.shutdown(Duration::MAX).expect("a collector that takes all");
    });
}
