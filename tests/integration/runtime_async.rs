//! The async twins of the runtime's methods: they do the same, and do not block the caller's executor.
//! Covers `RT_C9`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use mvx_metrics::{MetricsRecorderState, MetricsRuntime, MetricsRuntimeState, RecorderOptions};
use mvx_metrics_tests::{Act, Gate, HooksAndListener, Script, bounded, bounded_async, running_runtime};

use crate::runtime::{assert_threads, eventually_threads};
use MetricsRuntimeState::{Closed, Running, Stopping};

#[test]
fn rt_c9_the_async_twins_do_the_same_without_blocking_the_executor() {
    bounded_async(|| async {
        let gate = Gate::new();
        let runtime = Arc::new(MetricsRuntime::new("rt.c9").expect("a valid namespace"));
        runtime.start_async().await.expect("starts");
        assert_eq!(runtime.status(), Running);
        let plain = runtime.create_recorder_async(" plain ").await.expect("creates");
        assert_eq!(plain.entity_id(), "plain");
        let script = Script::new().starting(Act::Wait(gate.clone())).stopped(Act::Pass);
        let hooked = tokio::spawn({
            let runtime = Arc::clone(&runtime);
            async move {
                runtime
                    .create_recorder_with_async("hooked", RecorderOptions::new().hooks_and_listener(script))
                    .await
            }
        });
        // The caller's executor has one thread, which goes on while the recorder starts.
        gate.arrival().await;
        gate.open();
        let hooked = hooked.await.expect("no panic").expect("creates");
        assert_eq!(hooked.status(), MetricsRecorderState::Running);
        assert_eq!(
            runtime.create_recorder_async("plain").await.expect_err("it exists").reason(),
            "RECORDER_ALREADY_EXISTS"
        );
        runtime.stop_recorder_async("hooked").await.expect("stops");
        assert_eq!(hooked.status(), MetricsRecorderState::Stopped);
        let removed = runtime.stop_and_remove_recorder_async("plain").await.expect("removes");
        assert_eq!(removed.status(), MetricsRecorderState::Stopped);
        assert_eq!(runtime.list_recorder_ids().expect("lists"), ["hooked"]);
        let other = runtime.stop_and_remove_recorder_async("plain").await.expect_err("it is gone");
        assert_eq!(other.reason(), "RECORDER_NOT_FOUND");
        runtime.shutdown_async().await.expect("shuts down");
        assert_eq!(runtime.status(), Closed);
    });
}

#[test]
fn rt_c9_a_shutdown_whose_future_is_dropped_goes_on() {
    bounded_async(|| async {
        let gate = Gate::new();
        let runtime = running_runtime("rt.c9");
        let options =
            RecorderOptions::new().hooks_and_listener(Script::new().stopped(Act::Wait(gate.clone())));
        runtime.create_recorder_with_async("a", options).await.expect("creates");
        {
            let shutdown = pin!(runtime.shutdown_async());
            tokio::select! {
                biased;
                () = gate.arrival() => {}
                _ = shutdown => panic!("the gate is closed"),
            }
        }
        assert_eq!(runtime.status(), Stopping);
        gate.open();
        while runtime.status() == Stopping {
            tokio::task::yield_now().await;
        }
        assert_eq!(runtime.status(), Closed);
    });
}

#[test]
fn rt_c9_a_dropped_start_and_runtime_leave_no_thread() {
    bounded(|| {
        for _ in 0..50 {
            let runtime = MetricsRuntime::new("rt.c9.left").expect("a valid namespace");
            {
                let start = pin!(runtime.start_async());
                // Ready only if the thread was very fast.
                let _ = start.poll(&mut Context::from_waker(Waker::noop()));
            }
            drop(runtime);
        }
        // In this order: the waiting thread starts the other one.
        for thread in ["wait", "metrics_runtime"] {
            eventually_threads("all threads have ended", &format!("rt.c9.left.{thread}"), 0);
        }
    });
}

#[test]
fn rt_c9_a_start_that_is_never_polled_does_not_begin() {
    bounded(|| {
        let runtime = MetricsRuntime::new("rt.c9.unpolled").expect("a valid namespace");
        drop(runtime.start_async());
        assert_eq!(runtime.status(), MetricsRuntimeState::Virgin);
        drop(runtime);
        assert_threads("rt.c9.unpolled.metrics_runtime", 0);
    });
}
