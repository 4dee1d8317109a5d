//! What works in WebAssembly, which has no threads. `.ci/targets` runs it: with a system, and without one.

use std::time::Duration;

use mvx_metrics::{
    Counter, Histogram, Metric, MetricsRecorder, MetricsRecorderError, MetricsRuntime, MetricsRuntimeError,
    MetricsRecorderState, MetricsRuntimeState, QueueOverflowPolicy, RecorderOptions, Sum, metric_event,
};
use tokio::runtime::Builder;

#[metric_event]
struct RowRead {
    bytes: u64,
}

#[derive(Metric, Default)]
#[metric(on(RowRead))]
struct Rows {
    total: Counter,
    #[dimension(value = bytes)]
    bytes: Sum<u64>,
    #[dimension(value = bytes)]
    sizes: Histogram<u64>,
}

fn main() {
    disabled_recorders_accept_everything();
    a_runtime_does_not_start();
    if cfg!(target_os = "unknown") {
        a_direct_recorder_is_refused();
    } else {
        a_direct_recorder_works();
        a_full_queue_does_not_block();
    }
    println!("passed");
}

fn disabled_recorders_accept_everything() {
    let recorder = MetricsRecorder::disabled();
    let rows = recorder.metric::<Rows>().expect("accepted");
    recorder.emit(RowRead { bytes: 8 });
    recorder.register_event(RowRead { bytes: 8 }).expect("accepted");
    drop(recorder.emit_on_drop(RowRead { bytes: 8 }));
    recorder.flush().wait().expect("nothing to flush");
    recorder.stop().wait().expect("nothing to stop");
    assert_eq!(rows.snapshot().expect("reads").total, 0);
    assert_eq!(recorder.stats().rejected, 0);
}

/// It needs a thread.
fn a_runtime_does_not_start() {
    let runtime = MetricsRuntime::new("wasm").expect("a valid namespace");
    let error = runtime.start().expect_err("there are no threads");
    assert!(matches!(error, MetricsRuntimeError::Startup { .. }), "{error}");
    assert_eq!(runtime.status(), MetricsRuntimeState::Failure);
    runtime.create_recorder("a").expect_err("it does not run");
    runtime.snapshot().expect_err("it does not run");
    runtime.shutdown().expect_err("it has failed");
}

/// It needs a clock.
fn a_direct_recorder_is_refused() {
    let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
    let created = tokio.block_on(async { MetricsRecorder::new("a", RecorderOptions::new()) });
    assert!(matches!(created, Err(MetricsRecorderError::LoopUnavailable)));
}

fn a_direct_recorder_works() {
    const ROWS: u64 = 10_000;
    let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    tokio.block_on(async {
        let options = RecorderOptions::new().queue_max_size(64);
        let recorder = MetricsRecorder::new("rows", options).expect("inside of tokio");
        let rows = recorder.metric::<Rows>().expect("registers");
        for _ in 0..ROWS {
            recorder.register_event_async(RowRead { bytes: 8 }).await.expect("accepted");
        }
        let snapshot = rows.snapshot().expect("reads");
        assert_eq!((snapshot.total, snapshot.bytes, snapshot.sizes.count), (ROWS, 8 * ROWS, ROWS));
        recorder.flush().await.expect("flushes");
        recorder.stop().await.expect("stops");
        assert_eq!(recorder.status(), MetricsRecorderState::Stopped);
        recorder.emit(RowRead { bytes: 8 });
        recorder.start().await.expect("starts again");
        recorder.emit(RowRead { bytes: 8 });
        // Its own task applies the event.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed, stats.rejected), (ROWS + 1, ROWS + 1, 1));
    });
}

/// No other thread can make room.
fn a_full_queue_does_not_block() {
    let tokio = Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    tokio.block_on(async {
        let options =
            RecorderOptions::new().queue_max_size(2).queue_overflow_policy(QueueOverflowPolicy::Error);
        let recorder = MetricsRecorder::new("full", options).expect("inside of tokio");
        recorder.register_event(RowRead { bytes: 8 }).expect("room for two");
        recorder.register_event(RowRead { bytes: 8 }).expect("room for two");
        let refused = recorder.register_event(RowRead { bytes: 8 }).expect_err("it is full");
        assert!(matches!(refused.error(), MetricsRecorderError::QueueOverflow { limit: 2 }));
        let refused = recorder
            .register_event_blocking(RowRead { bytes: 8 }, Duration::from_secs(1))
            .expect_err("this thread would have to make room");
        assert!(matches!(refused.error(), MetricsRecorderError::WouldDeadlock));
        // A wait applies the pending events itself.
        recorder.flush().wait().expect("flushes");
        recorder.stop().wait().expect("stops");
        assert_eq!(recorder.stats().processed, 2);
    });
}
