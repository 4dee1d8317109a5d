//! The task of a recorder. It runs the recorder's hooks, and unless an event loop does so, processes the events.
//!
//! | recorder | task |
//! |---|---|
//! | of a runtime, with lifecycle hooks only | exists while a hook runs; the event loop processes the events |
//! | with a change listener | from the start to the end of `on_stopped`; goes event by event |
//! | created directly, with lifecycle hooks | the same, but processes events in turns |
//! | created directly, without hooks | from the start to the stop; processes events in turns |
//!
//! With a listener the task applies one event under the metrics lock, runs the listener without the lock, and then consumes the
//! event.
//!
//! Tokio may drop the task at every await, for example when its runtime ends. Three guards then act: [`Lease`] returns the
//! consumer, [`AppliedEvent`] consumes the event, and [`CancelOnDrop`] cancels the recorder. So the recorder stays readable, and
//! its counts stay right.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::placement::Placement;
use super::recorder_inner::RecorderInner;
use super::scheduler::{MAX_EVENTS_PER_TURN, TurnOutcome};
use crate::queue::{Batch, Consumer};
use crate::state::MetricsRecorderState;
use crate::thread_role;

/// How long a worker task processes events with listeners before it lets other tasks of its thread run.
const MAX_TURN_DURATION: Duration = Duration::from_micros(200);

/// Runs a recorder from its start to its stop or failure. On an event loop it runs the hooks that the state calls for.
pub(super) fn run(recorder: Arc<RecorderInner>) -> impl Future<Output = ()> + Send {
    // The guard is made here and not in the task: tokio may drop the task before its first poll.
    let guard = CancelOnDrop { recorder, ended: false };
    async move {
        let recorder = &guard.recorder;
        if recorder.hooks.is_empty() {
            run_without_hooks(recorder).await;
        } else if matches!(recorder.placement, Placement::Loop(_)) {
            run_hooks_on_loop(recorder).await;
        } else {
            run_with_hooks(recorder).await;
        }
        guard.disarm();
    }
}

/// Cancels the recorder when its task is dropped before it has ended.
struct CancelOnDrop {
    recorder: Arc<RecorderInner>,
    ended: bool,
}

impl CancelOnDrop {
    fn disarm(mut self) {
        self.ended = true;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.ended {
            self.recorder.lifecycle().task_ended();
            self.recorder.cancel();
            self.recorder.end_cleanup();
        }
    }
}

async fn run_without_hooks(recorder: &Arc<RecorderInner>) {
    loop {
        process_in_turns(recorder).await;
        // A restart may come between the last turn and this. Then this task goes on with the new run.
        if recorder.lifecycle().try_end_task() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

/// Gives the recorder turns until it has ended, or stops and no event is pending.
async fn process_in_turns(recorder: &Arc<RecorderInner>) {
    loop {
        // Cleared before the turn: producers that found the flag set until now have their events in this turn.
        recorder.schedule_state.clear_turn_pending();
        match recorder.try_turn_of(MAX_EVENTS_PER_TURN) {
            Some(TurnOutcome::Ended) => break,
            Some(TurnOutcome::Drained) if recorder.park() => recorder.placement.woken().await,
            Some(TurnOutcome::Drained | TurnOutcome::More { progress: true }) => {
                tokio::task::yield_now().await;
            }
            // A reader holds the metrics, or a producer has not published. This thread has other tasks, so it does not block.
            Some(TurnOutcome::More { progress: false }) | None => yield_thread().await,
        }
    }
}

/// Runs the hooks that a recorder on an event loop needs in its state.
///
/// The recorder is STARTING; or it is STOPPING, and all its events are applied; or a metric has failed it.
async fn run_hooks_on_loop(recorder: &Arc<RecorderInner>) {
    if recorder.state() == MetricsRecorderState::Starting && start(recorder).await {
        return;
    }
    end(recorder).await;
}

async fn run_with_hooks(recorder: &Arc<RecorderInner>) {
    if recorder.state() == MetricsRecorderState::Starting && start(recorder).await {
        if recorder.hooks.has_listeners() {
            serve(recorder).await;
        } else {
            process_in_turns(recorder).await;
        }
    }
    end(recorder).await;
}

/// Runs `on_starting`. Answers whether the recorder runs now.
async fn start(recorder: &Arc<RecorderInner>) -> bool {
    let started = match recorder.run_on_starting().await {
        Ok(()) => recorder.finish_start(),
        Err(error) => {
            recorder.fail(&error, None);
            false
        }
    };
    let wants_turn = !recorder.is_parked() || recorder.wants_drain_end();
    if started && matches!(recorder.placement, Placement::Loop(_)) && wants_turn {
        // Events were accepted meanwhile, or the queue was not parked since the last stop. Or a producer that had found the
        // queue full before the last stop has requested this turn in STARTING.
        recorder.schedule(true);
    }
    if !recorder.has_handles() {
        // The last handle was dropped while the hook ran. Its stop was refused, because the recorder was STARTING. If the start
        // has failed, the stop is refused again, and tells what is lost.
        recorder.stop_silently();
    }
    started
}

/// Runs `on_stopped`, and ends the stop. After a failure it first discards the pending events and completes their waiters.
async fn end(recorder: &Arc<RecorderInner>) {
    if !recorder.state().has_failed() {
        return recorder.stop_with_hooks().await;
    }
    let ended = || {
        let turn = recorder.try_turn_of(MAX_EVENTS_PER_TURN);
        turn.filter(|turn| *turn == TurnOutcome::Ended)
    };
    retry_until_some(ended).await;
    recorder.clean_up().await;
    recorder.end_cleanup();
}

/// Processes events until the recorder fails, or until it stops and no event is pending.
async fn serve(recorder: &Arc<RecorderInner>) {
    let mut lease = Lease::take(recorder).await;
    let mut turn_began = Instant::now();
    while recorder.state().processes() {
        if turn_began.elapsed() > MAX_TURN_DURATION {
            // Listeners that never wait would otherwise keep the thread from other recorders.
            tokio::task::yield_now().await;
            turn_began = Instant::now();
        }
        if process_one(recorder, &mut lease.consumer).await {
            recorder.record_progress();
            continue;
        }
        recorder.schedule_state.clear_turn_pending();
        // Events were dropped, or producers wait for room, and no event is there to follow.
        if recorder.wants_drain_end() {
            retry_until_some(|| recorder.try_finish_event()).await;
        }
        match recorder.state() {
            MetricsRecorderState::Stopping if recorder.is_drained() => {
                // Parking gives the last segment back.
                recorder.queue.park(&mut lease.consumer);
                return;
            }
            MetricsRecorderState::Running if recorder.queue.park(&mut lease.consumer) => {
                recorder.placement.woken().await;
            }
            // An event was accepted, or a producer publishes it soon.
            _ => yield_thread().await,
        }
    }
}

/// Processes one event, and tells the listeners. Answers whether there was one.
async fn process_one(recorder: &RecorderInner, consumer: &mut Consumer) -> bool {
    let Some(batch) = recorder.queue.next_batch(consumer, 1) else {
        return false;
    };
    let accepted = retry_until_some(|| recorder.try_apply_first(&batch)).await;
    let mut applied = AppliedEvent { recorder, batch: Some(batch), is_finished: false };
    for metric in accepted {
        let Some(batch) = &mut applied.batch else {
            break;
        };
        if let Err(error) = recorder.run_on_metric_changed(&metric, batch).await {
            // The recorder fails before the event leaves the queue: a waiter for this event finds the FAILURE.
            recorder.fail(&error, Some(recorder.queue.consumed() + 1));
            break;
        }
    }
    applied.finish().await;
    true
}

/// Retries an attempt that needs the metrics lock. A reader may hold the lock, and this thread has other tasks.
async fn retry_until_some<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        yield_thread().await;
    }
}

/// Lets the other tasks of this thread run, and another thread that needs this processor.
async fn yield_thread() {
    std::thread::yield_now();
    tokio::task::yield_now().await;
}

/// An applied event. Its drop consumes it, so the event counts even when the task is aborted in a listener.
struct AppliedEvent<'a> {
    recorder: &'a RecorderInner,
    batch: Option<Batch<'a>>,
    /// Waiters for the event are completed.
    is_finished: bool,
}

impl AppliedEvent<'_> {
    async fn finish(mut self) {
        self.consume();
        retry_until_some(|| self.recorder.try_finish_event()).await;
        self.is_finished = true;
    }

    fn consume(&mut self) {
        if let Some(batch) = self.batch.take() {
            // The event's `Drop` is user code. Under this role, calls of it that would wait for this task are refused.
            let _role = thread_role::enter_metrics();
            batch.consume();
        }
    }
}

impl Drop for AppliedEvent<'_> {
    fn drop(&mut self) {
        self.consume();
        if !self.is_finished {
            // The task was aborted. If a reader holds the metrics, the waiters complete with the cancellation that follows.
            self.recorder.try_finish_event();
        }
    }
}

/// The consumer, while listeners run between the events. Its drop returns the consumer, however the task ends.
struct Lease<'a> {
    recorder: &'a RecorderInner,
    consumer: Consumer,
}

impl<'a> Lease<'a> {
    /// Waits while a reader holds the metrics. The task of the last run has returned the consumer already.
    async fn take(recorder: &'a RecorderInner) -> Self {
        let consumer = retry_until_some(|| recorder.try_take_consumer()).await;
        Self { recorder, consumer }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.recorder.return_consumer(std::mem::replace(&mut self.consumer, Consumer::new()));
    }
}
