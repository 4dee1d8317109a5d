//! What the handles of a runtime share: its state, its thread, its recorders.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::context;
use crate::error::{MetricsRecorderError, MetricsRuntimeError, SharedError, TimedOut};
use crate::log::{Kind, Operation, Speaker};
use crate::queue::Queue;
use crate::recorder::{
    Home, LifecycleHandle, MetricsRecorder, MetricsRecorderState, RecorderCore, RecorderOptions, Settings,
    check_queue_max_size, problem_of_poll_interval,
};
use crate::runtime::registry::Registry;
use crate::runtime::state::{SHUTDOWNABLE, STARTABLE, Shutdown, Start, USABLE, on_shutdown, on_start};
use crate::runtime::{EventLoop, MetricsRuntimeBuilder, MetricsRuntimeState, Result};
use crate::unwind;

pub(crate) struct Shared {
    namespace: Arc<str>,
    choices: MetricsRuntimeBuilder,
    event_loop: Arc<EventLoop>,
    control: Mutex<Control>,
    /// Threads that wait for `control`; whoever takes it again and again lets them in.
    waiting: AtomicUsize,
    /// What removed recorders have counted. Locked before `control`, never inside of it.
    #[cfg(feature = "openmetrics")]
    pub(super) retired: Mutex<crate::export::Retired>,
    #[cfg(feature = "openmetrics")]
    pub(crate) reported: crate::export::Reported,
}

/// What changes in the life of a runtime.
pub(super) struct Control {
    state: MetricsRuntimeState,
    pub(super) registry: Registry,
    environment: Option<Environment>,
    /// The shutdown in progress.
    shutdown: Option<Arc<Outcome>>,
}

/// The runtime's thread.
struct Environment {
    tokio: Handle,
    thread: JoinHandle<()>,
    /// Answers with an error when the thread is about to end.
    ended: mpsc::Receiver<()>,
}

/// The result of a shutdown, for all who wait for it.
type Outcome = OnceLock<Result<()>>;

/// Nobody can start or shut down the runtime any more; a start that was under way ends here.
impl Drop for Shared {
    fn drop(&mut self) {
        self.event_loop.end();
    }
}

impl Shared {
    pub(super) fn new(choices: MetricsRuntimeBuilder) -> Self {
        let control = Control {
            state: MetricsRuntimeState::Virgin,
            registry: Registry::default(),
            environment: None,
            shutdown: None,
        };
        Self {
            namespace: Arc::from(choices.namespace.trim()),
            event_loop: Arc::new(EventLoop::new()),
            choices,
            control: Mutex::new(control),
            waiting: AtomicUsize::new(0),
            #[cfg(feature = "openmetrics")]
            retired: Mutex::default(),
            #[cfg(feature = "openmetrics")]
            reported: crate::export::Reported::default(),
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn shared_namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    pub(crate) fn state(&self) -> MetricsRuntimeState {
        self.control().state
    }

    /// Shuts a running runtime down, as well as it can be done here.
    pub(super) fn shut_down_on_drop(&self) {
        if self.state() == MetricsRuntimeState::Running && self.shutdown().is_err() {
            // In a hook nothing can be waited for; the thread then ends after its current round.
            self.event_loop.end();
        }
    }

    pub(super) fn control(&self) -> MutexGuard<'_, Control> {
        if let Ok(control) = self.control.try_lock() {
            return control;
        }
        // Relaxed: a hint; the lock is what counts.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        control
    }

    /// Lets those have `control` who wait for it: a lock that is taken again at once is mostly gone before they wake up.
    pub(super) fn let_others_in(&self) {
        const PATIENCE: Duration = Duration::from_millis(1);
        let mut until = None;
        while self.waiting.load(Ordering::Relaxed) > 0 {
            let now = Instant::now();
            if now >= *until.get_or_insert(now + PATIENCE) {
                break;
            }
            thread::yield_now();
        }
    }

    pub(super) fn running(&self) -> Result<MutexGuard<'_, Control>> {
        let control = self.control();
        match control.state {
            MetricsRuntimeState::Running => Ok(control),
            state => Err(MetricsRuntimeError::InvalidState { state, expected: USABLE }),
        }
    }

    #[cfg(feature = "openmetrics")]
    pub(crate) fn log_policy(&self) -> crate::LogPolicy {
        self.choices.log_policy
    }

    pub(crate) fn logged<T>(
        &self,
        kind: Kind,
        event: &'static str,
        operation: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let log = Operation::new(Speaker::Runtime, self.choices.log_policy, kind, event);
        let log = log.invoke(&self.namespace, None, self.state());
        let result = operation();
        log.end(&self.namespace, None, self.state(), &result);
        result
    }

    /// Whether waiting would stop the runtime's own thread.
    pub(super) fn is_here(&self) -> bool {
        context::is_event_loop(self.event_loop.identity()) || context::in_hook() || context::in_metrics()
    }

    pub(super) fn refuse_to_wait_here(&self) -> Result<()> {
        if self.is_here() { Err(MetricsRuntimeError::WouldDeadlock) } else { Ok(()) }
    }

    /// Whether this is a hook of the very recorder of that id: its end would wait for the hook.
    pub(super) fn refuse_to_wait_for_own_hook(&self, id: &str) -> Result<()> {
        let own = context::in_hook()
            && self.control().registry.get(id.trim()).is_some_and(MetricsRecorder::is_in_hook);
        if own { Err(MetricsRuntimeError::WouldDeadlock) } else { Ok(()) }
    }

    pub(super) fn start(&self) -> Result<()> {
        self.logged(Kind::Lifecycle, "metrics_runtime.start", || {
            let mut control = self.control();
            match on_start(control.state) {
                Start::Nothing => return Ok(()),
                Start::Refuse => {
                    let state = control.state;
                    return Err(MetricsRuntimeError::InvalidState { state, expected: STARTABLE });
                }
                Start::Begin => control.state = MetricsRuntimeState::Starting,
            }
            drop(control);
            let environment = self.create_environment();
            let mut control = self.control();
            match environment {
                Ok(environment) => {
                    control.environment = Some(environment);
                    control.state = MetricsRuntimeState::Running;
                    Ok(())
                }
                Err(cause) => {
                    control.state = MetricsRuntimeState::Failure;
                    // Should the thread be ready too late, it ends at once.
                    self.event_loop.end();
                    Err(MetricsRuntimeError::Startup { cause })
                }
            }
        })
    }

    fn create_environment(&self) -> std::result::Result<Environment, SharedError> {
        let (ready, readiness) = mpsc::sync_channel(1);
        let (alive, ended) = mpsc::sync_channel(0);
        let event_loop = Arc::clone(&self.event_loop);
        let mut builder = thread::Builder::new().name(format!("{}.metrics_runtime", self.namespace));
        if let Some(bytes) = self.choices.thread_stack_size {
            builder = builder.stack_size(bytes);
        }
        let main = move || {
            let _alive = alive;
            run_event_loop(&event_loop, &ready);
        };
        let thread = builder.spawn(main).map_err(|error| Arc::new(error) as SharedError)?;
        let timeout = self.choices.startup_timeout;
        let tokio = readiness.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => Arc::new(TimedOut(timeout)) as SharedError,
            RecvTimeoutError::Disconnected => Arc::new(error),
        })??;
        Ok(Environment { tokio, thread, ended })
    }

    pub(super) fn shutdown(&self) -> Result<()> {
        self.logged(Kind::Lifecycle, "metrics_runtime.shutdown", || {
            self.refuse_to_wait_here()?;
            let mut control = self.control();
            let outcome = match on_shutdown(control.state) {
                Shutdown::Close => {
                    control.state = MetricsRuntimeState::Closed;
                    return Ok(());
                }
                Shutdown::Refuse => {
                    let state = control.state;
                    return Err(MetricsRuntimeError::InvalidState { state, expected: SHUTDOWNABLE });
                }
                Shutdown::Join => {
                    let outcome = control.shutdown.clone().ok_or(MetricsRuntimeError::LoopUnavailable)?;
                    // Whoever shuts down needs it to come to an end.
                    drop(control);
                    outcome
                }
                Shutdown::Begin => {
                    control.state = MetricsRuntimeState::Stopping;
                    let outcome = Arc::new(Outcome::new());
                    control.shutdown = Some(Arc::clone(&outcome));
                    let leaving = control.registry.leaving();
                    let recorders = control.registry.drain();
                    let environment = control.environment.take();
                    drop(control);
                    let result = self.end(recorders, leaving, environment);
                    self.control().state = match result {
                        Ok(()) => MetricsRuntimeState::Closed,
                        Err(_) => MetricsRuntimeState::Failure,
                    };
                    // The one place that sets it.
                    let _ = outcome.set(result);
                    outcome
                }
            };
            outcome.wait().clone()
        })
    }

    /// Stops the recorders and ends the thread.
    fn end(
        &self,
        recorders: Vec<(Arc<str>, MetricsRecorder)>,
        leaving: Vec<MetricsRecorder>,
        environment: Option<Environment>,
    ) -> Result<()> {
        let timeout = self.choices.shutdown_timeout;
        let deadline = deadline_in(timeout);
        // A part of the time is kept for the thread, which may have to give up what did not stop.
        let reserve = (timeout / 4).min(Duration::from_millis(500));
        let stop_deadline = deadline_in(timeout.saturating_sub(reserve));
        let stops: Vec<_> = recorders
            .into_iter()
            .map(|(id, recorder)| {
                let stop = (recorder.status() == MetricsRecorderState::Running).then(|| recorder.stop());
                (id, recorder, stop)
            })
            .collect();
        let mut failed = Vec::new();
        for (id, recorder, stop) in stops {
            if let Err(error) = self.stop_until(stop_deadline, &recorder, stop) {
                failed.push((id.to_string(), error));
            }
        }
        for recorder in leaving {
            // How that ends is told to whoever removes the recorder.
            drop(self.stop_until(stop_deadline, &recorder, None));
        }
        self.event_loop.end();
        let ended_in_time = environment.is_none_or(|environment| {
            let left = deadline.saturating_duration_since(Instant::now());
            match environment.ended.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout) => false,
                // A panic of the thread was caught inside of it.
                Ok(()) | Err(RecvTimeoutError::Disconnected) => environment.thread.join().is_ok(),
            }
        });
        if failed.is_empty() && ended_in_time {
            return Ok(());
        }
        Err(MetricsRuntimeError::Shutdown { recorders: failed, timed_out: !ended_in_time })
    }
}

impl Shared {
    /// Waits for the stop, or stops the recorder if there is none yet and the recorder has not stopped already.
    fn stop_until(
        &self,
        deadline: Instant,
        recorder: &MetricsRecorder,
        stop: Option<LifecycleHandle>,
    ) -> std::result::Result<(), MetricsRecorderError> {
        let stop = match recorder.status() {
            MetricsRecorderState::Virgin | MetricsRecorderState::Stopped => return Ok(()),
            MetricsRecorderState::Starting if stop.is_none() => {
                // How the start ends is in the state that follows it.
                drop(recorder.start().wait_until(deadline));
                recorder.stop()
            }
            _ => stop.unwrap_or_else(|| recorder.stop()),
        };
        match stop.wait_until(deadline) {
            // Somebody else's stop was faster.
            Some(Err(MetricsRecorderError::InvalidState {
                state: MetricsRecorderState::Stopped, ..
            })) => Ok(()),
            Some(result) => result,
            None => {
                let cause = Arc::new(TimedOut(self.choices.shutdown_timeout));
                Err(MetricsRecorderError::Unexpected { cause })
            }
        }
    }

    pub(super) fn create_recorder(&self, id: &str, options: RecorderOptions) -> Result<MetricsRecorder> {
        self.logged(Kind::Lifecycle, "metrics_runtime.create_recorder", || {
            let id: Arc<str> = Arc::from(valid_id(id)?);
            let limit =
                check_queue_max_size(options.queue_max_size.unwrap_or(self.choices.queue_max_size)).map_err(
                    |problem| MetricsRuntimeError::InvalidArgument { argument: "queue_max_size", problem },
                )?;
            if let Some(problem) = options.poll_interval.and_then(problem_of_poll_interval) {
                return Err(MetricsRuntimeError::InvalidArgument { argument: "poll_interval", problem });
            }
            self.refuse_to_wait_here()?;
            let home = {
                let mut control = self.running()?;
                if !control.registry.reserve(&id) {
                    return Err(MetricsRuntimeError::RecorderAlreadyExists { id: id.to_string() });
                }
                let environment = control.environment.as_ref().ok_or(MetricsRuntimeError::LoopUnavailable)?;
                if options.hooks.is_some() {
                    Home::in_task(environment.tokio.clone(), Some(Arc::clone(&self.event_loop)))
                } else {
                    Home::in_loop(Arc::clone(&self.event_loop))
                }
            };
            let recorder = self.new_recorder(&id, limit, options, home);
            let started = self.start_recorder(&id, &recorder);
            let mut control = self.control();
            if started.is_ok() && control.state == MetricsRuntimeState::Running {
                control.registry.insert(id, recorder.clone());
                return Ok(recorder);
            }
            control.registry.free(&id);
            let state = control.state;
            drop(control);
            started?;
            // The runtime was shut down meanwhile; the recorder stops when its only handle is dropped here.
            Err(MetricsRuntimeError::InvalidState { state, expected: USABLE })
        })
    }

    fn new_recorder(
        &self,
        id: &Arc<str>,
        limit: u64,
        options: RecorderOptions,
        home: Home,
    ) -> MetricsRecorder {
        let entity_id = options.entity_id.as_deref().map(str::trim).filter(|entity_id| !entity_id.is_empty());
        let settings = Settings {
            entity_id: entity_id.map_or_else(|| Arc::clone(id), Arc::from),
            namespace: options.namespace.as_deref().map_or_else(|| Arc::clone(&self.namespace), Arc::from),
            overflow: options.queue_overflow_policy.unwrap_or(self.choices.queue_overflow_policy),
            log_policy: options.log_policy.unwrap_or(self.choices.log_policy),
            metric_failure: options.metric_failure_policy,
            poll_interval: options.poll_interval.unwrap_or(self.choices.poll_interval),
        };
        let queue = Queue::new(limit, self.event_loop.pool.clone());
        MetricsRecorder::from_core(RecorderCore::new(queue, settings, options.hooks, home))
    }

    fn start_recorder(&self, id: &str, recorder: &MetricsRecorder) -> Result<()> {
        let timeout = self.choices.startup_timeout;
        let started = recorder.start().wait_until(deadline_in(timeout));
        let started = started
            .unwrap_or_else(|| Err(MetricsRecorderError::Unexpected { cause: Arc::new(TimedOut(timeout)) }));
        started.map_err(|cause| MetricsRuntimeError::RecorderStartup { id: id.to_owned(), cause })
    }

    pub(super) fn get_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.logged(Kind::Read, "metrics_runtime.get_recorder", || {
            let id = valid_id(id)?;
            self.running()?.registry.get(id).cloned().ok_or_else(|| not_found(id))
        })
    }

    pub(super) fn try_get_recorder(&self, id: &str) -> Result<Option<MetricsRecorder>> {
        self.logged(Kind::Read, "metrics_runtime.try_get_recorder", || {
            let id = valid_id(id)?;
            Ok(self.running()?.registry.get(id).cloned())
        })
    }

    pub(super) fn list_recorder_ids(&self) -> Result<Vec<String>> {
        self.logged(Kind::Read, "metrics_runtime.list_recorder_ids", || {
            Ok(self.running()?.registry.ids().map(ToString::to_string).collect())
        })
    }

    pub(super) fn stop_recorder(&self, id: &str) -> Result<()> {
        self.logged(Kind::Lifecycle, "metrics_runtime.stop_recorder", || {
            let id = valid_id(id)?;
            self.refuse_to_wait_here()?;
            let recorder = self.running()?.registry.get(id).cloned().ok_or_else(|| not_found(id))?;
            self.stop_within_timeout(id, &recorder)
        })
    }

    pub(super) fn stop_and_remove_recorder(&self, id: &str) -> Result<MetricsRecorder> {
        self.logged(Kind::Lifecycle, "metrics_runtime.stop_and_remove_recorder", || {
            let id = valid_id(id)?;
            self.refuse_to_wait_here()?;
            let leaving = self.running()?.registry.begin_removal(id);
            let (number, recorder) = leaving.ok_or_else(|| not_found(id))?;
            let stopped = self.stop_within_timeout(id, &recorder);
            self.retire(number, &recorder);
            stopped.map(|()| recorder)
        })
    }

    fn stop_within_timeout(&self, id: &str, recorder: &MetricsRecorder) -> Result<()> {
        let deadline = deadline_in(self.choices.shutdown_timeout);
        let stopped = self.stop_until(deadline, recorder, None);
        stopped.map_err(|cause| MetricsRuntimeError::RecorderStop { id: id.to_owned(), cause })
    }
}

/// The thread's main function.
fn run_event_loop(
    event_loop: &EventLoop,
    ready: &mpsc::SyncSender<std::result::Result<Handle, SharedError>>,
) {
    context::become_event_loop(event_loop.identity());
    let tokio = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(tokio) => tokio,
        Err(error) => {
            // Whoever started the runtime may have given up waiting.
            let _ = ready.send(Err(Arc::new(error)));
            return;
        }
    };
    let _ = ready.send(Ok(tokio.handle().clone()));
    unwind::contain(|| tokio.block_on(event_loop.run()));
    // Hooks that are still running are dropped, threads they left blocked are not waited for.
    unwind::contain(|| tokio.shutdown_background());
}

/// When a timeout that begins now is over; one beyond what the clock can show is over in a century.
fn deadline_in(timeout: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);
    let now = Instant::now();
    now + timeout.min(CENTURY)
}

fn valid_id(id: &str) -> Result<&str> {
    match id.trim() {
        "" => Err(MetricsRuntimeError::InvalidArgument {
            argument: "recorder id",
            problem: "must not be blank",
        }),
        id => Ok(id),
    }
}

fn not_found(id: &str) -> MetricsRuntimeError {
    MetricsRuntimeError::RecorderNotFound { id: id.to_owned() }
}
