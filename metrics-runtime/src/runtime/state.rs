//! The states of a runtime and what each call may do in them, as plain functions.

use std::fmt;

use serde::{Deserialize, Serialize};

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

use MetricsRuntimeState::{Closed, Failure, Running, Starting, Stopping, Virgin};

impl fmt::Display for MetricsRuntimeState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Virgin => "VIRGIN",
            Starting => "STARTING",
            Running => "RUNNING",
            Stopping => "STOPPING",
            Closed => "CLOSED",
            Failure => "FAILURE",
        })
    }
}

/// What `start` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Begin,
    Nothing,
    Refuse,
}

/// What `shutdown` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shutdown {
    Begin,
    /// Waits for the shutdown in progress and takes over its result.
    Join,
    /// Closes what was never opened, or stays closed.
    Close,
    Refuse,
}

pub(super) const STARTABLE: &[MetricsRuntimeState] = &[Virgin, Running];
pub(super) const SHUTDOWNABLE: &[MetricsRuntimeState] = &[Virgin, Running, Stopping, Closed];
pub(super) const USABLE: &[MetricsRuntimeState] = &[Running];

pub(super) fn on_start(state: MetricsRuntimeState) -> Start {
    match state {
        Virgin => Start::Begin,
        Running => Start::Nothing,
        Starting | Stopping | Closed | Failure => Start::Refuse,
    }
}

pub(super) fn on_shutdown(state: MetricsRuntimeState) -> Shutdown {
    match state {
        Running => Shutdown::Begin,
        Stopping => Shutdown::Join,
        Virgin | Closed => Shutdown::Close,
        Starting | Failure => Shutdown::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [MetricsRuntimeState; 6] = [Virgin, Starting, Running, Stopping, Closed, Failure];

    #[test]
    fn the_table_of_start_is_the_contract() {
        let expected =
            [Start::Begin, Start::Refuse, Start::Nothing, Start::Refuse, Start::Refuse, Start::Refuse];
        assert_eq!(ALL.map(on_start), expected);
    }

    #[test]
    fn the_table_of_shutdown_is_the_contract() {
        let expected = [
            Shutdown::Close,
            Shutdown::Refuse,
            Shutdown::Begin,
            Shutdown::Join,
            Shutdown::Close,
            Shutdown::Refuse,
        ];
        assert_eq!(ALL.map(on_shutdown), expected);
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
