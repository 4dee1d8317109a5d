//! The scheduler: the event loop that gives turns to the recorders of a runtime.
//!
//! A recorder is *parked* until an event, a stop or a reader requests a turn. The request puts the recorder into the run
//! queue. A recorder with pending events gets turns until it has none. Then it is *idle*: the loop polls it on a timer, so
//! that traffic that goes on needs no wake-up. Producers then write into the queue and do nothing else. After
//! [`MAX_IDLE_POLLS`] polls without an event the recorder parks again. With no busy and no idle recorder the loop sleeps.
//!
//! # Fairness
//!
//! The loop goes in rounds. In each round every recorder with pending events gets one turn, and a turn processes at most
//! [`MAX_EVENTS_PER_TURN`] events. A flooded recorder takes no more than its turn. So an event waits at most for:
//!
//! * the poll interval of its recorder,
//! * the events before it in its own queue,
//! * one turn of every other recorder for each `MAX_EVENTS_PER_TURN` of these events.

#[cfg(all(test, mvx_loom))]
mod models;
mod run_queue;
#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::cmp::Ordering;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::sync::{Arc, Weak, atomic};
use std::time::{Duration, Instant};

use crate::sync::Mutex;
use tokio::sync::Notify;

use self::run_queue::{Request, Requested, RunQueue, Sleep};
use crate::queue::SegmentPool;

pub(super) use self::run_queue::ScheduleState;

/// How many events of one recorder are processed before other recorders get a turn.
pub(super) const MAX_EVENTS_PER_TURN: u64 = 1_024;
/// How many polls in a row find no event before a recorder parks.
const MAX_IDLE_POLLS: u32 = 16;
/// How many recorders are polled between two rounds of the busy ones.
const MAX_POLLS_PER_ROUND: usize = 1_024;
/// How many rounds in a row may make no progress before the loop pauses between two rounds. Rounds make no progress while
/// readers hold the metrics of all busy recorders, or while producers have reserved positions and not yet published.
const MAX_ROUNDS_WITHOUT_PROGRESS: u32 = 64;
/// How long the loop then pauses.
const NO_PROGRESS_BACKOFF: Duration = Duration::from_millis(1);

/// How a turn has left its recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnOutcome {
    /// Events are pending. `progress` says whether the turn consumed any.
    More { progress: bool },
    /// The turn consumed everything that was pending when it began.
    Drained,
    /// The recorder has ended and needs no further turns.
    Ended,
}

/// A recorder as the event loop sees it.
pub(super) trait Runnable: Send + Sync {
    fn schedule_state(&self) -> &ScheduleState;
    /// How long events may wait while traffic is recent.
    fn poll_interval(&self) -> Duration;
    /// How many events were consumed so far.
    fn consumed(&self) -> u64;
    /// Whether a poll finds something to do.
    fn has_work(&self) -> bool;
    /// Processes at most [`MAX_EVENTS_PER_TURN`] events. `None` while a reader holds the metrics.
    fn try_turn(&self) -> Option<TurnOutcome>;
    /// Ends a series of turns, unless the queue is above its watermark again. Answers whether it did.
    fn try_release(&self) -> bool;
    /// Parks the queue, unless events are pending or a reader holds the metrics. Answers whether the queue is parked.
    fn try_park(&self) -> bool;
    /// Whether a recorder that has just parked or ended needs a turn that no other thread will request.
    fn wants_turn(&self) -> bool;
    /// Ends the recorder, because its loop has ended.
    fn cancel(&self);
}

type RunnableRef = Arc<dyn Runnable>;

pub(crate) struct EventLoop {
    run_queue: RunQueue<RunnableRef>,
    wake: Notify,
    /// Counts turns. Waiting threads tell by it whether the loop makes progress.
    turns: atomic::AtomicU64,
    /// Recorders that were restarted. The loop must cancel them at its end, even when they are in none of its lists.
    restarted: Mutex<Restarted>,
    pub(super) pool: crate::sync::Arc<SegmentPool>,
}

#[derive(Default)]
struct Restarted {
    recorders: Vec<Weak<dyn Runnable>>,
    /// The loop has ended and cancels no more recorders.
    closed: bool,
}

/// A recorder without pending events that the loop polls.
struct Idle {
    next_poll: Instant,
    /// How many polls in a row found no event.
    polls: u32,
    /// How many events were consumed at the last poll.
    consumed: u64,
    recorder: RunnableRef,
}

/// The next poll is the greatest element, because [`BinaryHeap`] returns that one first.
impl Ord for Idle {
    fn cmp(&self, other: &Self) -> Ordering {
        other.next_poll.cmp(&self.next_poll)
    }
}

impl PartialOrd for Idle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Idle {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Idle {}

/// For all threads.
impl EventLoop {
    pub(crate) fn new() -> Self {
        Self {
            run_queue: RunQueue::new(),
            wake: Notify::new(),
            turns: atomic::AtomicU64::new(0),
            restarted: Mutex::default(),
            pool: crate::sync::Arc::new(SegmentPool::new()),
        }
    }

    /// A number that tells this loop, and so its thread, from others.
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Requests a turn of a recorder, and wakes the loop if it must. Answers `false` when the loop has ended.
    ///
    /// An urgent request does not wait for the timer of recorders with recent traffic.
    pub(super) fn schedule<R: Runnable + 'static>(&self, recorder: &Arc<R>, urgent: bool) -> bool {
        let requested = self.run_queue.request(
            recorder.schedule_state(),
            urgent,
            || Arc::clone(recorder) as RunnableRef,
            || Instant::now() + recorder.poll_interval(),
        );
        if requested == Requested::MustWake {
            self.wake.notify_one();
        }
        requested != Requested::Refused
    }

    /// Tracks a restarted recorder: the loop cancels it at its end, even if the runtime has removed it meanwhile. Answers
    /// `false` when the loop has ended.
    pub(super) fn track<R: Runnable + 'static>(&self, recorder: &Arc<R>) -> bool {
        let mut restarted = self.restarted.lock();
        // Relaxed: read and written under the lock.
        let tracked = recorder.schedule_state().tracked.swap(true, atomic::Ordering::Relaxed);
        if restarted.closed || tracked {
            return !restarted.closed;
        }
        if restarted.recorders.len() == restarted.recorders.capacity() {
            // Before the list grows, it forgets the recorders that no longer exist.
            restarted.recorders.retain(|recorder| recorder.strong_count() > 0);
        }
        let recorder: Weak<R> = Arc::downgrade(recorder);
        restarted.recorders.push(recorder);
        true
    }

    /// Counts a turn, or any other work that recorders of this loop get done.
    pub(super) fn record_progress(&self) {
        // Relaxed: the count orders nothing.
        self.turns.fetch_add(1, atomic::Ordering::Relaxed);
    }

    /// A number that changes while the loop gets work done.
    pub(super) fn progress_counter(&self) -> u64 {
        self.turns.load(atomic::Ordering::Relaxed)
    }

    /// Asks the loop to end after its current round.
    pub(crate) fn end(&self) {
        self.run_queue.end();
        self.wake.notify_one();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.run_queue.has_ended()
    }
}

/// The loop's own lists of recorders. They end with the loop, and their drop cancels the recorders.
struct Rounds<'a> {
    event_loop: &'a EventLoop,
    number: u64,
    /// Recorders with pending events. Each gets one turn in a round.
    busy: Vec<RunnableRef>,
    /// Busy and idle recorders that asked for a turn before the timer fires.
    priority: Vec<RunnableRef>,
    idle: BinaryHeap<Idle>,
    /// The list of requests that was emptied last. It changes places with the list in the run queue.
    requests: Vec<Request<RunnableRef>>,
}

/// For the loop's own thread.
impl EventLoop {
    /// Gives turns until it is told to end. Recorders that it has or tracks at its end are cancelled.
    pub(crate) async fn run(&self) {
        let mut rounds = Rounds::new(self);
        let mut rounds_without_progress = 0;
        while self.take_requests(&mut rounds) {
            rounds.number += 1;
            // Priority turns come first: a reader or a stop waits for them.
            let progress = [
                Self::give_priority_turns(&mut rounds),
                self.give_turns(&mut rounds),
                self.poll_idle(&mut rounds),
            ];
            let has_work = !rounds.busy.is_empty() || !rounds.priority.is_empty();
            rounds_without_progress =
                if has_work && progress == [false; 3] { rounds_without_progress + 1 } else { 0 };
            if !has_work {
                let next_poll = rounds.idle.peek().map(|idle| idle.next_poll);
                self.sleep(next_poll.map_or(Sleep::Parked, Sleep::Until), next_poll).await;
            } else if rounds_without_progress > MAX_ROUNDS_WITHOUT_PROGRESS {
                // Every request wakes this sleep, as it wakes a parked loop, but the work at hand does not wait for one.
                self.sleep(Sleep::Parked, Some(Instant::now() + NO_PROGRESS_BACKOFF)).await;
            } else {
                if rounds_without_progress > 0 {
                    // The reader or producer that is in the way may need this very processor.
                    std::thread::yield_now();
                }
                tokio::task::yield_now().await;
            }
        }
    }

    /// Moves the requests of other threads to the loop's own lists. Answers `false` when the loop is to end.
    fn take_requests(&self, rounds: &mut Rounds<'_>) -> bool {
        let goes_on =
            self.run_queue.take_requests(&mut rounds.requests, |recorder| recorder.schedule_state());
        for Request { recorder, has_priority } in rounds.requests.drain(..) {
            if has_priority { rounds.priority.push(recorder) } else { rounds.busy.push(recorder) }
        }
        goes_on
    }

    /// Gives the turns that must not wait. Answers whether there was progress.
    fn give_priority_turns(rounds: &mut Rounds<'_>) -> bool {
        let mut progress = false;
        rounds.priority.retain(|recorder| {
            if !recorder.schedule_state().begin_turn(rounds.number) {
                // The recorder is in the list twice, and had its turn.
                return false;
            }
            match recorder.try_turn() {
                None => true,
                Some(TurnOutcome::More { progress: consumed }) => {
                    progress |= consumed;
                    true
                }
                Some(TurnOutcome::Drained | TurnOutcome::Ended) => {
                    progress = true;
                    !recorder.try_release()
                }
            }
        });
        progress
    }

    /// Gives each busy recorder its turn of the round. Answers whether there was progress.
    fn give_turns(&self, rounds: &mut Rounds<'_>) -> bool {
        if rounds.busy.is_empty() {
            return false;
        }
        let now = Instant::now();
        let mut progress = false;
        rounds.busy.retain(|recorder| {
            if !recorder.schedule_state().begin_turn(rounds.number) {
                // It had a priority turn in this round.
                return true;
            }
            let outcome = match recorder.try_turn() {
                None => return true,
                Some(TurnOutcome::More { progress: consumed }) => {
                    progress |= consumed;
                    return true;
                }
                Some(outcome) => outcome,
            };
            progress = true;
            if !recorder.try_release() {
                return true;
            }
            if outcome == TurnOutcome::Ended {
                return self.deschedule(recorder);
            }
            let interval = recorder.poll_interval();
            if interval.is_zero() {
                return !recorder.try_park() || self.deschedule(recorder);
            }
            rounds.idle.push(Idle {
                next_poll: now + interval,
                polls: 0,
                consumed: recorder.consumed(),
                recorder: Arc::clone(recorder),
            });
            false
        });
        progress
    }

    /// Polls the idle recorders that are due. Answers whether any of them is busy again.
    fn poll_idle(&self, rounds: &mut Rounds<'_>) -> bool {
        if rounds.idle.is_empty() {
            return false;
        }
        let now = Instant::now();
        let mut progress = false;
        for _ in 0..MAX_POLLS_PER_ROUND {
            let due = rounds.idle.peek_mut().filter(|idle| idle.next_poll <= now).map(PeekMut::pop);
            let Some(Idle { polls, consumed, recorder, .. }) = due else {
                break;
            };
            let consumed_now = recorder.consumed();
            let polls = if consumed_now == consumed { polls + 1 } else { 0 };
            let parked = polls > MAX_IDLE_POLLS && recorder.try_park();
            // A recorder that is not parked sends no request for an event, so the loop itself must look.
            if recorder.has_work() || (parked && self.deschedule(&recorder)) {
                progress = true;
                recorder.schedule_state().set_turn_pending();
                rounds.busy.push(recorder);
            } else if !parked {
                let next_poll = now + recorder.poll_interval();
                rounds.idle.push(Idle { next_poll, polls, consumed: consumed_now, recorder });
            }
        }
        progress
    }

    /// Removes a recorder that has parked or ended from the run queue, unless it needs a turn all the same. Answers whether
    /// the loop keeps it.
    fn deschedule(&self, recorder: &RunnableRef) -> bool {
        self.run_queue.deschedule(recorder.schedule_state(), || recorder.wants_turn())
    }

    /// Sleeps until the next poll, or until a request that wakes this kind of sleep.
    async fn sleep(&self, kind: Sleep, next_poll: Option<Instant>) {
        if !self.run_queue.try_sleep(kind) {
            // A loop with a request in every round would otherwise never let the other tasks of its thread run.
            return tokio::task::yield_now().await;
        }
        match next_poll {
            None => self.wake.notified().await,
            Some(next_poll) if next_poll <= Instant::now() => tokio::task::yield_now().await,
            Some(next_poll) => {
                // Whether the timer or the wake-up came first makes no difference.
                let _ = tokio::time::timeout_at(next_poll.into(), self.wake.notified()).await;
            }
        }
    }

    /// Refuses requests from now on. Returns the recorders that rely on the loop and are in none of its own lists.
    fn close(&self) -> Vec<RunnableRef> {
        let requests = self.run_queue.close();
        let restarted = {
            let mut restarted = self.restarted.lock();
            restarted.closed = true;
            std::mem::take(&mut restarted.recorders)
        };
        let requested = requests.into_iter().map(|request| request.recorder);
        requested.chain(restarted.iter().filter_map(Weak::upgrade)).collect()
    }
}

impl<'a> Rounds<'a> {
    fn new(event_loop: &'a EventLoop) -> Self {
        Self {
            event_loop,
            number: 0,
            busy: Vec::new(),
            priority: Vec::new(),
            idle: BinaryHeap::new(),
            requests: Vec::new(),
        }
    }
}

impl Drop for Rounds<'_> {
    fn drop(&mut self) {
        let others = self.event_loop.close();
        let idle = self.idle.drain().map(|idle| idle.recorder);
        let requested = self.requests.drain(..).map(|request| request.recorder);
        let lists = self.busy.drain(..).chain(self.priority.drain(..));
        lists.chain(idle).chain(requested).chain(others).for_each(|recorder| recorder.cancel());
    }
}
