//! The task of a recorder that was created directly or has hooks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::context;
use crate::error::{MetricsRecorderError, SharedError};
use crate::hooks::{self, DynHooks, MetricChange};
use crate::queue::{Batch, Consumer};
use crate::recorder::RecorderCore;
use crate::recorder::processing::{BUDGET, Turn};
use crate::recorder::state::MetricsRecorderState;

/// How long events with hooks are processed before others get their turn.
const LONGEST_TURN: Duration = Duration::from_micros(200);

/// Runs a recorder from its start to its stop or failure.
pub(super) fn work(core: Arc<RecorderCore>) -> impl Future<Output = ()> + Send {
    // Made here and not in the task, which may be dropped before it runs for the first time.
    let alive = Alive { core, ended: false };
    async move {
        let core = &alive.core;
        core.home.remember_driver();
        match core.hooks() {
            None => work_without_hooks(core).await,
            Some(hooks) => work_with_hooks(core, hooks).await,
        }
        alive.end();
    }
}

/// Cancels the recorder when its task ends without having come to an end.
struct Alive {
    core: Arc<RecorderCore>,
    ended: bool,
}

impl Alive {
    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.ended {
            self.core.worker_is_gone();
            self.core.cancel();
        }
    }
}

async fn work_without_hooks(core: &Arc<RecorderCore>) {
    loop {
        match core.try_turn(BUDGET) {
            Some(Turn::Ended) if core.worker_leaves() => break,
            Some(Turn::Drained) if core.park() => core.home.asked_for_a_turn().await,
            Some(Turn::Drained | Turn::More | Turn::Ended) => tokio::task::yield_now().await,
            // The thread has others to see to: it waits for no reader.
            None => let_others_run().await,
        }
    }
}

async fn work_with_hooks(core: &Arc<RecorderCore>, hooks: &dyn DynHooks) {
    let started = match core.state() {
        MetricsRecorderState::Starting => start(core, hooks).await,
        _ => Ok(()),
    };
    match started {
        Ok(()) => serve(core, hooks).await,
        Err(error) => {
            core.fail(&error);
        }
    }
    if core.state().has_failed() {
        // Who waits is answered on the way: no event is left, and nobody begins to wait any more.
        let_others_run_until(|| core.try_turn(BUDGET).filter(|turn| *turn == Turn::Ended)).await;
        clean_up(core, hooks).await;
    } else {
        let stopped = call(core, || hooks.on_stopped()).await;
        core.finish_stop(&stopped.map_err(|cause| MetricsRecorderError::OnStoppedHookFailed { cause }));
    }
}

async fn start(core: &Arc<RecorderCore>, hooks: &dyn DynHooks) -> Result<(), MetricsRecorderError> {
    let started = call(core, || hooks.on_starting()).await;
    started.map_err(|cause| MetricsRecorderError::OnStartingHookFailed { cause })?;
    core.finish_start();
    if core.handles.load(Ordering::Acquire) == 0 {
        // The last handle went while the hook ran.
        core.stop_silently();
    }
    Ok(())
}

/// Processes events until the recorder stops and nothing is pending, or until it fails.
async fn serve(core: &Arc<RecorderCore>, hooks: &dyn DynHooks) {
    let mut lease = Lease::take(core).await;
    core.home.beat();
    let mut turn = Instant::now();
    while core.state().processes() {
        if turn.elapsed() > LONGEST_TURN {
            // Hooks that never wait would keep the thread from the other recorders.
            tokio::task::yield_now().await;
            core.home.beat();
            turn = Instant::now();
        }
        if process_one(core, hooks, &mut lease.consumer).await {
            continue;
        }
        match core.state() {
            MetricsRecorderState::Stopping if core.is_drained() => {
                // It may not sleep, because there is an end to be made, but gives the last segment back.
                core.queue.park(&mut lease.consumer);
                return;
            }
            MetricsRecorderState::Running if core.queue.park(&mut lease.consumer) => {
                core.home.asked_for_a_turn().await;
            }
            _ => tokio::task::yield_now().await,
        }
    }
}

/// Processes one event with its hooks; whether there was one.
async fn process_one(core: &Arc<RecorderCore>, hooks: &dyn DynHooks, consumer: &mut Consumer) -> bool {
    let Some(run) = core.queue.next_batch(consumer, 1) else {
        return false;
    };
    let accepted = let_others_run_until(|| core.try_apply_first(&run)).await;
    let mut applied = Applied { core, run: Some(run), answers: true };
    for metric in accepted {
        let Some(run) = &mut applied.run else {
            break;
        };
        let change = MetricChange { recorder: core, metric: &metric, event: run.first() };
        let result = call(core, || hooks.on_metric_changed(change)).await;
        if let Err(cause) = result {
            // Before the event is counted as processed: who has waited for that finds the recorder in FAILURE.
            core.fail(&MetricsRecorderError::Unexpected { cause });
            break;
        }
    }
    applied.finish().await;
    true
}

/// Does what needs the lock of the metrics, once no reader has it: the thread has others to see to.
async fn let_others_run_until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        let_others_run().await;
    }
}

/// Lets the other tasks of this thread run, and the thread of a reader if it wants this processor.
async fn let_others_run() {
    std::thread::yield_now();
    tokio::task::yield_now().await;
}

/// An event that was applied; it is consumed when this is dropped, also when the task is aborted in a hook.
struct Applied<'a> {
    core: &'a RecorderCore,
    run: Option<Batch<'a>>,
    /// Whether those are still to be answered who wait for the event.
    answers: bool,
}

impl Applied<'_> {
    async fn finish(mut self) {
        self.consume();
        let_others_run_until(|| self.core.try_answer_waiting()).await;
        self.answers = false;
    }

    fn consume(&mut self) {
        if let Some(run) = self.run.take() {
            // The event's own code must not wait for this task.
            let _here = context::enter_metrics();
            run.consume();
        }
    }
}

impl Drop for Applied<'_> {
    fn drop(&mut self) {
        self.consume();
        if self.answers {
            // While somebody reads the metrics the end of the recorder answers them, which is what follows.
            self.core.try_answer_waiting();
        }
    }
}

/// Calls a hook; readers do not wait meanwhile.
async fn call<'a, F>(core: &RecorderCore, hook: F) -> Result<(), SharedError>
where
    F: FnOnce() -> std::pin::Pin<Box<dyn Future<Output = Result<(), hooks::HookError>> + Send + 'a>>,
{
    let _runs = HookRuns::begin(core);
    hooks::run(core.identity(), hook).await
}

/// Says that a hook runs, until it is dropped.
struct HookRuns<'a>(&'a RecorderCore);

impl<'a> HookRuns<'a> {
    fn begin(core: &'a RecorderCore) -> Self {
        // Release: who sees the flag sees the state the hook was called with.
        core.hook_runs.store(true, Ordering::Release);
        Self(core)
    }
}

impl Drop for HookRuns<'_> {
    fn drop(&mut self) {
        self.0.hook_runs.store(false, Ordering::Release);
    }
}

async fn clean_up(core: &RecorderCore, hooks: &dyn DynHooks) {
    if let Err(error) = call(core, || hooks.on_stopped()).await {
        core.log_error("metrics_recorder.cleanup.failed", None, &*error);
    }
}

/// The right to consume while hooks run between the events; goes back when the task ends, however it ends.
struct Lease<'a> {
    core: &'a RecorderCore,
    consumer: Consumer,
}

impl<'a> Lease<'a> {
    /// The task of the run before has given it back; a reader may have to let go of the metrics.
    async fn take(core: &'a RecorderCore) -> Self {
        let consumer = let_others_run_until(|| core.try_take_consumer()).await;
        Self { core, consumer }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.core.return_consumer(std::mem::replace(&mut self.consumer, Consumer::new()));
    }
}
