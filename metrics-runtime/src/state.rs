//! The states of recorders and runtimes, and the effect of each call in each state, as pure functions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The states of a recorder's life.
///
/// | call | `Virgin` | `Starting` | `Running` | `Stopping` | `Stopped` | `Failure`, `Cancelled` |
/// |---|---|---|---|---|---|---|
/// | `start` | starts | joins the start | refused | refused | starts again | refused |
/// | `stop` | refused | refused | processes pending events, stops | joins the stop | refused | refused |
/// | `register_event` | accepts, starts | accepts and keeps | accepts | refused | refused | refused with the cause |
/// | `register_metric` | ok | ok | ok | refused | refused | refused with the cause |
/// | snapshots | ok | ok | ok | ok | ok | ok |
///
/// Refused is [`InvalidState`](crate::MetricsRecorderError::InvalidState). Displays and serialises as `VIRGIN` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum MetricsRecorderState {
    /// Created and not yet started. The first event or `start` starts it.
    Virgin,
    /// The `on_starting` hook runs; events are accepted and kept.
    Starting,
    /// Events are accepted and processed.
    Running,
    /// Accepted events are processed, new ones refused.
    Stopping,
    /// All accepted events are processed; can be started again.
    Stopped,
    /// A hook failed, or a metric under [`MetricFailurePolicy::FailRecorder`](crate::MetricFailurePolicy::FailRecorder). Final.
    Failure,
    /// The task that processes events was aborted from outside. Final.
    Cancelled,
}

impl fmt::Display for MetricsRecorderState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Virgin => "VIRGIN",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Failure => "FAILURE",
            Self::Cancelled => "CANCELLED",
        })
    }
}

/// The effect of `start` or `stop` of a recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The call begins the operation.
    Begin,
    /// The operation is in progress, and the call waits for it.
    Join,
    /// The call is refused. These states would allow it.
    Refuse(&'static [MetricsRecorderState]),
}

impl MetricsRecorderState {
    /// The states in which a recorder accepts events and metrics.
    pub(crate) const ACCEPTING: &'static [Self] = &[Self::Virgin, Self::Starting, Self::Running];

    /// All states, each at the place that is its number.
    pub(crate) const ALL: [Self; 7] = [
        Self::Virgin,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::Failure,
        Self::Cancelled,
    ];

    pub(crate) fn on_start(self) -> Decision {
        match self {
            Self::Virgin | Self::Stopped => Decision::Begin,
            Self::Starting => Decision::Join,
            Self::Running | Self::Stopping | Self::Failure | Self::Cancelled => {
                Decision::Refuse(&[Self::Virgin, Self::Stopped])
            }
        }
    }

    pub(crate) fn on_stop(self) -> Decision {
        match self {
            Self::Running => Decision::Begin,
            Self::Stopping => Decision::Join,
            Self::Virgin | Self::Starting | Self::Stopped | Self::Failure | Self::Cancelled => {
                Decision::Refuse(&[Self::Running])
            }
        }
    }

    /// Whether the recorder accepts events and metrics.
    pub(crate) fn accepts(self) -> bool {
        Self::ACCEPTING.contains(&self)
    }

    /// Whether the recorder has failed for good.
    pub(crate) fn has_failed(self) -> bool {
        matches!(self, Self::Failure | Self::Cancelled)
    }

    /// Whether accepted events are being processed.
    pub(crate) fn processes(self) -> bool {
        matches!(self, Self::Running | Self::Stopping)
    }
}

/// The states of a runtime's life.
///
/// To create, find, list, stop and read recorders the runtime must be [`Running`](Self::Running); otherwise such calls are
/// [`InvalidState`](crate::MetricsRuntimeError::InvalidState). Displays and serialises as `VIRGIN` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum MetricsRuntimeState {
    /// Created; there is no thread yet.
    Virgin,
    /// The thread and its event loop are being created.
    Starting,
    /// Recorders can be created and used.
    Running,
    /// Recorders are being stopped and the thread is ended.
    Stopping,
    /// Shut down. Final.
    Closed,
    /// Starting or shutting down failed. Final.
    Failure,
}

impl fmt::Display for MetricsRuntimeState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Virgin => "VIRGIN",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Closed => "CLOSED",
            Self::Failure => "FAILURE",
        })
    }
}

/// The effect of `start` of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartDecision {
    Begin,
    /// The runtime runs already.
    Nothing,
    Refuse,
}

/// The effect of `shutdown` of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShutdownDecision {
    Begin,
    /// A shutdown is in progress. The call waits for it and returns its result.
    Join,
    /// The runtime never ran, or is closed. It becomes `CLOSED`.
    Close,
    Refuse,
}

impl MetricsRuntimeState {
    /// The states that allow `start`.
    pub(crate) const STARTABLE: &'static [Self] = &[Self::Virgin, Self::Running];
    /// The states that allow `shutdown`.
    pub(crate) const CLOSEABLE: &'static [Self] =
        &[Self::Virgin, Self::Running, Self::Stopping, Self::Closed];
    /// The states in which recorders can be created, found and read.
    pub(crate) const USABLE: &'static [Self] = &[Self::Running];

    pub(crate) fn on_start(self) -> StartDecision {
        match self {
            Self::Virgin => StartDecision::Begin,
            Self::Running => StartDecision::Nothing,
            Self::Starting | Self::Stopping | Self::Closed | Self::Failure => StartDecision::Refuse,
        }
    }

    pub(crate) fn on_shutdown(self) -> ShutdownDecision {
        match self {
            Self::Running => ShutdownDecision::Begin,
            Self::Stopping => ShutdownDecision::Join,
            Self::Virgin | Self::Closed => ShutdownDecision::Close,
            Self::Starting | Self::Failure => ShutdownDecision::Refuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    mod recorder {
        use super::Decision;
        use super::MetricsRecorderState::{
            self, Cancelled, Failure, Running, Starting, Stopped, Stopping, Virgin,
        };

        const RECORDER_STATES: [MetricsRecorderState; 7] =
            [Virgin, Starting, Running, Stopping, Stopped, Failure, Cancelled];

        #[test]
        fn the_number_of_a_state_is_its_place() {
            assert_eq!(MetricsRecorderState::ALL, RECORDER_STATES);
            assert_eq!(RECORDER_STATES.map(|state| state as u8), [0, 1, 2, 3, 4, 5, 6]);
        }

        #[test]
        fn the_table_of_start_is_the_contract() {
            const START_REFUSED: Decision = Decision::Refuse(&[Virgin, Stopped]);
            let expected = [
                Decision::Begin,
                Decision::Join,
                START_REFUSED,
                START_REFUSED,
                Decision::Begin,
                START_REFUSED,
                START_REFUSED,
            ];
            assert_eq!(RECORDER_STATES.map(MetricsRecorderState::on_start), expected);
        }

        #[test]
        fn the_table_of_stop_is_the_contract() {
            const STOP_REFUSED: Decision = Decision::Refuse(&[Running]);
            let expected = [
                STOP_REFUSED,
                STOP_REFUSED,
                Decision::Begin,
                Decision::Join,
                STOP_REFUSED,
                STOP_REFUSED,
                STOP_REFUSED,
            ];
            assert_eq!(RECORDER_STATES.map(MetricsRecorderState::on_stop), expected);
        }

        #[test]
        fn events_and_metrics_are_accepted_before_and_while_running() {
            let expected = [true, true, true, false, false, false, false];
            assert_eq!(RECORDER_STATES.map(MetricsRecorderState::accepts), expected);
        }

        #[test]
        fn display_and_serde_give_the_same_upper_case_names() {
            RECORDER_STATES.into_iter().for_each(super::check_names);
        }
    }

    mod runtime {
        use super::MetricsRuntimeState::{self, Closed, Failure, Running, Starting, Stopping, Virgin};
        use super::{ShutdownDecision, StartDecision};

        const RUNTIME_STATES: [MetricsRuntimeState; 6] =
            [Virgin, Starting, Running, Stopping, Closed, Failure];

        #[test]
        fn the_table_of_start_is_the_contract() {
            use StartDecision::{Begin, Nothing, Refuse};
            let expected = [Begin, Refuse, Nothing, Refuse, Refuse, Refuse];
            assert_eq!(RUNTIME_STATES.map(MetricsRuntimeState::on_start), expected);
        }

        #[test]
        fn the_table_of_shutdown_is_the_contract() {
            use ShutdownDecision::{Begin, Close, Join, Refuse};
            let expected = [Close, Refuse, Begin, Join, Close, Refuse];
            assert_eq!(RUNTIME_STATES.map(MetricsRuntimeState::on_shutdown), expected);
        }

        #[test]
        fn display_and_serde_give_the_same_upper_case_names() {
            RUNTIME_STATES.into_iter().for_each(super::check_names);
        }
    }

    fn check_names(state: impl fmt::Display + Serialize) {
        let name = state.to_string();
        assert_eq!(serde_json::to_value(state).expect("a state serialises"), name);
        assert_eq!(name, name.to_uppercase());
    }
}
