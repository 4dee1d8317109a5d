//! How direct recorders start, stop, restart, fail and end, and how their handles are waited for.
//! Covers RC10 to RC17, RC21, RC22.

use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mvx_metrics::{MetricsRecorder, MetricsRecorderError, MetricsRecorderState, RecorderOptions};
use mvx_metrics_tests::{
    Act, Direct, Drops, Gate, Gated, HooksAndListener, Journal, Script, Step, Steps, bounded, bounded_async,
    eventually,
};

use crate::recorder_states::{assert_refused, recorder_in_state};
use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Stopped, Stopping, Virgin};

#[test]
fn rc10_on_starting_fails_and_the_cause_is_kept() {
    bounded(|| {
        for act in [Act::Fail("no publisher"), Act::Panic("no publisher")] {
            let panics = matches!(act, Act::Panic(_));
            let application = Direct::new();
            let recorder =
                application.recorder(RecorderOptions::new().hooks_and_listener(Script::new().starting(act)));
            let error = recorder.start().wait().expect_err("the hook fails");
            assert_eq!(error.reason(), "ON_STARTING_HOOK_FAILED");
            let text = if panics { "panicked: no publisher" } else { "no publisher" };
            assert_eq!(error.source().map(ToString::to_string).as_deref(), Some(text));
            assert_eq!(recorder.status(), Failure);

            let later = recorder.stop().wait().expect_err("it has failed");
            assert_refused(&later, Failure, &[Running]);
            let cause = later.source().and_then(std::error::Error::source).map(ToString::to_string);
            assert_eq!(cause.as_deref(), Some(text));
        }
    });
}

#[test]
fn rc11_stop_runs_on_stopped_once_after_the_last_event() {
    bounded(|| {
        let application = Direct::new();
        let script = Script::new();
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        for step in 0..3 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        eventually("the recorder runs", || recorder.status() == Running);
        recorder.stop().wait().expect("stops");
        assert_eq!(recorder.status(), Stopped);
        assert_eq!(hook_log.entries(), ["starting", "steps 0", "steps 1", "steps 2", "stopped"]);
    });
}

#[test]
fn rc12_stop_of_a_virgin_is_refused() {
    let case = recorder_in_state(Virgin);
    let error = case.recorder.stop().wait().expect_err("it never ran");
    assert_refused(&error, Virgin, &[Running]);
    assert_eq!(error.to_string(), "recorder is VIRGIN, expected RUNNING");
    assert!(case.hook_log.entries().is_empty());
}

#[test]
fn rc13_stop_while_stopping_joins() {
    bounded(|| {
        let case = recorder_in_state(Stopping);
        let (first, second) = (case.recorder.stop(), case.recorder.stop());
        assert!(!first.is_finished() && !second.is_finished());
        case.gate.open();
        first.wait().expect("joins");
        second.wait().expect("joins");
        assert_eq!(case.hook_log.count("stopped"), 1);
    });
}

#[test]
fn rc14_on_stopped_fails_and_the_cause_is_kept() {
    bounded(|| {
        for act in [Act::Fail("not flushed"), Act::Panic("not flushed")] {
            let panics = matches!(act, Act::Panic(_));
            let application = Direct::new();
            let script = Script::new().stopped(act);
            let hook_log = script.hook_log();
            let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
            recorder.start().wait().expect("starts");
            let error = recorder.stop().wait().expect_err("the hook fails");
            assert_eq!(error.reason(), "ON_STOPPED_HOOK_FAILED");
            let text = if panics { "panicked: not flushed" } else { "not flushed" };
            assert_eq!(error.source().map(ToString::to_string).as_deref(), Some(text));
            assert_eq!(recorder.status(), Failure);
            assert_eq!(hook_log.count("stopped"), 1, "no cleanup after a failed stop");
        }
    });
}

#[test]
fn rc15_stop_processes_what_was_accepted_before_it_behind_a_slow_hook() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let recorder = application.recorder(
            RecorderOptions::new().hooks_and_listener(Script::new().changed(Act::Wait(gate.clone()))),
        );
        let journal = Journal::new();
        recorder.register_metric(journal.clone()).expect("registers");
        recorder.start().wait().expect("starts");
        for step in 0..1_000 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        gate.wait_for_arrival();
        let stop = recorder.stop();
        assert_eq!(recorder.status(), Stopping);
        assert!(!stop.is_finished());
        gate.open();
        stop.wait().expect("stops");
        assert_eq!(journal.numbers(), (0..1_000).collect::<Vec<_>>());
        assert_eq!(recorder.stats().processed, 1_000);
    });
}

#[test]
fn rc15_stop_processes_what_was_accepted_before_it_without_hooks() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        let (gate, journal) = (Gate::new(), Journal::new());
        recorder.register_metric(Gated(gate.clone())).expect("registers");
        recorder.register_metric(journal.clone()).expect("registers");
        for step in 0..5_000 {
            recorder.register_event(Step(step)).expect("accepted");
        }
        gate.wait_for_arrival();
        let stop = recorder.stop();
        assert_eq!(recorder.status(), Stopping);
        gate.open();
        stop.wait().expect("stops");
        assert_eq!(journal.numbers(), (0..5_000).collect::<Vec<_>>());
    });
}

#[test]
fn rc16_metrics_and_their_values_survive_a_restart() {
    bounded(|| {
        let application = Direct::new();
        let script = Script::new();
        let hook_log = script.hook_log();
        for options in [RecorderOptions::new(), RecorderOptions::new().hooks_and_listener(script)] {
            let recorder = application.recorder(options);
            recorder.register_metric(Steps::default()).expect("registers");
            for round in 1..=3 {
                recorder.start().wait().expect("starts");
                recorder.register_event(Step(1)).expect("accepted");
                recorder.stop().wait().expect("stops");
                assert_eq!(Steps::total(&recorder), round);
            }
        }
        assert_eq!(hook_log.count("starting"), 3);
        assert_eq!(hook_log.count("stopped"), 3);
        eventually("the tasks of both recorders end", || application.tasks() == 0);
    });
}

#[test]
fn rc16_a_restart_right_after_a_stop_leaves_no_task_behind() {
    bounded_async(|| async {
        let tokio = tokio::runtime::Handle::current();
        let before = tokio.metrics().num_alive_tasks();
        let recorder = MetricsRecorder::new("x", RecorderOptions::new()).expect("inside of tokio");
        recorder.register_metric(Steps::default()).expect("registers");
        for round in 1..=100 {
            recorder.start().wait().expect("starts");
            recorder.register_event(Step(1)).expect("accepted");
            assert_eq!(Steps::total(&recorder), round);
            recorder.stop().wait().expect("stops");
        }
        recorder.start().wait().expect("starts");
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(tokio.metrics().num_alive_tasks(), before + 1);
        recorder.stop().await.expect("stops");
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(tokio.metrics().num_alive_tasks(), before);
    });
}

#[test]
fn rc17_a_handle_waits_in_sync_code_and_in_async_code() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(Script::new()));
        recorder.start().wait().expect("starts");
        application.tokio().block_on(async { recorder.stop().await }).expect("stops");
        application.tokio().block_on(recorder.start()).expect("starts");
        recorder.stop().wait().expect("stops");
    });
}

#[test]
fn rc17_dropping_the_wait_cancels_nothing() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::Wait(gate.clone())).stopped(Act::Wait(gate.clone()));
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let mut handle = Box::pin(recorder.start());
        let poll = handle.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(poll, Poll::Pending));
        drop(handle);
        gate.open();
        eventually("the recorder runs", || recorder.status() == Running);
        drop(recorder.stop());
        eventually("the recorder stops", || recorder.status() == Stopped);
        assert_eq!(hook_log.entries(), ["starting", "stopped"]);
    });
}

#[test]
fn rc17_waiting_inside_the_single_threaded_runtime_is_refused() {
    bounded_async(|| async {
        let recorder = MetricsRecorder::new("x", RecorderOptions::new().hooks_and_listener(Script::new()))
            .expect("inside of tokio");
        let error = recorder.start().wait().expect_err("the hook needs this thread");
        assert!(matches!(error, MetricsRecorderError::WouldDeadlock));
        assert_eq!(error.reason(), "WOULD_DEADLOCK");
        assert_eq!(recorder.status(), Starting);
        recorder.start().await.expect("joins the same start");
        assert_eq!(
            recorder.stop().wait().expect_err("the hook needs this thread").reason(),
            "WOULD_DEADLOCK"
        );
        recorder.stop().await.expect("joins the same stop");
    });
}

#[test]
fn rc17_without_hooks_a_wait_in_a_task_does_the_work_itself() {
    bounded(|| {
        // The task that waits runs on the only worker thread.
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        let journal = Journal::new();
        recorder.register_metric(journal.clone()).expect("registers");
        let task = application.tokio().spawn(async move {
            for round in 0..50 {
                recorder.start().wait().expect("starts");
                for step in 0..100 {
                    recorder.register_event(Step(round * 100 + step)).expect("accepted");
                }
                recorder.flush().wait().expect("flushes");
                recorder.register_event(Step(0)).expect("accepted");
                recorder.stop().wait().expect("stops");
            }
            recorder.stats()
        });
        let stats = application.tokio().block_on(task).expect("the task ends");
        assert_eq!((stats.accepted, stats.processed), (5_050, 5_050));
        assert_eq!(journal.numbers().len(), 5_050);
    });
}

#[test]
fn rc17_with_hooks_a_wait_in_a_task_never_hangs() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(Script::new()));
        let task = application.tokio().spawn(async move {
            let blocked = recorder.start().wait();
            (blocked, recorder.start().await, recorder.stop().await)
        });
        let (blocked, start, stop) = application.tokio().block_on(task).expect("the task ends");
        assert_eq!(blocked.expect_err("the hook needs this thread").reason(), "STALLED");
        // The start went on although its waiter was refused.
        assert!(start.is_ok() || start.is_err_and(|error| error.reason() == "INVALID_RECORDER_STATE"));
        stop.expect("stops");
    });
}

#[test]
fn rc21_aborting_the_task_while_running_cancels_the_recorder() {
    bounded(|| {
        let mut application = Direct::new();
        for options in [RecorderOptions::new(), RecorderOptions::new().hooks_and_listener(Script::new())] {
            let recorder = application.recorder(options);
            recorder.start().wait().expect("starts");
            application.end();
            assert_eq!(recorder.status(), Cancelled);
            let error = recorder.register_event(Step(1)).expect_err("cancelled");
            assert_refused(error.error(), Cancelled, &[Virgin, Starting, Running]);
            application = Direct::new();
        }
    });
}

#[test]
fn rc21_a_waiter_for_a_start_is_answered_when_the_task_is_aborted() {
    bounded(|| {
        let gate = Gate::new();
        let mut application = Direct::new();
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let handle = recorder.start();
        gate.wait_for_arrival();
        let waiting = std::thread::spawn(move || handle.wait());
        application.end();
        let error = waiting.join().expect("the thread ends").expect_err("cancelled");
        assert!(matches!(error, MetricsRecorderError::DispatcherCancelled));
        assert_eq!(error.reason(), "DISPATCHER_UNEXPECTEDLY_CANCELLED");
        assert_eq!(recorder.status(), Cancelled);
        assert_eq!(hook_log.entries(), ["starting"], "there is no loop left to run hooks");
    });
}

#[test]
fn rc21_aborting_the_task_in_a_hook_answers_stop_and_flush_and_discards_events() {
    bounded(|| {
        let gate = Gate::new();
        let mut application = Direct::new();
        let script = Script::new().changed(Act::Wait(gate.clone()));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        let drops = Drops::new();
        for _ in 0..10 {
            recorder.register_event(drops.event()).expect("accepted");
        }
        gate.wait_for_arrival();
        let (flush, stop) = (recorder.flush(), recorder.stop());
        application.end();
        assert_eq!(stop.wait().expect_err("cancelled").reason(), "DISPATCHER_UNEXPECTEDLY_CANCELLED");
        assert_refused(&flush.wait().expect_err("cancelled"), Cancelled, &[Virgin, Starting, Running]);
        assert_eq!(drops.dropped(), 10);
        assert_eq!(Steps::total(&recorder), 1);
        let stats = recorder.stats();
        assert_eq!((stats.accepted, stats.processed, stats.discarded, stats.pending), (10, 1, 9, 0));
    });
}

#[test]
fn rc21_start_without_tokio_runtime_is_cancelled() {
    bounded(|| {
        for hooks in [false, true] {
            let mut application = Direct::new();
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = application.recorder(options);
            application.end();
            let error = recorder.start().wait().expect_err("there is nowhere to run");
            assert_eq!(error.reason(), "DISPATCHER_UNEXPECTEDLY_CANCELLED");
            assert_eq!(recorder.status(), Cancelled);
        }
    });
}

#[test]
fn rc21_an_event_that_starts_a_recorder_without_tokio_runtime_is_discarded() {
    bounded(|| {
        for hooks in [false, true] {
            let mut application = Direct::new();
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(Script::new()) } else { options };
            let recorder = application.recorder(options);
            application.end();
            let drops = Drops::new();
            recorder.register_event(drops.event()).expect("a virgin accepts");
            assert_eq!((recorder.status(), drops.dropped()), (Cancelled, 1));
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.processed, stats.discarded, stats.pending), (1, 0, 1, 0));
        }
    });
}

#[test]
fn rc22_dropping_the_last_handle_processes_events_and_ends_the_task() {
    bounded(|| {
        for hooks in [false, true] {
            let application = Direct::new();
            let script = Script::new();
            let hook_log = script.hook_log();
            let options = RecorderOptions::new();
            let options = if hooks { options.hooks_and_listener(script) } else { options };
            let recorder = application.recorder(options);
            let (drops, journal, alive) = (Drops::new(), Journal::new(), Arc::new(()));
            recorder.register_metric(Steps::default()).expect("registers");
            recorder.register_metric(journal.clone()).expect("registers");
            recorder
                .register_metric(crate::failures::holding("holds", Arc::clone(&alive)))
                .expect("registers");
            for step in 0..100 {
                recorder.register_event(drops.event()).expect("accepted");
                recorder.register_event(Step(step)).expect("accepted");
            }
            drop(recorder.clone());
            drop(recorder);
            eventually("the task ends", || application.tasks() == 0);
            eventually("the metrics are dropped", || Arc::strong_count(&alive) == 1);
            assert_eq!(journal.numbers(), (0..100).collect::<Vec<_>>());
            assert_eq!((drops.made(), drops.dropped()), (100, 100));
            if hooks {
                assert_eq!(hook_log.count("stopped"), 1);
            }
        }
    });
}

#[test]
fn rc22_dropping_the_last_handle_while_starting_processes_events() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        recorder.register_metric(Steps::default()).expect("registers");
        recorder.register_event(Step(1)).expect("accepted");
        gate.wait_for_arrival();
        drop(recorder);
        gate.open();
        eventually("the task ends", || application.tasks() == 0);
        assert_eq!(hook_log.entries(), ["starting", "steps 1", "stopped"]);
    });
}

#[test]
fn rc22_a_virgin_or_stopped_recorder_leaves_nothing_behind() {
    bounded(|| {
        let application = Direct::new();
        let alive = Arc::new(());
        let virgin = application.recorder(RecorderOptions::new());
        virgin.register_metric(crate::failures::holding("holds", Arc::clone(&alive))).expect("registers");
        drop(virgin);
        let stopped = application.recorder(RecorderOptions::new());
        stopped.register_metric(crate::failures::holding("holds", Arc::clone(&alive))).expect("registers");
        stopped.start().wait().expect("starts");
        stopped.stop().wait().expect("stops");
        drop(stopped);
        eventually("the task ends", || application.tasks() == 0);
        assert_eq!(Arc::strong_count(&alive), 1);
    });
}
