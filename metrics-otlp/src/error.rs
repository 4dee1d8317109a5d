//! The errors of a pusher.

use std::time::Duration;

use mvx_metrics::{MetricsRuntimeError, SharedError};
use thiserror::Error;

/// Why a pusher could not be started, or why a push did not arrive.
///
/// ```
/// use std::time::Duration;
///
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics_otlp::{OtlpOptions, OtlpPusher};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// let error = OtlpPusher::start(&runtime, OtlpOptions::new().interval(Duration::ZERO)).unwrap_err();
/// assert_eq!(error.to_string(), "invalid interval `0ns`: must be from 10 ms to 24 h");
/// assert_eq!(error.reason(), "OTLP_INVALID_OPTION");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// An option, or a variable of the environment, has a value that cannot be used.
    #[error("invalid {option} `{value}`: {problem}")]
    InvalidOption {
        /// The method of [`OtlpOptions`](crate::OtlpOptions), or the variable.
        option: &'static str,
        /// The value. Of a header it is the name alone, because its value may be a secret.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The system gives no thread, or no event loop for it.
    #[error("cannot create the thread of the pusher")]
    Thread {
        /// The error of the operating system.
        #[source]
        cause: SharedError,
    },
    /// The certificates of the operating system cannot be used.
    #[error("cannot read the certificates of the operating system")]
    Certificates {
        /// The first problem.
        #[source]
        cause: SharedError,
    },
    /// The runtime's totals cannot be read. In most cases it was never started.
    #[error("cannot read the totals")]
    Totals {
        /// The error of the runtime.
        #[source]
        cause: MetricsRuntimeError,
    },
    /// There is no connection to the collector: an unknown host, a refused connection, a failed TLS handshake.
    #[error("cannot reach the collector at {address}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The error of the operating system, or of TLS.
        #[source]
        cause: SharedError,
    },
    /// The connection ended before the answer, or the answer is not HTTP.
    #[error("the collector gave no answer in HTTP")]
    Disconnected {
        /// The error of the connection.
        #[source]
        cause: SharedError,
    },
    /// No answer came in time.
    #[error("the collector did not answer within {waited:?}")]
    TimedOut {
        /// The time that passed.
        waited: Duration,
    },
    /// The collector did not take the request.
    #[error("the collector answered {status}{}", after_colon(.message))]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// What the collector says, up to 256 characters; may be empty.
        message: String,
    },
    /// The collector took the request, and rejected some points of it.
    #[error("the collector rejected {points} points{}", after_colon(.message))]
    Rejected {
        /// How many points are lost.
        points: u64,
        /// What the collector says, up to 256 characters; may be empty.
        message: String,
    },
    /// The pusher's thread has ended, so no push is possible any more.
    #[error("the thread of the pusher has ended")]
    Ended,
}

impl OtlpError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidOption { .. } => "OTLP_INVALID_OPTION",
            Self::Thread { .. } => "OTLP_STARTUP_ERROR",
            Self::Certificates { .. } => "OTLP_CERTIFICATES_UNAVAILABLE",
            Self::Totals { .. } => "OTLP_TOTALS_UNAVAILABLE",
            Self::Unreachable { .. } => "OTLP_UNREACHABLE",
            Self::Disconnected { .. } => "OTLP_DISCONNECTED",
            Self::TimedOut { .. } => "OTLP_TIMED_OUT",
            Self::Refused { .. } => "OTLP_REFUSED",
            Self::Rejected { .. } => "OTLP_REJECTED",
            Self::Ended => "OTLP_ENDED",
        }
    }

    /// Whether two errors tell the same, so that the second one needs no line in the log.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let status =
            |error: &Self| if let Self::Refused { status, .. } = error { Some(*status) } else { None };
        self.reason() == other.reason() && status(self) == status(other)
    }
}

/// The message, if there is one, as the end of a sentence.
fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

pub(crate) fn invalid(option: &'static str, value: impl Into<String>, problem: &'static str) -> OtlpError {
    OtlpError::InvalidOption { option, value: value.into(), problem }
}
