//! The errors of the two surfaces, recorder and runtime.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::state::{MetricsRecorderState, MetricsRuntimeState};

/// An error of user code or of the system. All waiters of the operation that it ended share it.
pub type SharedError = Arc<dyn Error + Send + Sync>;

/// The errors of a recorder.
///
/// Errors are cheap to clone: every caller that waited for a failed operation gets the same one.
///
/// ```
/// use std::error::Error;
///
/// use mvx_metrics::{HookError, MetricsRuntime, RecorderContext, RecorderHooks, RecorderOptions};
///
/// struct Unreachable;
///
/// impl RecorderHooks for Unreachable {
///     async fn on_starting(&self, _: RecorderContext<'_>) -> Result<(), HookError> {
///         Err("connection refused".into())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let error = runtime.create_recorder_with("news", RecorderOptions::new().hooks(Unreachable)).unwrap_err();
/// assert_eq!(error.reason(), "RECORDER_STARTUP_ERROR");
///
/// // From the outermost error to the one that the hook returned.
/// let causes = std::iter::successors(error.source(), |cause| (*cause).source());
/// let causes: Vec<String> = causes.map(ToString::to_string).collect();
/// assert_eq!(causes, ["the on_starting hook failed", "connection refused"]);
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum MetricsRecorderError {
    /// No event loop can process events: the recorder was created outside of a tokio runtime, or its runtime has ended.
    #[error(
        "no event loop is available: create the recorder in a running tokio runtime or through `MetricsRuntime`"
    )]
    LoopUnavailable,
    /// The recorder's state does not allow the call.
    #[error("recorder is {state}, expected {}", States(.expected))]
    InvalidState {
        /// The state the recorder was in.
        state: MetricsRecorderState,
        /// The states that allow the call.
        expected: &'static [MetricsRecorderState],
        /// The failure that put the recorder into this state, if one did.
        #[source]
        cause: Option<Arc<MetricsRecorderError>>,
    },
    /// `on_starting` returned an error or panicked.
    #[error("the on_starting hook failed")]
    OnStartingHookFailed {
        /// The error that the hook returned, or its panic.
        #[source]
        cause: SharedError,
    },
    /// `on_stopped` returned an error or panicked.
    #[error("the on_stopped hook failed")]
    OnStoppedHookFailed {
        /// The error that the hook returned, or its panic.
        #[source]
        cause: SharedError,
    },
    /// The queue is full, and the recorder's policy is to return an error.
    #[error("{limit} events are pending, the limit of this recorder")]
    QueueOverflow {
        /// The recorder's limit.
        limit: usize,
    },
    /// The task that processes events was aborted from outside, or its event loop ended.
    #[error("the task that processes events was cancelled")]
    DispatcherCancelled,
    /// A metric panicked, and the recorder's policy is to fail for that reason.
    #[error("metric `{metric}` failed")]
    MetricFailed {
        /// The metric's name.
        metric: String,
        /// The panic, with its message.
        #[source]
        cause: SharedError,
    },
    /// An argument cannot be used.
    #[error("invalid {argument}: {problem}")]
    InvalidArgument {
        /// The argument.
        argument: &'static str,
        /// Why it cannot be used.
        problem: &'static str,
    },
    /// The recorder's metric of that name has another type than the call asks for.
    #[error("the recorder's metric `{metric}` has another type")]
    MetricTypeMismatch {
        /// The metric's name.
        metric: String,
    },
    /// The metric needs the events of all threads in one order, and the recorder has a ring for each thread
    /// ([`Handoff::PerThread`](crate::Handoff::PerThread)).
    #[error("{problem}; use a recorder with `Handoff::Ordered`")]
    NeedsOrder {
        /// The metric's name.
        metric: String,
        /// What of the metric needs the order, and why.
        problem: String,
    },
    /// The call would wait for its own thread. It was refused at once.
    #[error("waiting here would deadlock: the call comes from the thread that would have to do the work")]
    WouldDeadlock,
    /// The call gave up waiting: a handler, a hook, another reader or a thread made no progress, or a timeout passed.
    ///
    /// Nothing is cancelled: the operation that the call waited for goes on.
    #[error("gave up after {waited:?}, waiting for {waited_for}")]
    Stalled {
        /// The name of the obstacle.
        waited_for: &'static str,
        /// How long the call saw no progress, or the timeout that passed.
        waited: Duration,
    },
    /// Another error, in most cases one of a change listener.
    #[error("unexpected error")]
    Unexpected {
        /// The error.
        #[source]
        cause: SharedError,
    },
}

impl MetricsRecorderError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::LoopUnavailable => "EVENT_LOOP_UNAVAILABLE",
            Self::InvalidState { .. } => "INVALID_RECORDER_STATE",
            Self::OnStartingHookFailed { .. } => "ON_STARTING_HOOK_FAILED",
            Self::OnStoppedHookFailed { .. } => "ON_STOPPED_HOOK_FAILED",
            Self::QueueOverflow { .. } => "QUEUE_OVERFLOW",
            Self::DispatcherCancelled => "DISPATCHER_UNEXPECTEDLY_CANCELLED",
            Self::MetricFailed { .. } => "METRIC_FAILED",
            Self::InvalidArgument { .. } | Self::MetricTypeMismatch { .. } | Self::NeedsOrder { .. } => {
                "INVALID_ARGUMENT"
            }
            Self::WouldDeadlock => "WOULD_DEADLOCK",
            Self::Stalled { .. } => "STALLED",
            Self::Unexpected { .. } => "UNEXPECTED_ERROR",
        }
    }

    pub(crate) fn unexpected(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Unexpected { cause: Arc::new(cause) }
    }

    pub(crate) fn metric_type_mismatch(metric: &str) -> Self {
        Self::MetricTypeMismatch { metric: metric.to_owned() }
    }
}

/// Why an event was not accepted, together with the event.
///
/// ```
/// use mvx_metrics::{MetricsRuntime, metric_event};
///
/// #[metric_event]
/// struct Paid {
///     cents: u64,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let recorder = runtime.create_recorder("till")?;
/// runtime.shutdown()?;
///
/// let refused = recorder.register_event(Paid { cents: 250 }).unwrap_err();
/// assert_eq!(refused.reason(), "INVALID_RECORDER_STATE");
/// assert_eq!(refused.error().to_string(), "recorder is STOPPED, expected VIRGIN or STARTING or RUNNING");
/// assert_eq!(refused.into_event().cents, 250);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RegisterEventError<E> {
    event: E,
    error: MetricsRecorderError,
}

impl<E> RegisterEventError<E> {
    /// The event and why it was not accepted, for a [`Recorder`](crate::Recorder) of your own.
    pub fn new(event: E, error: MetricsRecorderError) -> Self {
        Self { event, error }
    }

    /// The event, handed back.
    pub fn into_event(self) -> E {
        self.event
    }

    /// Why it was not accepted.
    pub fn error(&self) -> &MetricsRecorderError {
        &self.error
    }

    /// The event and why it was not accepted.
    pub fn into_parts(self) -> (E, MetricsRecorderError) {
        (self.event, self.error)
    }

    /// The stable code of the error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.error.reason()
    }
}

impl<E> fmt::Debug for RegisterEventError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RegisterEventError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<E> fmt::Display for RegisterEventError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the event was not accepted")
    }
}

impl<E> Error for RegisterEventError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl<E> From<RegisterEventError<E>> for MetricsRecorderError {
    fn from(error: RegisterEventError<E>) -> Self {
        error.error
    }
}

/// The errors of a runtime.
///
/// Errors of recorders turn into it, so a function that calls both can return it:
///
/// ```
/// use mvx_metrics::{Counter, Metric, MetricsRecorder, MetricsRuntime, MetricsRuntimeError, metric_event};
///
/// #[metric_event]
/// struct Saved;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Saved))]
/// struct Saves {
///     total: Counter,
/// }
///
/// fn storage(runtime: &MetricsRuntime) -> Result<MetricsRecorder, MetricsRuntimeError> {
///     let recorder = runtime.create_recorder("storage")?;
///     recorder.register_metric(Saves::default())?;
///     recorder.register_event(Saved)?;
///     Ok(recorder)
/// }
///
/// # fn main() -> Result<(), MetricsRuntimeError> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// storage(&runtime)?.stop().wait()?;
/// let error = storage(&runtime).unwrap_err();
/// assert_eq!((error.reason(), error.recorder_id()), ("RECORDER_ALREADY_EXISTS", Some("storage")));
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum MetricsRuntimeError {
    /// The runtime's state does not allow the call.
    #[error("runtime is {state}, expected {}", States(.expected))]
    InvalidState {
        /// The state the runtime was in.
        state: MetricsRuntimeState,
        /// The states that allow the call.
        expected: &'static [MetricsRuntimeState],
    },
    /// The runtime's thread or event loop could not be created, or was not ready in time.
    #[error("the runtime could not be started")]
    Startup {
        /// Why there is no thread or no event loop.
        #[source]
        cause: SharedError,
    },
    /// The runtime was shut down, but not everything ended as it should.
    #[error("the runtime did not shut down cleanly{}", Failures(.recorders, *.timed_out))]
    Shutdown {
        /// The recorders that failed to stop, by id, each with the cause.
        recorders: Vec<(String, MetricsRecorderError)>,
        /// Whether the runtime's thread, or the destructor of a metric, did not end within the timeout. It then goes on by itself.
        timed_out: bool,
    },
    /// The runtime has no event loop, although its state says so.
    #[error("the runtime's event loop is not available")]
    LoopUnavailable,
    /// A new recorder failed to start.
    #[error("recorder `{id}` could not be started")]
    RecorderStartup {
        /// The recorder's id.
        id: String,
        /// Why it did not start.
        #[source]
        cause: MetricsRecorderError,
    },
    /// A recorder of that id exists or is being created.
    #[error("recorder `{id}` already exists")]
    RecorderAlreadyExists {
        /// The id.
        id: String,
    },
    /// There is no recorder of that id, or it is being removed.
    #[error("recorder `{id}` was not found")]
    RecorderNotFound {
        /// The id.
        id: String,
    },
    /// A recorder could not be stopped.
    #[error("recorder `{id}` could not be stopped")]
    RecorderStop {
        /// The recorder's id.
        id: String,
        /// Why it did not stop.
        #[source]
        cause: MetricsRecorderError,
    },
    /// An argument cannot be used.
    #[error("invalid {argument}: {problem}")]
    InvalidArgument {
        /// The argument.
        argument: &'static str,
        /// Why it cannot be used.
        problem: &'static str,
    },
    /// The call would wait for its own thread. It was refused at once.
    #[error("waiting here would deadlock: the call comes from the thread that would have to do the work")]
    WouldDeadlock,
    /// The call gave up waiting: a handler, a hook, another reader or a thread made no progress, or a timeout passed.
    ///
    /// Nothing is cancelled: the operation that the call waited for goes on.
    #[error("gave up after {waited:?}, waiting for {waited_for}")]
    Stalled {
        /// The name of the obstacle.
        waited_for: &'static str,
        /// How long the call saw no progress, or the timeout that passed.
        waited: Duration,
    },
    /// An error of a recorder, so that `?` works in a function that calls both. Calls of the runtime do not return it.
    #[error(transparent)]
    Recorder(#[from] MetricsRecorderError),
    /// Another error.
    #[error("unexpected error")]
    Unexpected {
        /// The error.
        #[source]
        cause: SharedError,
    },
}

impl MetricsRuntimeError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidState { .. } => "INVALID_RUNTIME_STATE",
            Self::Startup { .. } => "STARTUP_ERROR",
            Self::Shutdown { .. } => "SHUTDOWN_ERROR",
            Self::LoopUnavailable => "EVENT_LOOP_UNAVAILABLE",
            Self::RecorderStartup { .. } => "RECORDER_STARTUP_ERROR",
            Self::RecorderAlreadyExists { .. } => "RECORDER_ALREADY_EXISTS",
            Self::RecorderNotFound { .. } => "RECORDER_NOT_FOUND",
            Self::RecorderStop { .. } => "RECORDER_STOP_ERROR",
            Self::InvalidArgument { .. } => "INVALID_ARGUMENT",
            Self::WouldDeadlock => "WOULD_DEADLOCK",
            Self::Stalled { .. } => "STALLED",
            Self::Recorder(error) => error.reason(),
            Self::Unexpected { .. } => "UNEXPECTED_ERROR",
        }
    }

    /// The id of the recorder that the call was about, if the error has it.
    #[must_use]
    pub fn recorder_id(&self) -> Option<&str> {
        match self {
            Self::RecorderStartup { id, .. }
            | Self::RecorderAlreadyExists { id }
            | Self::RecorderNotFound { id }
            | Self::RecorderStop { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// Hands on the reason, and drops the event.
impl<E> From<RegisterEventError<E>> for MetricsRuntimeError {
    fn from(error: RegisterEventError<E>) -> Self {
        Self::Recorder(error.error)
    }
}

/// An error with a stable code, for the log.
pub(crate) trait Reason: Error {
    fn reason(&self) -> &'static str;
}

impl Reason for MetricsRecorderError {
    fn reason(&self) -> &'static str {
        Self::reason(self)
    }
}

impl Reason for MetricsRuntimeError {
    fn reason(&self) -> &'static str {
        Self::reason(self)
    }
}

impl From<InvalidArgument> for MetricsRecorderError {
    fn from(InvalidArgument { argument, problem }: InvalidArgument) -> Self {
        Self::InvalidArgument { argument, problem }
    }
}

impl From<InvalidArgument> for MetricsRuntimeError {
    fn from(InvalidArgument { argument, problem }: InvalidArgument) -> Self {
        Self::InvalidArgument { argument, problem }
    }
}

/// An argument that cannot be used, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvalidArgument {
    pub(crate) argument: &'static str,
    pub(crate) problem: &'static str,
}

/// An operation that did not end in time.
#[derive(Debug, Clone, Copy, Error)]
#[error("no answer within {0:?}")]
pub(crate) struct TimedOut(pub(crate) Duration);

/// A list of states in a message: `VIRGIN or STOPPED`.
struct States<'a, S>(&'a [S]);

impl<S: fmt::Display> fmt::Display for States<'_, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, state) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " or " };
            write!(formatter, "{separator}{state}")?;
        }
        Ok(())
    }
}

/// The failures of a shutdown: at most eight recorders by name.
struct Failures<'a>(&'a [(String, MetricsRecorderError)], bool);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_NAMED_RECORDERS: usize = 8;
        for (index, (id, error)) in self.0.iter().take(MAX_NAMED_RECORDERS).enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(formatter, "{separator}recorder `{id}`: {error}")?;
        }
        if let Some(more @ 1..) = self.0.len().checked_sub(MAX_NAMED_RECORDERS) {
            write!(formatter, "; and {more} more recorders")?;
        }
        if self.1 { formatter.write_str("; its thread did not end in time") } else { Ok(()) }
    }
}
