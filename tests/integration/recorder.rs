//! Direct recorders: their creation, their options, and the full table of states and calls.
//! Covers RC1 to RC9, RC12, RC18 to RC20, RM1, RM6, RE3.

use std::error::Error as _;

use mvx_metrics::{
    LogPolicy, MetricFailurePolicy, MetricsRecorder, MetricsRecorderError, MetricsRecorderState,
    MetricsRuntime, QueueOverflowPolicy, RecorderOptions, Registered,
};
use mvx_metrics_tests::{
    Act, Direct, Gate, Gated, HooksAndListener, Script, Step, Steps, bounded, bounded_async, eventually,
    in_threads, running_runtime,
};

use crate::recorder_states::{STATES, assert_refused, recorder_in_state, recorder_in_state_with};
use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Stopped, Stopping, Virgin};

const ACCEPTING: &[MetricsRecorderState] = &[Virgin, Starting, Running];

#[test]
fn rc1_a_direct_recorder_is_virgin_and_empty() {
    bounded_async(|| async {
        let recorder = MetricsRecorder::new("storage", RecorderOptions::new()).expect("inside of tokio");
        assert_eq!(recorder.status(), Virgin);
        assert_eq!(recorder.entity_id(), "storage");
        assert!(recorder.metric_snapshots().expect("reads").is_empty());
        assert!(recorder.metrics().expect("reads").is_empty());
        assert_eq!(recorder.stats(), mvx_metrics::RecorderStats::default());
    });
}

#[test]
fn rc2_outside_of_a_tokio_runtime_there_is_no_loop() {
    let error = MetricsRecorder::new("storage", RecorderOptions::new()).expect_err("no tokio here");
    assert!(matches!(error, MetricsRecorderError::LoopUnavailable));
    assert_eq!(error.reason(), "EVENT_LOOP_UNAVAILABLE");
}

#[test]
fn rc3_the_entity_id_is_trimmed() {
    let application = Direct::new();
    let _inside = application.tokio().enter();
    let recorder = MetricsRecorder::new("  storage\t", RecorderOptions::new()).expect("inside of tokio");
    assert_eq!(recorder.entity_id(), "storage");
}

#[test]
fn rc3_blank_entity_ids_are_replaced_by_different_generated_ones() {
    let application = Direct::new();
    let _inside = application.tokio().enter();
    let generated = |blank: &str| {
        MetricsRecorder::new(blank, RecorderOptions::new()).expect("inside of tokio").entity_id().to_owned()
    };
    let ids = ["", " ", "\n\t"].map(generated);
    assert!(ids.iter().all(|id| !id.trim().is_empty()), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

#[test]
fn rc3_the_entity_id_of_the_options_wins() {
    let application = Direct::new();
    let recorder = application.recorder(RecorderOptions::new().entity_id(" chosen "));
    assert_eq!(recorder.entity_id(), "chosen");
}

#[test]
fn a_blank_namespace_is_none() {
    let runtime = running_runtime("shop");
    for (given, namespace) in [(" ", "shop"), ("", "shop"), ("other", "other")] {
        let options = RecorderOptions::new().namespace(given);
        let recorder = runtime.create_recorder_with("a", options).expect("the id is free");
        assert_eq!(recorder.namespace(), namespace);
        runtime.stop_and_remove_recorder("a").expect("it stops");
    }
}

/// Fills a recorder while its consumer is blocked. Returns how many events it accepted.
fn fill(recorder: &MetricsRecorder, gate: &Gate) -> u64 {
    recorder.register_metric(Gated(gate.clone())).expect("registers");
    recorder.register_event(Step(0)).expect("there is room");
    gate.wait_for_arrival();
    let mut taken = 1;
    while recorder.register_event(Step(taken)).is_ok() && recorder.stats().dropped == 0 {
        taken += 1;
    }
    taken
}

#[test]
fn rc4_ten_thousand_events_may_be_pending_by_default() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        let gate = Gate::new();
        assert_eq!(fill(&recorder, &gate), 10_000);
        gate.open();
    });
}

#[test]
fn rc4_a_chosen_limit_is_kept() {
    bounded(|| {
        for limit in [1, 2, 3, 255, 256, 257] {
            let application = Direct::new();
            let recorder = application.recorder(RecorderOptions::new().queue_max_size(limit));
            let gate = Gate::new();
            assert_eq!(fill(&recorder, &gate), limit as u64);
            gate.open();
        }
    });
}

#[test]
fn rc4_impossible_limits_are_refused() {
    let application = Direct::new();
    let _inside = application.tokio().enter();
    for impossible in [0, (1 << 28) + 1, usize::MAX] {
        let options = RecorderOptions::new().queue_max_size(impossible);
        let error = MetricsRecorder::new("storage", options).expect_err("an impossible limit");
        assert_eq!(error.reason(), "INVALID_ARGUMENT");
        let MetricsRecorderError::InvalidArgument { argument, .. } = error else {
            panic!("not an invalid argument: {error:?}");
        };
        assert_eq!(argument, "queue_max_size");
    }
}

#[test]
fn rc5_by_default_a_direct_recorder_hands_events_back_and_a_runtimes_drops_them() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let direct = application.recorder(RecorderOptions::new().queue_max_size(2));
        fill(&direct, &gate);
        assert_eq!((direct.stats().rejected, direct.stats().dropped), (1, 0));
        gate.open();

        let gate = Gate::new();
        let runtime = running_runtime("rc5");
        let options = RecorderOptions::new().queue_max_size(2);
        let created = runtime.create_recorder_with("a", options).expect("creates");
        fill(&created, &gate);
        assert_eq!((created.stats().rejected, created.stats().dropped), (0, 1));
        gate.open();
    });
}

#[test]
fn rc5_a_chosen_policy_is_kept() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let options =
            RecorderOptions::new().queue_max_size(2).queue_overflow_policy(QueueOverflowPolicy::Drop);
        let direct = application.recorder(options);
        fill(&direct, &gate);
        assert_eq!((direct.stats().rejected, direct.stats().dropped), (0, 1));
        gate.open();

        let gate = Gate::new();
        let runtime = running_runtime("rc5");
        let options =
            RecorderOptions::new().queue_max_size(2).queue_overflow_policy(QueueOverflowPolicy::Error);
        let created = runtime.create_recorder_with("a", options).expect("creates");
        fill(&created, &gate);
        assert_eq!((created.stats().rejected, created.stats().dropped), (1, 0));
        gate.open();
    });
}

#[test]
fn rc6_start_runs_on_starting_once_and_the_recorder_runs() {
    bounded(|| {
        let application = Direct::new();
        let script = Script::new();
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        recorder.start().wait().expect("starts");
        assert_eq!(recorder.status(), Running);
        assert_eq!(hook_log.entries(), ["starting"]);
    });
}

#[test]
fn rc6_start_without_hooks_runs_the_recorder() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        recorder.start().wait().expect("starts");
        assert_eq!(recorder.status(), Running);
    });
}

#[test]
fn rc7_start_returns_while_on_starting_still_runs() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::Wait(gate.clone()));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let handle = recorder.start();
        assert_eq!(recorder.status(), Starting);
        gate.wait_for_arrival();
        assert!(!handle.is_finished());
        assert_eq!(recorder.status(), Starting);
        gate.open();
        handle.wait().expect("starts");
        assert_eq!(recorder.status(), Running);
    });
}

#[test]
fn rc8_start_while_starting_joins() {
    bounded(|| {
        let case = recorder_in_state(Starting);
        let (first, second) = (case.recorder.start(), case.recorder.start());
        assert!(!first.is_finished() && !second.is_finished());
        case.gate.open();
        first.wait().expect("joins");
        second.wait().expect("joins");
        assert_eq!(case.hook_log.entries(), ["starting"]);
    });
}

#[test]
fn rc8_a_call_that_joins_a_failing_start_gets_its_error() {
    bounded(|| {
        let gate = Gate::new();
        let application = Direct::new();
        let script = Script::new().starting(Act::WaitAndFail(gate.clone(), "no publisher"));
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let handles = [recorder.start(), recorder.start(), recorder.start()];
        gate.open();
        for handle in handles {
            let error = handle.wait().expect_err("the hook fails");
            assert_eq!(error.reason(), "ON_STARTING_HOOK_FAILED");
            assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("no publisher"));
        }
    });
}

#[test]
fn rc9_start_while_running_names_actual_and_expected_states() {
    bounded(|| {
        let case = recorder_in_state(Running);
        let error = case.recorder.start().wait().expect_err("it runs");
        assert_refused(&error, Running, &[Virgin, Stopped]);
        assert_eq!(error.to_string(), "recorder is RUNNING, expected VIRGIN or STOPPED");
    });
}

#[test]
fn rc9_the_table_of_start() {
    bounded(|| {
        for state in STATES {
            let case = recorder_in_state(state);
            let handle = case.recorder.start();
            case.gate.open();
            let result = handle.wait();
            match state {
                Virgin | Starting | Stopped => {
                    result.expect("starts");
                    assert_eq!(case.recorder.status(), Running, "start in {state}");
                    let starts = if state == Stopped { 2 } else { 1 };
                    assert_eq!(case.hook_log.count("starting"), starts, "start in {state}");
                }
                _ => assert_refused(&result.expect_err("refused"), state, &[Virgin, Stopped]),
            }
        }
    });
}

#[test]
fn rc12_the_table_of_stop() {
    bounded(|| {
        for state in STATES {
            let case = recorder_in_state(state);
            let handle = case.recorder.stop();
            match state {
                Running | Stopping => {
                    case.gate.open();
                    handle.wait().expect("stops");
                    assert_eq!(case.recorder.status(), Stopped, "stop in {state}");
                    assert_eq!(case.hook_log.entries(), ["starting", "stopped"]);
                }
                _ => {
                    assert!(handle.is_finished(), "a refusal does not wait");
                    assert_refused(&handle.wait().expect_err("refused"), state, &[Running]);
                    assert_eq!(case.recorder.status(), state);
                }
            }
            case.gate.open();
        }
    });
}

#[test]
fn re3_the_table_of_register_event() {
    bounded(|| {
        for state in STATES {
            let case = recorder_in_state(state);
            let result = case.recorder.register_event(Step(7));
            match state {
                Virgin | Starting | Running => {
                    result.expect("accepted");
                    case.gate.open();
                    case.recorder.flush().wait().expect("processed");
                    assert_eq!(case.recorder.status(), Running);
                    assert_eq!(Steps::total(&case.recorder), 1, "an event in {state}");
                }
                _ => {
                    let refused = result.expect_err("refused");
                    assert_refused(refused.error(), state, ACCEPTING);
                    assert_eq!(refused.reason(), "INVALID_RECORDER_STATE");
                    assert_eq!(refused.into_event(), Step(7));
                    let stats = case.recorder.stats();
                    assert_eq!((stats.accepted, stats.rejected), (0, 1), "an event in {state}");
                }
            }
            case.gate.open();
        }
    });
}

#[test]
fn rm1_the_table_of_register_metric() {
    bounded(|| {
        for state in STATES {
            let case = recorder_in_state(state);
            let result = case.recorder.register_metric(Steps::named("late"));
            match state {
                Virgin | Starting | Running => {
                    assert_eq!(result.expect("registers"), Registered::Added, "a metric in {state}");
                    assert_eq!(case.recorder.metrics().expect("reads").len(), 2);
                }
                _ => {
                    assert_refused(&result.expect_err("refused"), state, ACCEPTING);
                    assert_eq!(case.recorder.metrics().expect("reads").len(), 1);
                }
            }
            case.gate.open();
        }
    });
}

#[test]
fn rm6_the_table_of_snapshots() {
    bounded(|| {
        for state in STATES {
            let case = recorder_in_state(state);
            let recorder = &case.recorder;
            assert_eq!(recorder.metric_snapshots().expect("reads").len(), 1, "snapshots in {state}");
            assert_eq!(recorder.metrics().expect("reads").len(), 1, "descriptors in {state}");
            let typed = recorder.metric_snapshot::<Steps>().expect("reads").expect("it is there");
            assert_eq!(typed.total, 0, "a typed snapshot in {state}");
            assert_eq!(recorder.status(), state, "reading changes nothing");
            case.gate.open();
        }
    });
}

#[test]
fn rc20_failure_and_cancelled_stay() {
    bounded(|| {
        for state in [Failure, Cancelled] {
            let case = recorder_in_state(state);
            let recorder = &case.recorder;
            for _ in 0..3 {
                assert_refused(&recorder.start().wait().expect_err("refused"), state, &[Virgin, Stopped]);
                assert_refused(&recorder.stop().wait().expect_err("refused"), state, &[Running]);
                assert_refused(
                    recorder.register_event(Step(1)).expect_err("refused").error(),
                    state,
                    ACCEPTING,
                );
                let metric = recorder.register_metric(Steps::named("late"));
                assert_refused(&metric.expect_err("refused"), state, ACCEPTING);
                assert_eq!(Steps::total(recorder), 0);
                assert_eq!(recorder.status(), state);
            }
            assert_eq!(recorder.stats().rejected, 3);
        }
    });
}

#[test]
fn rc18_all_calls_succeed_from_other_threads() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(Script::new()));
        std::thread::scope(|scope| {
            let here = |call: Box<dyn FnOnce() + Send>| scope.spawn(call).join().expect("the call works");
            let own = || recorder.clone();
            let other = own();
            here(Box::new(move || assert!(other.register_metric(Steps::default()).is_ok())));
            let other = own();
            here(Box::new(move || other.start().wait().expect("starts")));
            let other = own();
            here(Box::new(move || other.register_event(Step(1)).expect("accepted")));
            let other = own();
            here(Box::new(move || assert_eq!(Steps::total(&other), 1)));
            let other = own();
            here(Box::new(move || other.stop().wait().expect("stops")));
        });
        assert_eq!(recorder.status(), Stopped);
    });
}

#[test]
fn rc19_of_64_concurrent_starts_and_stops_one_of_each_runs_hooks() {
    bounded(|| {
        let application = Direct::new();
        let script = Script::new();
        let hook_log = script.hook_log();
        let recorder = application.recorder(RecorderOptions::new().hooks_and_listener(script));
        let starts = in_threads(64, |_| recorder.start().wait());
        assert!(starts.iter().any(Result::is_ok));
        for refused in starts.into_iter().filter_map(Result::err) {
            assert_refused(&refused, Running, &[Virgin, Stopped]);
        }
        assert_eq!((recorder.status(), hook_log.count("starting")), (Running, 1));

        let stops = in_threads(64, |_| recorder.stop().wait());
        assert!(stops.iter().any(Result::is_ok));
        for refused in stops.into_iter().filter_map(Result::err) {
            assert_refused(&refused, Stopped, &[Running]);
        }
        assert_eq!((recorder.status(), hook_log.count("stopped")), (Stopped, 1));
    });
}

#[test]
fn rc19_without_hooks_one_of_64_concurrent_starts_succeeds() {
    bounded(|| {
        let application = Direct::new();
        let recorder = application.recorder(RecorderOptions::new());
        for _ in 0..20 {
            let started = in_threads(64, |_| recorder.start().wait().is_ok());
            assert_eq!(started.into_iter().filter(|started| *started).count(), 1);
            let stopped = in_threads(64, |_| recorder.stop().wait().is_ok());
            assert!(stopped.into_iter().any(|stopped| stopped));
            assert_eq!(recorder.status(), Stopped);
        }
        eventually("the task of the recorder ends", || application.tasks() == 0);
    });
}

#[test]
fn rc20_a_refusal_for_the_state_ignores_the_overflow_policy() {
    bounded(|| {
        let options = RecorderOptions::new().queue_overflow_policy(QueueOverflowPolicy::Drop);
        let case = recorder_in_state_with(Stopped, options);
        let refused = case.recorder.register_event(Step(1)).expect_err("refused");
        assert_refused(refused.error(), Stopped, ACCEPTING);
        assert_eq!((case.recorder.stats().rejected, case.recorder.stats().dropped), (1, 0));
    });
}

#[test]
fn rc4_the_limit_can_be_read_back() {
    let application = Direct::new();
    assert_eq!(application.recorder(RecorderOptions::new()).queue_max_size(), 10_000);
    assert_eq!(application.recorder(RecorderOptions::new().queue_max_size(7)).queue_max_size(), 7);
}

#[test]
fn rc5_the_policies_can_be_read_back() {
    let application = Direct::new();
    let recorder = application.recorder(RecorderOptions::new());
    assert_eq!(recorder.queue_overflow_policy(), QueueOverflowPolicy::Error);
    assert_eq!(recorder.metric_failure_policy(), MetricFailurePolicy::Quarantine);
    assert_eq!(recorder.log_policy(), LogPolicy::Normal);
    let options = RecorderOptions::new()
        .queue_overflow_policy(QueueOverflowPolicy::Drop)
        .metric_failure_policy(MetricFailurePolicy::FailRecorder)
        .log_policy(LogPolicy::Silent);
    let recorder = application.recorder(options);
    assert_eq!(recorder.queue_overflow_policy(), QueueOverflowPolicy::Drop);
    assert_eq!(recorder.metric_failure_policy(), MetricFailurePolicy::FailRecorder);
    assert_eq!(recorder.log_policy(), LogPolicy::Silent);

    let runtime = MetricsRuntime::builder("policies")
        .default_queue_max_size(9)
        .log_policy(LogPolicy::Inspection)
        .build()
        .expect("valid");
    runtime.start().expect("starts");
    let recorder = runtime.create_recorder("a").expect("creates");
    assert_eq!(runtime.log_policy(), LogPolicy::Inspection);
    assert_eq!((recorder.queue_max_size(), recorder.log_policy()), (9, LogPolicy::Inspection));
    assert_eq!(recorder.queue_overflow_policy(), QueueOverflowPolicy::Drop);
    runtime.shutdown().expect("stops");
}

#[test]
fn handles_of_one_recorder_know_each_other() {
    let application = Direct::new();
    let recorder = application.recorder(RecorderOptions::new().entity_id("storage"));
    let other = application.recorder(RecorderOptions::new().entity_id("storage"));
    assert!(recorder.same_recorder(&recorder.clone()));
    assert!(!recorder.same_recorder(&other));
    assert!(MetricsRecorder::default().same_recorder(&MetricsRecorder::disabled()));
    assert!(!MetricsRecorder::default().same_recorder(&recorder));
}
