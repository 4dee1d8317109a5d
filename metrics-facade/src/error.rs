//! The errors of building a recorder.

use mvx_metrics::{MetricsRecorderError, MetricsRuntimeError};
use thiserror::Error;

/// Why a [`FacadeRecorder`](crate::FacadeRecorder) could not be built or installed.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum FacadeError {
    /// An option has a value that it does not take.
    #[error("`{option}` {problem}")]
    InvalidOption {
        /// The method of the builder.
        option: &'static str,
        /// What is wrong, with the value.
        problem: String,
    },
    /// The runtime did not create a recorder: it is not running, or the id is in use.
    #[error("the runtime did not create a recorder")]
    Runtime(#[source] MetricsRuntimeError),
    /// The recorder did not take the metric.
    #[error("the recorder did not take the metric of the facade")]
    Recorder(#[source] MetricsRecorderError),
    /// The process has a recorder for the facade already.
    #[error("the facade has a recorder already, and takes one for the life of the process")]
    AlreadyInstalled,
}

impl FacadeError {
    /// The stable code of the error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidOption { .. } => "INVALID_OPTION",
            Self::Runtime(cause) => cause.reason(),
            Self::Recorder(cause) => cause.reason(),
            Self::AlreadyInstalled => "ALREADY_INSTALLED",
        }
    }
}
