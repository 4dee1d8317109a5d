//! Recorders that are started again after their task was aborted, or after they were removed from their runtime.
//! Covers RC16, `RT_L1`.

use mvx_metrics::{MetricsRecorder, MetricsRecorderState, RecorderOptions};
use mvx_metrics_tests::{
    Drops, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded, eventually, running_runtime,
};
use tokio::runtime::Builder;

use MetricsRecorderState::{Cancelled, Running, Stopped};

#[test]
fn rc16_a_restart_after_its_task_was_aborted_is_cancelled() {
    bounded(|| {
        let tokio = Builder::new_current_thread().build().expect("a tokio runtime");
        let recorder = {
            let _inside = tokio.enter();
            MetricsRecorder::new("direct", RecorderOptions::new()).expect("inside of tokio")
        };
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.start().wait().expect("starts");
        recorder.stop().wait().expect("stops");
        // The task was never polled, so it has not ended yet.
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
fn rt_l1_a_recorder_restarted_after_its_removal_is_cancelled_with_the_runtime() {
    bounded(|| {
        for hooks in [false, true] {
            let runtime = running_runtime("rt.l1");
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            runtime.create_recorder_with("a", options).expect("creates");
            let recorder = runtime.stop_and_remove_recorder("a").expect("removes");
            recorder.start().wait().expect("starts again");
            recorder.register_metric(Steps::default()).expect("registers");
            // No event and no reader has asked for a turn since, so the event loop knows the recorder by its restart only.
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
fn rt_l1_shutdown_accounts_for_pending_events_of_a_removed_recorder() {
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
        // The event loop may have processed the events or discarded them. In both cases the flush is answered.
        drop(flush.wait());
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed + stats.discarded, stats.pending), (10, 10, 0));
        assert_eq!((drops.dropped(), recorder.status()), (10, Cancelled));
    });
}
