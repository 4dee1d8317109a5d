//! Hooks: user code that runs when a recorder starts, when one of its metrics changes, and when it stops.

mod context;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::SharedError;
use crate::panics::{self, CatchDropPanic};
use crate::thread_role;

pub use self::context::{MetricChange, RecorderContext};

pub(crate) use self::context::HookedRecorder;

/// The error of a hook.
pub type HookError = Box<dyn Error + Send + Sync>;

/// Code that runs when a recorder starts and when it stops, for example to publish its final state.
///
/// Give it to one recorder with [`RecorderOptions::hooks`](crate::RecorderOptions::hooks), or to all recorders of a runtime with
/// [`MetricsRuntimeBuilder::hooks`](crate::MetricsRuntimeBuilder::hooks). These hooks cost nothing for each event. Code that runs
/// after each change is a [`ChangeListener`].
///
/// Hooks run where the recorder's events are processed, never on a producer's thread. Each call is awaited while other recorders
/// continue. A hook that returns an error or panics puts the recorder into
/// [`Failure`](crate::MetricsRecorderState::Failure). `Arc`s of hooks are hooks.
///
/// ```
/// use std::sync::mpsc;
///
/// use mvx_metrics::{
///     Counter, HookError, Metric, MetricsRuntime, RecorderContext, RecorderHooks, RecorderOptions, metric_event,
/// };
///
/// #[metric_event]
/// struct Sent;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Sent))]
/// struct Messages {
///     total: Counter,
/// }
///
/// /// Sends the final count of each connection to a list.
/// struct Archive(mpsc::Sender<(String, u64)>);
///
/// impl RecorderHooks for Archive {
///     async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
///         let messages = recorder.metric_snapshot::<Messages>()?.ok_or("no messages are measured")?;
///         self.0.send((recorder.entity_id().to_owned(), messages.total))?;
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let (sender, archive) = mpsc::channel();
/// let options = RecorderOptions::new().hooks(Archive(sender));
/// let recorder = runtime.create_recorder_with("connection-1", options)?;
/// recorder.metric::<Messages>()?;
/// recorder.emit(Sent);
///
/// runtime.stop_and_remove_recorder("connection-1")?;
/// assert_eq!(archive.recv()?, ("connection-1".to_owned(), 1));
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
pub trait RecorderHooks: Send + Sync + 'static {
    /// Runs before the recorder's first event of each run of its life, while it is `STARTING`.
    ///
    /// # Errors
    /// An error puts the recorder into `FAILURE`. Calls that wait for the start get `OnStartingHookFailed`. Pending events are
    /// discarded, and [`on_stopped`](Self::on_stopped) runs as cleanup.
    fn on_starting(
        &self,
        recorder: RecorderContext<'_>,
    ) -> impl Future<Output = Result<(), HookError>> + Send {
        let _ = recorder;
        async { Ok(()) }
    }

    /// Runs after the last event when the recorder stops, or as cleanup after a failure. Snapshots show the final state.
    ///
    /// The recorder is `STOPPING`; after a failure it is `FAILURE`, and its pending events are discarded already. After a failed
    /// start the cleanup runs too, also for hooks whose `on_starting` did not run, because that of the runtime's hooks had failed.
    ///
    /// # Errors
    /// An error puts the recorder into `FAILURE`. Calls that wait for the stop get `OnStoppedHookFailed`. As cleanup its error is
    /// only logged.
    fn on_stopped(
        &self,
        recorder: RecorderContext<'_>,
    ) -> impl Future<Output = Result<(), HookError>> + Send {
        let _ = recorder;
        async { Ok(()) }
    }
}

/// Code that runs after each event that changed a metric, for example an alarm or a live view.
///
/// Give it to one recorder with [`RecorderOptions::change_listener`](crate::RecorderOptions::change_listener), or to all recorders
/// of a runtime with [`MetricsRuntimeBuilder::change_listener`](crate::MetricsRuntimeBuilder::change_listener).
///
/// A recorder with a listener applies one event at a time, in a task of its own that each event after a pause wakes. The listener
/// runs where the events are processed, never on a producer's thread. Each call is awaited: the recorder's next event waits
/// for it, and other recorders continue. `Arc`s of listeners are listeners.
///
/// ```
/// use mvx_metrics::{ChangeListener, HookError, MetricChange};
///
/// struct Announce;
///
/// impl ChangeListener for Announce {
///     async fn on_metric_changed(&self, change: MetricChange<'_>) -> Result<(), HookError> {
///         eprintln!("{} changed by {}", change.metric_name(), change.event().event_type());
///         Ok(())
///     }
/// }
/// ```
pub trait ChangeListener: Send + Sync + 'static {
    /// Runs after a metric has accepted an event, before the next event is applied.
    ///
    /// An event that several metrics accept is applied to all of them first.
    ///
    /// # Errors
    /// An error or a panic puts the recorder into `FAILURE` with `Unexpected`, and its pending events are discarded.
    fn on_metric_changed(
        &self,
        change: MetricChange<'_>,
    ) -> impl Future<Output = Result<(), HookError>> + Send;
}

impl<H: RecorderHooks> RecorderHooks for Arc<H> {
    fn on_starting(
        &self,
        recorder: RecorderContext<'_>,
    ) -> impl Future<Output = Result<(), HookError>> + Send {
        RecorderHooks::on_starting(&**self, recorder)
    }

    fn on_stopped(
        &self,
        recorder: RecorderContext<'_>,
    ) -> impl Future<Output = Result<(), HookError>> + Send {
        RecorderHooks::on_stopped(&**self, recorder)
    }
}

impl<L: ChangeListener> ChangeListener for Arc<L> {
    fn on_metric_changed(
        &self,
        change: MetricChange<'_>,
    ) -> impl Future<Output = Result<(), HookError>> + Send {
        ChangeListener::on_metric_changed(&**self, change)
    }
}

/// A call of a hook in progress.
pub(crate) type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), HookError>> + Send + 'a>>;

/// [`RecorderHooks`] of any type.
pub(crate) trait DynHooks: Send + Sync {
    fn on_starting<'a>(&'a self, recorder: RecorderContext<'a>) -> HookFuture<'a>;
    fn on_stopped<'a>(&'a self, recorder: RecorderContext<'a>) -> HookFuture<'a>;
}

impl<H: RecorderHooks> DynHooks for H {
    fn on_starting<'a>(&'a self, recorder: RecorderContext<'a>) -> HookFuture<'a> {
        Box::pin(RecorderHooks::on_starting(self, recorder))
    }

    fn on_stopped<'a>(&'a self, recorder: RecorderContext<'a>) -> HookFuture<'a> {
        Box::pin(RecorderHooks::on_stopped(self, recorder))
    }
}

/// [`ChangeListener`]s of any type.
pub(crate) trait DynListener: Send + Sync {
    fn on_metric_changed<'a>(&'a self, change: MetricChange<'a>) -> HookFuture<'a>;
}

impl<L: ChangeListener> DynListener for L {
    fn on_metric_changed<'a>(&'a self, change: MetricChange<'a>) -> HookFuture<'a> {
        Box::pin(ChangeListener::on_metric_changed(self, change))
    }
}

/// The hooks and listeners of one recorder, or of all recorders of a runtime. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Option<Box<HookLists>>);

/// Boxed, because most recorders have none.
#[derive(Clone, Default)]
struct HookLists {
    /// In the order in which `on_starting` runs.
    lifecycle: Vec<CatchDropPanic<Arc<dyn DynHooks>>>,
    /// In the order in which they run.
    listeners: Vec<CatchDropPanic<Arc<dyn DynListener>>>,
}

impl Hooks {
    /// Takes these hooks in place of the former ones.
    pub(crate) fn set_lifecycle(&mut self, hooks: impl RecorderHooks) {
        self.0.get_or_insert_default().lifecycle = vec![CatchDropPanic::new(Arc::new(hooks))];
    }

    /// Takes this listener in place of the former one.
    pub(crate) fn set_listener(&mut self, listener: impl ChangeListener) {
        self.0.get_or_insert_default().listeners = vec![CatchDropPanic::new(Arc::new(listener))];
    }

    /// These hooks around `inner`: they start first and stop last.
    pub(crate) fn around(self, inner: Self) -> Self {
        match (self.0, inner.0) {
            (Some(mut outer), Some(inner)) => {
                outer.lifecycle.extend(inner.lifecycle);
                outer.listeners.extend(inner.listeners);
                Self(Some(outer))
            }
            (outer, inner) => Self(outer.or(inner)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn has_lifecycle(&self) -> bool {
        self.0.as_ref().is_some_and(|lists| !lists.lifecycle.is_empty())
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.0.as_ref().is_some_and(|lists| !lists.listeners.is_empty())
    }

    pub(crate) fn lifecycle(&self) -> impl DoubleEndedIterator<Item = &dyn DynHooks> {
        self.0.iter().flat_map(|lists| &lists.lifecycle).map(|hooks| &***hooks)
    }

    pub(crate) fn listeners(&self) -> impl Iterator<Item = &dyn DynListener> {
        self.0.iter().flat_map(|lists| &lists.listeners).map(|listener| &***listener)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hooks")
            .field("hooks", &self.has_lifecycle())
            .field("change_listener", &self.has_listeners())
            .finish()
    }
}

/// Calls a hook of the recorder of that identity and awaits it. A panic becomes an error. Blocking calls of the hook are
/// refused meanwhile.
pub(crate) async fn run<'a>(
    recorder: usize,
    hook: impl FnOnce() -> HookFuture<'a>,
) -> Result<(), SharedError> {
    let called = {
        let _role = thread_role::enter_hook(recorder);
        panics::catch(hook)
    };
    match called {
        Ok(future) => CatchUnwind { recorder, future: Some(future) }.await.map_err(SharedError::from),
        Err(panic) => Err(Arc::new(panic)),
    }
}

/// A hook's future. Its panics are caught, the panic of its `Drop` included.
struct CatchUnwind<'a> {
    recorder: usize,
    future: Option<HookFuture<'a>>,
}

impl Future for CatchUnwind<'_> {
    type Output = Result<(), HookError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let _role = thread_role::enter_hook(self.recorder);
        let Some(future) = self.future.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        match panics::catch(|| future.as_mut().poll(task)) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(Box::new(panic))),
        }
    }
}

impl Drop for CatchUnwind<'_> {
    fn drop(&mut self) {
        let _role = thread_role::enter_hook(self.recorder);
        let future = self.future.take();
        panics::catch_and_ignore(|| drop(future));
    }
}
