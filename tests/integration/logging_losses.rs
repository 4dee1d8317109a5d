//! How the log tells of lost events: at the first drop, while drops go on, at the stop and at the shutdown.
//! Covers LO1, LO2, LO3.

use std::sync::Arc;
use std::time::Duration;

use mvx_metrics::{
    Counter, LogPolicy, Metric, MetricFailurePolicy, MetricsRecorder, MetricsRecorderState, MetricsRuntime,
    QueueOverflowPolicy, RecorderOptions, metric_event,
};
use mvx_metrics_tests::capture::{self, about};
use mvx_metrics_tests::{
    Act, Direct, Fragile, Gate, Gated, HooksAndListener, Other, Script, Step, bounded, bounded_async,
    eventually,
};

use crate::logging::{lines, running};

const DROPPED: &str = "metrics_recorder.events_dropped";
const STOP: &str = "metrics_recorder.stop";
const LIMIT: usize = 3;

/// Options of a recorder that drops events at the limit.
fn options(entity_id: &str) -> RecorderOptions {
    let policy = QueueOverflowPolicy::Drop;
    RecorderOptions::new().entity_id(entity_id).queue_max_size(LIMIT).queue_overflow_policy(policy)
}

/// Fills the queue while a handler waits at the gate, and offers more steps than there is room for.
fn overflow(recorder: &MetricsRecorder, dropped: usize) -> Gate {
    let gate = Gate::new();
    recorder.register_metric(Gated(gate.clone())).expect("registers");
    recorder.emit(Step(0));
    gate.wait_for_arrival();
    for step in 1..LIMIT + dropped {
        recorder.emit(Step(step as u64));
    }
    assert_eq!(recorder.stats().dropped, dropped as u64);
    gate
}

#[test]
fn lo1_the_first_drop_is_logged_by_the_runtimes_thread_before_a_flush_returns() {
    bounded(|| {
        for hooks in [false, true] {
            let id = if hooks { "lg.lo1.hooks" } else { "lg.lo1.plain" };
            let runtime = running(id, LogPolicy::Normal);
            let options = if hooks { options(id).hooks_and_listener(Script::new()) } else { options(id) };
            let recorder = runtime.create_recorder_with("a", options).expect("creates");
            let gate = overflow(&recorder, 2);
            recorder.emit(Other);
            assert!(lines(id, DROPPED).is_empty(), "the producer's thread logs nothing");
            gate.open();
            recorder.flush().wait().expect("flushes");
            let expected =
                "WARN mvx_metrics::recorder by_type=step: 2, other: 1 dropped=3 state=RUNNING total=3";
            assert_eq!(lines(id, DROPPED), [expected]);
            let logged = about(id).into_iter().find(|logged| logged.field("event") == DROPPED);
            let logged = logged.expect("logged");
            assert_eq!(logged.thread, format!("{id}.metrics_runtime"));
            assert_eq!(logged.field("queue_max_size"), LIMIT.to_string());
            recorder.emit(Step(9));
            recorder.flush().wait().expect("flushes");
            assert_eq!(lines(id, DROPPED).len(), 1, "once");
        }
    });
}

#[test]
fn lo1_the_first_drop_of_a_direct_recorder_is_logged_before_a_flush_returns() {
    bounded(|| {
        capture::install();
        for hooks in [false, true] {
            let application = Direct::new();
            let id = if hooks { "lg.lo1.direct.hooks" } else { "lg.lo1.direct" };
            let options = if hooks { options(id).hooks_and_listener(Script::new()) } else { options(id) };
            let recorder = application.recorder(options);
            let gate = overflow(&recorder, 4);
            gate.open();
            recorder.flush().wait().expect("flushes");
            let expected = "WARN mvx_metrics::recorder by_type=step: 4 dropped=4 state=RUNNING total=4";
            assert_eq!(lines(id, DROPPED), [expected]);
        }
    });
}

#[test]
fn lo2_lines_about_drops_are_a_minute_apart() {
    bounded_async(|| async {
        capture::install();
        tokio::time::pause();
        let id = "lg.lo2";
        let recorder = MetricsRecorder::new("", options(id)).expect("inside of tokio");
        let offer = async |steps: u64| {
            // Nothing is processed before this task waits.
            (0..steps).for_each(|step| recorder.emit(Step(step)));
            recorder.flush().await.expect("flushes");
        };
        let line = |dropped, total| {
            format!(
                "WARN mvx_metrics::recorder by_type=step: {dropped} dropped={dropped} state=RUNNING total={total}"
            )
        };
        offer(5).await;
        assert_eq!(lines(id, DROPPED), [line(2, 2)]);
        offer(4).await;
        tokio::time::advance(Duration::from_secs(59)).await;
        offer(6).await;
        assert_eq!(lines(id, DROPPED).len(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        offer(1).await;
        assert_eq!(lines(id, DROPPED), [line(2, 2), line(4, 6)]);
        tokio::time::advance(Duration::from_mins(10)).await;
        offer(1).await;
        assert_eq!(lines(id, DROPPED).len(), 2, "nothing was dropped since");
        offer(4).await;
        assert_eq!(lines(id, DROPPED).last(), Some(&line(1, 7)));
    });
}

#[test]
fn lo3_one_line_of_a_stop_tells_what_was_lost() {
    bounded(|| {
        let id = "lg.lo3.stop";
        let runtime = running(id, LogPolicy::Normal);
        let recorder = runtime.create_recorder_with("a", options(id)).expect("creates");
        let gate = overflow(&recorder, 2);
        let stops = [recorder.stop(), recorder.stop()];
        gate.open();
        for stop in stops {
            stop.wait().expect("stops");
        }
        let ended: Vec<_> = lines(id, STOP).into_iter().filter(|line| !line.starts_with("DEBUG")).collect();
        let told =
            "WARN mvx_metrics::recorder discarded=0 dropped=2 elapsed phase=success rejected=0 state=STOPPED";
        assert!(ended[0] == told && ended.len() == 2, "{ended:?}");
        assert!(ended[1..].iter().all(|line| line.starts_with("INFO")), "{ended:?}");

        // A stop after which nothing more is lost tells nothing new.
        recorder.start().wait().expect("starts again");
        recorder.stop().wait().expect("stops");
        let last = lines(id, STOP).pop();
        assert_eq!(last.as_deref(), Some("INFO mvx_metrics::recorder elapsed phase=success state=STOPPED"));
        recorder.register_event(Step(1)).expect_err("it has stopped");
        recorder.start().wait().expect("starts again");
        recorder.stop().wait().expect("stops");
        let last = lines(id, STOP).pop().expect("logged");
        assert!(last.starts_with("WARN") && last.contains(" dropped=2 ") && last.contains(" rejected=1 "));
    });
}

#[test]
fn lo3_a_shutdown_tells_what_was_lost() {
    bounded(|| {
        let id = "lg.lo3.shutdown";
        let runtime = running(id, LogPolicy::Normal);
        for (recorder, dropped) in [("a", 2), ("b", 5), ("removed", 1)] {
            let recorder = runtime
                .create_recorder_with(recorder, options(&format!("{id}.{recorder}")))
                .expect("creates");
            overflow(&recorder, dropped).open();
        }
        runtime.create_recorder_with("c", options("lg.lo3.shutdown.c")).expect("creates");
        runtime.stop_and_remove_recorder("removed").expect("removes");
        runtime.shutdown().expect("shuts down");
        for (recorder, dropped) in [("a", 2), ("b", 5)] {
            assert_eq!(
                lines(&format!("{id}.{recorder}"), STOP).last(),
                Some(&format!(
                    "WARN mvx_metrics::recorder discarded=0 dropped={dropped} elapsed phase=success rejected=0 state=STOPPED"
                ))
            );
        }
        let without = lines("lg.lo3.shutdown.c", STOP).pop();
        assert!(without.is_none_or(|line| line.starts_with("INFO")));
        assert_eq!(
            lines(id, "metrics_runtime.shutdown").last().map(String::as_str),
            Some(
                "WARN mvx_metrics::runtime discarded=0 dropped=8 elapsed phase=success rejected=0 state=CLOSED"
            )
        );
    });
}

#[test]
fn lo3_the_drop_of_the_last_handle_tells_what_was_lost() {
    bounded(|| {
        capture::install();
        let application = Direct::new();
        let id = "lg.lo3.handle";
        let recorder = application.recorder(options(id));
        let gate = overflow(&recorder, 2);
        drop(recorder);
        gate.open();
        eventually("it is logged", || !lines(id, STOP).is_empty());
        let told =
            "WARN mvx_metrics::recorder discarded=0 dropped=2 elapsed phase=success rejected=0 state=STOPPED";
        assert_eq!(lines(id, STOP), [told]);
    });
}

/// A recorder that has failed, with five steps offered: the first fails it, and the others are discarded.
fn failed(application: &Direct, id: &str) -> MetricsRecorder {
    capture::install();
    let options =
        RecorderOptions::new().entity_id(id).metric_failure_policy(MetricFailurePolicy::FailRecorder);
    let recorder = application.recorder(options);
    let gate = Gate::new();
    recorder.register_metric(Gated(gate.clone())).expect("registers");
    recorder.register_metric(Fragile::at(0)).expect("registers");
    recorder.emit(Step(0));
    gate.wait_for_arrival();
    (1..5).for_each(|step| recorder.emit(Step(step)));
    gate.open();
    eventually("it fails", || recorder.status() == MetricsRecorderState::Failure);
    recorder
}

#[test]
fn lo3_the_stop_of_a_failed_recorder_tells_what_was_discarded() {
    bounded(|| {
        let application = Direct::new();
        let id = "lg.lo3.failed";
        let recorder = failed(&application, id);
        recorder.stop().wait().expect_err("it has failed");
        let last = lines(id, STOP).pop().expect("logged");
        assert!(
            last.starts_with("WARN mvx_metrics::recorder discarded=4 dropped=0 elapsed error="),
            "{last}"
        );
        let end = " phase=failed reason=INVALID_RECORDER_STATE rejected=0 state=FAILURE";
        assert!(last.ends_with(end), "{last}");
    });
}

/// An event whose drop waits at the gate.
#[metric_event]
struct Held {
    gate: Gate,
    breaks: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gate.block();
    }
}

#[derive(Metric, Default)]
#[metric(on(Held))]
struct Breakable {
    #[dimension(when = |event| !event.breaks || panic!("it breaks"))]
    held: Counter,
}

#[test]
fn lo3_the_event_that_failed_the_recorder_is_never_told_as_discarded() {
    bounded(|| {
        capture::install();
        let application = Direct::new();
        let runtime = running("lg.lo3.held", LogPolicy::Normal);
        for (place, discarded) in
            ["task", "loop", "listened", "listener"].into_iter().flat_map(|place| [(place, 0), (place, 3)])
        {
            let id = format!("lg.lo3.held.{place}.{discarded}");
            let options = RecorderOptions::new()
                .entity_id(&id)
                .metric_failure_policy(MetricFailurePolicy::FailRecorder);
            let fails = Script::new().changed(Act::Pass).changed(Act::Fail("it fails"));
            let recorder = match place {
                "task" => application.recorder(options),
                "loop" => runtime.create_recorder_with(&id, options).expect("creates"),
                "listened" => application.recorder(options.change_listener(Script::new())),
                _ => application.recorder(options.change_listener(fails)),
            };
            let [begin, end] = [(); 2].map(|()| Gate::new());
            recorder.register_metric(Gated(begin.clone())).expect("registers");
            recorder.register_metric(Breakable::default()).expect("registers");
            recorder.emit(Step(0));
            begin.wait_for_arrival();
            recorder.emit(Held { gate: end.clone(), breaks: place != "listener" });
            (0..discarded).for_each(|step| recorder.emit(Step(step)));
            begin.open();
            // It has failed the recorder, and is still in the queue.
            end.wait_for_arrival();
            assert_eq!(recorder.status(), MetricsRecorderState::Failure);
            let stats = recorder.stats();
            assert_eq!((stats.accepted, stats.pending), (2 + discarded, 1 + discarded), "{place}");
            recorder.stop().wait().expect_err("it has failed");
            let last = lines(&id, STOP).pop().expect("logged");
            let told = last.starts_with(&format!("WARN mvx_metrics::recorder discarded={discarded} "));
            assert_eq!(told, discarded > 0, "{last}");
            end.open();
        }
    });
}

#[test]
fn lo3_the_drop_of_the_last_handle_of_a_failed_recorder_tells_what_was_discarded() {
    bounded(|| {
        let application = Direct::new();
        let id = "lg.lo3.failed.handle";
        drop(failed(&application, id));
        let told = lines(id, STOP);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("WARN mvx_metrics::recorder discarded=4 "), "{told:?}");
    });
}

#[test]
fn lo3_a_start_that_fails_after_the_drop_of_the_last_handle_tells_what_was_discarded() {
    bounded(|| {
        capture::install();
        let application = Direct::new();
        for discarded in [0, 2] {
            let gate = Gate::new();
            let id = format!("lg.lo3.starting.{discarded}");
            let hooks = Arc::new(Script::new().starting(Act::WaitAndFail(gate.clone(), "no start")));
            let recorder = application.recorder(options(&id).hooks(Arc::clone(&hooks)));
            let start = recorder.start();
            gate.wait_for_arrival();
            (0..discarded).for_each(|step| recorder.emit(Step(step)));
            drop((recorder, start));
            gate.open();
            eventually("the recorder is dropped", || Arc::strong_count(&hooks) == 1);
            let told = lines(&id, STOP);
            assert_eq!(told.len(), usize::from(discarded > 0), "{told:?}");
            let begin = format!("WARN mvx_metrics::recorder discarded={discarded} ");
            assert!(told.iter().all(|told| told.starts_with(&begin)), "{told:?}");
        }
    });
}

#[test]
fn lo3_a_silent_recorder_logs_no_losses() {
    bounded(|| {
        capture::install();
        let id = "lg.lo3.silent";
        let runtime = MetricsRuntime::builder(id).log_policy(LogPolicy::Silent).build().expect("valid");
        runtime.start().expect("starts");
        let recorder = runtime.create_recorder_with("a", options(id)).expect("creates");
        overflow(&recorder, 2).open();
        recorder.flush().wait().expect("flushes");
        runtime.shutdown().expect("shuts down");
        assert!(about(id).is_empty());
    });
}
