//! Helpers, no tests: a recorder in each of its states, and the check of a refusal.

use mvx_metrics::{MetricsRecorder, MetricsRecorderError, MetricsRecorderState, RecorderOptions};
use mvx_metrics_tests::{Act, Direct, Gate, HookLog, HooksAndListener, Script, Steps};

use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Stopped, Stopping, Virgin};

pub const STATES: [MetricsRecorderState; 7] =
    [Virgin, Starting, Running, Stopping, Stopped, Failure, Cancelled];

/// A direct recorder with the metric [`Steps`] and scripted hooks. It keeps its state until the gate opens.
pub struct RecorderInState {
    pub recorder: MetricsRecorder,
    pub gate: Gate,
    pub hook_log: HookLog,
    _application: Direct,
}

/// A recorder in this state.
pub fn recorder_in_state(state: MetricsRecorderState) -> RecorderInState {
    recorder_in_state_with(state, RecorderOptions::new())
}

/// A recorder in this state, with options other than hooks.
pub fn recorder_in_state_with(state: MetricsRecorderState, options: RecorderOptions) -> RecorderInState {
    let gate = Gate::new();
    let script = match state {
        Starting => Script::new().starting(Act::Wait(gate.clone())),
        Stopping => Script::new().stopped(Act::Wait(gate.clone())),
        Failure => Script::new().starting(Act::Fail("no publisher")),
        _ => Script::new(),
    };
    let hook_log = script.hook_log();
    let mut application = Direct::new();
    let recorder = application.recorder(options.hooks_and_listener(script));
    recorder.register_metric(Steps::default()).expect("a virgin recorder takes metrics");
    match state {
        Virgin => {}
        Starting => {
            drop(recorder.start());
            gate.wait_for_arrival();
        }
        Failure => assert_eq!(
            recorder.start().wait().expect_err("the hook fails").reason(),
            "ON_STARTING_HOOK_FAILED"
        ),
        _ => recorder.start().wait().expect("starts"),
    }
    match state {
        Stopping => {
            drop(recorder.stop());
            gate.wait_for_arrival();
        }
        Stopped => recorder.stop().wait().expect("stops"),
        Cancelled => application.end(),
        _ => {}
    }
    assert_eq!(recorder.status(), state);
    RecorderInState { recorder, gate, hook_log, _application: application }
}

/// Checks that an error refuses a call in this state, with the cause if the state has one.
#[track_caller]
pub fn assert_refused(
    error: &MetricsRecorderError,
    actual: MetricsRecorderState,
    allowed: &[MetricsRecorderState],
) {
    assert_eq!(error.reason(), "INVALID_RECORDER_STATE");
    let MetricsRecorderError::InvalidState { state, expected, cause } = error else {
        panic!("not an invalid state: {error:?}");
    };
    assert_eq!((*state, *expected), (actual, allowed));
    let cause = cause.as_ref().map(|cause| cause.reason());
    let expected_cause = match actual {
        Failure => Some("ON_STARTING_HOOK_FAILED"),
        Cancelled => Some("DISPATCHER_UNEXPECTEDLY_CANCELLED"),
        _ => None,
    };
    assert_eq!(cause, expected_cause);
}
