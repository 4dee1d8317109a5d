//! RC16, RT: recorders that outlive their task, their runtime or their place in its registry.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use mvx_metrics::{
    MetricsRecorder, MetricsRecorderState, MetricsRuntime, MetricsRuntimeState, RecorderOptions,
};
use mvx_metrics_tests::{Drops, Gate, Gated, Script, Step, Steps, bounded, eventually, running_runtime};
use tokio::runtime::Builder;

use crate::runtime::threads_named;
use MetricsRecorderState::{Cancelled, Running, Stopped};

#[test]
fn rc16_a_restart_after_the_task_of_the_run_before_was_aborted() {
    bounded(|| {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let recorder = {
            let _inside = tokio.enter();
            MetricsRecorder::new("direct", RecorderOptions::new()).expect("inside of tokio")
        };
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        // The task never ran, and so has not noticed that it has nothing to do any more.
        assert_eq!(tokio.metrics().num_alive_tasks(), 1);
        drop(tokio);
        assert_eq!(recorder.status(), Stopped, "its end was before that of the task");
        let error = recorder.start().wait().expect_err("there is nowhere to run");
        assert_eq!(error.reason(), "DISPATCHER_UNEXPECTEDLY_CANCELLED");
        assert_eq!(recorder.status(), Cancelled);
        let drops = Drops::new();
        recorder.register_event(drops.event()).expect_err("it does not run");
        assert_eq!((drops.dropped(), Steps::total(&recorder)), (1, 0));
    });
}

#[test]
fn rt_c9_a_start_whose_future_and_runtime_are_dropped_leaves_no_thread() {
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
        eventually("all threads have ended", || {
            threads_named("rt.c9.left.metrics_runtime") + threads_named("rt.c9.left.wait") == 0
        });
    });
}

#[test]
fn rt_c9_a_start_that_is_never_polled_does_not_begin() {
    bounded(|| {
        let runtime = MetricsRuntime::new("rt.c9.unpolled").expect("a valid namespace");
        drop(runtime.start_async());
        assert_eq!(runtime.status(), MetricsRuntimeState::Virgin);
        drop(runtime);
        assert_eq!(threads_named("rt.c9.unpolled.metrics_runtime"), 0);
    });
}

#[test]
fn rt_l1_a_recorder_that_is_started_again_after_its_removal_ends_with_the_runtime() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("rt.l1");
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks(Script::new()) } else { options };
            runtime.create_recorder_with("a", options).expect("creates");
            let recorder = runtime.stop_and_remove_recorder("a").expect("removes");
            recorder.start().wait().expect("starts again");
            recorder.register_metric(Steps::default()).expect("registers");
            // Nothing has asked for a turn of the recorder since, so only its restart is known to the loop.
            assert_eq!((recorder.status(), Steps::total(&recorder)), (Running, 0));
            runtime.shutdown().expect("shuts down");
            assert_eq!(recorder.status(), Cancelled);
            recorder.register_event(Step(1)).expect_err("it has ended");
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.rejected), (0, 1));
            assert_eq!(Steps::total(&recorder), 0);
        }
    });
}

#[test]
fn rt_l1_what_is_pending_in_a_recorder_that_was_removed_is_accounted_for_when_the_runtime_ends() {
    bounded(|| {
        let runtime = running_runtime("rt.l1");
        let gate = Gate::new();
        let blocking = runtime.create_recorder("blocking").expect("creates");
        blocking.register_metric(Gated(gate.clone())).expect("registers");
        runtime.create_recorder("a").expect("creates");
        let recorder = runtime.stop_and_remove_recorder("a").expect("removes");
        recorder.start().wait().expect("starts again");
        blocking.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        let drops = Drops::new();
        for _ in 0..10 {
            recorder.register_event(drops.event()).expect("accepted");
        }
        let flush = recorder.flush();
        let opens = std::thread::spawn({
            let gate = gate.clone();
            move || {
                eventually("the runtime is shut down", || gate.arrivals() == 1);
                gate.open();
            }
        });
        runtime.shutdown().expect("shuts down");
        opens.join().expect("opens");
        // Whether the loop came to them or not: they are processed or discarded, and nobody waits for ever.
        drop(flush.wait());
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed + stats.discarded, stats.pending), (10, 10, 0));
        assert_eq!((drops.dropped(), recorder.status()), (10, Cancelled));
    });
}
