//! The scheduler: the event loop that gives turns to the recorders of a runtime.
//!
//! A recorder is *parked* until an event, a stop or a reader requests a turn. The request puts the recorder into the run
//! queue. A recorder with pending events gets turns until it has none. Then it parks again. If its last turn was recent, it
//! is *polled* instead: its queue stays awake, and producers write into the queue and do nothing else. The loop looks at it
//! when the timer fires. The first look without an event parks it. Among many busy recorders a few looks may find nothing.
//!
//! A request wakes the loop, unless the loop looks in time anyway. While requests come often, the loop takes them on the
//! timer. So an event of one of many recorders costs no wake-up. [`PollTimer`] decides, and without traffic there is no timer.
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
mod poll_timer;
mod run_queue;
#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::sync::{Arc, Weak, atomic};
use std::time::{Duration, Instant};

use crate::sync::Mutex;
use tokio::sync::Notify;

use self::poll_timer::{MANY_RECORDERS, PollTimer, empty_looks, polling_pays};
use self::run_queue::{Request, Requested, RunQueue, Sleep};
use crate::queue::SegmentPool;

pub(super) use self::run_queue::ScheduleState;

/// How many events of one recorder are processed before other recorders get a turn.
pub(super) const MAX_EVENTS_PER_TURN: u64 = 1_024;
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

/// A recorder with pending events.
struct Busy {
    recorder: RunnableRef,
    /// The loop polled it and found the events.
    was_polled: bool,
}

/// A recorder that the loop looks at when the timer fires.
struct Polled {
    recorder: RunnableRef,
    /// How many looks in a row may find nothing before the recorder parks.
    empty_looks: u32,
}

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
            || recorder.poll_interval(),
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
    began: Instant,
    /// The time at which the current round began.
    now: Instant,
    /// The number of the current round: its time in nanoseconds since the loop began, or a little more where two would be equal.
    number: u64,
    /// Each gets one turn in a round.
    busy: Vec<Busy>,
    /// Recorders of the loop that asked for a turn before the timer fires.
    priority: Vec<RunnableRef>,
    polls: PollTimer<Polled>,
    /// The polled recorders that are due. Empty between two rounds.
    due: Vec<Polled>,
    /// The list of requests that was emptied last. It changes places with the list in the run queue.
    requests: Vec<Request<RunnableRef>>,
}

/// For the loop's own thread.
impl EventLoop {
    /// Gives turns until it is told to end. Recorders that it has or tracks at its end are cancelled.
    pub(crate) async fn run(&self) {
        let mut rounds = Rounds::new(self, Instant::now());
        let mut rounds_without_progress = 0;
        while self.begin_round(&mut rounds, Instant::now()) {
            // Priority turns come first: a reader or a stop waits for them.
            let progress = [Self::give_priority_turns(&mut rounds), Self::give_turns(&mut rounds)];
            let has_work = !rounds.busy.is_empty() || !rounds.priority.is_empty();
            rounds_without_progress =
                if has_work && progress == [false; 2] { rounds_without_progress + 1 } else { 0 };
            if !has_work {
                let next_poll = rounds.polls.next();
                let until = |time| Sleep::Until { time, length: time - rounds.now };
                self.sleep(next_poll.map_or(Sleep::Parked, until), next_poll).await;
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

    /// Begins the round of that time. Answers `false` when the loop is to end.
    fn begin_round(&self, rounds: &mut Rounds<'_>, now: Instant) -> bool {
        rounds.begin(now);
        let goes_on = self.take_requests(rounds);
        Self::poll(rounds);
        goes_on
    }

    /// Moves the requests of other threads to the loop's own lists. Answers `false` when the loop is to end.
    fn take_requests(&self, rounds: &mut Rounds<'_>) -> bool {
        let goes_on =
            self.run_queue.take_requests(&mut rounds.requests, |recorder| recorder.schedule_state());
        for Request { recorder, has_priority } in rounds.requests.drain(..) {
            if has_priority {
                rounds.priority.push(recorder);
            } else {
                rounds.polls.note_request(recorder.poll_interval(), rounds.now);
                rounds.busy.push(Busy { recorder, was_polled: false });
            }
        }
        goes_on
    }

    /// Looks at the polled recorders that are due. They become busy, or park, or are polled again while a reader holds their
    /// metrics.
    fn poll(rounds: &mut Rounds<'_>) {
        rounds.polls.take_due(rounds.now, &mut rounds.due);
        for Polled { recorder, empty_looks } in rounds.due.drain(..) {
            let has_work = recorder.has_work();
            let parked = !has_work && empty_looks == 0 && recorder.try_park();
            // A recorder that is not parked sends no request for an event, so the loop itself must look.
            if has_work || (parked && Self::deschedule(&recorder)) {
                recorder.schedule_state().set_turn_pending();
                rounds.busy.push(Busy { recorder, was_polled: has_work });
            } else if !parked {
                let interval = recorder.poll_interval();
                let polled = Polled { recorder, empty_looks: empty_looks.saturating_sub(1) };
                rounds.polls.poll_later(polled, interval, rounds.now);
            }
        }
    }

    /// Gives the turns that must not wait. Answers whether there was progress.
    fn give_priority_turns(rounds: &mut Rounds<'_>) -> bool {
        let mut progress = false;
        rounds.priority.retain(|recorder| {
            if recorder.schedule_state().begin_turn(rounds.number).is_none() {
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
    fn give_turns(rounds: &mut Rounds<'_>) -> bool {
        let mut progress = false;
        let shares_timer = rounds.busy.len() + rounds.polls.polled() >= MANY_RECORDERS;
        rounds.busy.retain(|Busy { recorder, was_polled }| {
            let Some(since_last_turn) = recorder.schedule_state().begin_turn(rounds.number) else {
                // It had a priority turn in this round.
                return true;
            };
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
                return Self::deschedule(recorder);
            }
            let interval = recorder.poll_interval();
            let is_close = *was_polled || polling_pays(since_last_turn, interval);
            let empty_looks = empty_looks(since_last_turn, interval, shares_timer).or(is_close.then_some(0));
            if empty_looks.is_none() && recorder.try_park() && !Self::deschedule(recorder) {
                return false;
            }
            // Events that have come meanwhile are left for the next poll: a consumer close behind a producer slows it down.
            if interval.is_zero() {
                return true;
            }
            let polled =
                Polled { recorder: Arc::clone(recorder), empty_looks: empty_looks.unwrap_or_default() };
            rounds.polls.poll_later(polled, interval, rounds.now);
            false
        });
        progress
    }

    /// Removes a recorder that has parked or ended from the run queue, unless it needs a turn all the same. Answers whether
    /// the loop keeps it.
    fn deschedule(recorder: &RunnableRef) -> bool {
        recorder.schedule_state().deschedule(|| recorder.wants_turn())
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
    fn new(event_loop: &'a EventLoop, began: Instant) -> Self {
        Self {
            event_loop,
            began,
            now: began,
            number: 0,
            busy: Vec::new(),
            priority: Vec::new(),
            polls: PollTimer::new(),
            due: Vec::new(),
            requests: Vec::new(),
        }
    }

    fn begin(&mut self, now: Instant) {
        self.now = now;
        let nanos = now.saturating_duration_since(self.began).as_nanos();
        // A u64 has the nanoseconds of 584 years.
        self.number = u64::try_from(nanos).unwrap_or(u64::MAX).max(self.number + 1);
    }
}

impl Drop for Rounds<'_> {
    fn drop(&mut self) {
        let others = self.event_loop.close();
        let requested = self.requests.drain(..).map(|request| request.recorder);
        let busy = self.busy.drain(..).map(|busy| busy.recorder);
        let polled = self.polls.drain().chain(self.due.drain(..)).map(|polled| polled.recorder);
        let lists = busy.chain(self.priority.drain(..)).chain(polled);
        lists.chain(requested).chain(others).for_each(|recorder| recorder.cancel());
    }
}
