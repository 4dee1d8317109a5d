//! The states of a recorder and what each call may do in them, as plain functions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The states of a recorder's life.
///
/// | call | `Virgin` | `Starting` | `Running` | `Stopping` | `Stopped` | `Failure`, `Cancelled` |
/// |---|---|---|---|---|---|---|
/// | `start` | starts | joins the start | refused | refused | starts again | refused |
/// | `stop` | refused | refused | processes what is pending, stops | joins the stop | refused | refused |
/// | `register_event` | accepts, starts | accepts and keeps | accepts | refused | refused | refused with the cause |
/// | `register_metric` | ok | ok | ok | refused | refused | refused with the cause |
/// | snapshots | ok | ok | ok | ok | ok | ok |
///
/// Refused is [`InvalidState`](crate::MetricsRecorderError::InvalidState). Displays and serialises as `VIRGIN` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum MetricsRecorderState {
    /// Created and not yet started; the first event or `start` starts it.
    Virgin,
    /// The `on_starting` hook runs; events are accepted and kept.
    Starting,
    /// Events are accepted and processed.
    Running,
    /// Accepted events are processed, new ones refused.
    Stopping,
    /// All accepted events are processed; can be started again.
    Stopped,
    /// A hook or, if the recorder was told so, a metric failed. Final.
    Failure,
    /// The task that processes events was aborted from outside. Final.
    Cancelled,
}

use MetricsRecorderState::{Cancelled, Failure, Running, Starting, Stopped, Stopping, Virgin};

impl fmt::Display for MetricsRecorderState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Virgin => "VIRGIN",
            Starting => "STARTING",
            Running => "RUNNING",
            Stopping => "STOPPING",
            Stopped => "STOPPED",
            Failure => "FAILURE",
            Cancelled => "CANCELLED",
        })
    }
}

/// What a lifecycle call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Begins the operation.
    Begin,
    /// Waits for the same operation, which is in progress.
    Join,
    /// Is refused; these states would allow it.
    Refuse(&'static [MetricsRecorderState]),
}

pub(super) fn on_start(state: MetricsRecorderState) -> Decision {
    match state {
        Virgin | Stopped => Decision::Begin,
        Starting => Decision::Join,
        Running | Stopping | Failure | Cancelled => Decision::Refuse(&[Virgin, Stopped]),
    }
}

pub(super) fn on_stop(state: MetricsRecorderState) -> Decision {
    match state {
        Running => Decision::Begin,
        Stopping => Decision::Join,
        Virgin | Starting | Stopped | Failure | Cancelled => Decision::Refuse(&[Running]),
    }
}

/// The states in which events and metrics are taken.
pub(super) const ACCEPTING: &[MetricsRecorderState] = &[Virgin, Starting, Running];

impl MetricsRecorderState {
    /// Whether events and metrics are taken.
    pub(super) fn accepts(self) -> bool {
        ACCEPTING.contains(&self)
    }

    /// Whether the recorder has failed for good.
    pub(super) fn has_failed(self) -> bool {
        matches!(self, Failure | Cancelled)
    }

    /// Whether accepted events are being processed.
    pub(super) fn processes(self) -> bool {
        matches!(self, Running | Stopping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [MetricsRecorderState; 7] = [Virgin, Starting, Running, Stopping, Stopped, Failure, Cancelled];

    #[test]
    fn the_table_of_start_is_the_contract() {
        const REFUSED: Decision = Decision::Refuse(&[Virgin, Stopped]);
        let expected = [Decision::Begin, Decision::Join, REFUSED, REFUSED, Decision::Begin, REFUSED, REFUSED];
        assert_eq!(ALL.map(on_start), expected);
    }

    #[test]
    fn the_table_of_stop_is_the_contract() {
        const REFUSED: Decision = Decision::Refuse(&[Running]);
        let expected = [REFUSED, REFUSED, Decision::Begin, Decision::Join, REFUSED, REFUSED, REFUSED];
        assert_eq!(ALL.map(on_stop), expected);
    }

    #[test]
    fn events_and_metrics_are_taken_before_and_while_running() {
        assert_eq!(ALL.map(MetricsRecorderState::accepts), [true, true, true, false, false, false, false]);
    }

    #[test]
    fn display_and_serde_give_the_same_upper_case_names() {
        for state in ALL {
            let serialised = serde_json::to_value(state).expect("a state serialises");
            assert_eq!(serialised, state.to_string());
            assert_eq!(state.to_string(), state.to_string().to_uppercase());
        }
    }
}
