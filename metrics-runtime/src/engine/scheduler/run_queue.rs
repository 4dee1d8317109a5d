//! The part of the event loop that all threads use: the recorders that ask for a turn, and the kind of the loop's sleep.
//!
//! # Invariants
//!
//! * R1: while a recorder's `queued` flag is set, a request of it is in the list or the loop's thread has the recorder. So
//!   the recorder gets a turn without a further request.
//! * R2: the loop clears `queued` before it looks at a recorder for the last time ([`ScheduleState::deschedule`]). Work of a
//!   request that found the flag set is visible to that look. A later request finds it clear, and puts the recorder into the
//!   list again.
//! * R3: the loop goes to sleep only while the list is empty, and it says so under the lock of the list. A request that comes
//!   later finds the loop asleep and wakes it.
//!
//! Requests set `queued` under the lock of the list. The loop clears it without the lock, so that it does not take turns with
//! producers for each recorder that parks. `in_priority` is read and written under the lock only, so relaxed accesses suffice.

use std::time::{Duration, Instant};

use crate::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, lock_with_room};

/// How many requests wait for the loop's timer. Each recorder among them holds a segment, which the loop returns to the pool.
/// With no more of them than the pool keeps, these segments stay in the processor's cache.
pub(super) const MAX_WAITING_REQUESTS: usize = 64;

/// The scheduler's state of one recorder. It is part of the recorder, so that a request needs no lookup.
#[derive(Default)]
pub(crate) struct ScheduleState {
    /// A request of the recorder is in the list, or the loop has the recorder and gives it turns.
    queued: AtomicBool,
    /// A request for a turn before the timer fires is in the list.
    in_priority: AtomicBool,
    /// The event loop cancels the recorder at its end, wherever the recorder is then.
    pub(super) tracked: AtomicBool,
    /// A turn comes soon: a producer that finds the queue above its watermark need not ask for one.
    turn_pending: AtomicBool,
    /// The round of the loop in which the recorder had its last turn. Its number is a time in nanoseconds.
    last_round: AtomicU64,
}

impl ScheduleState {
    /// Whether the loop has the recorder, or is about to. The answer is a hint: it may change at any time.
    pub(crate) fn is_queued_hint(&self) -> bool {
        self.queued.load(Ordering::Relaxed)
    }

    /// Notes that a turn comes soon. Answers `true` to the first caller, which must ask for the turn.
    pub(crate) fn set_turn_pending(&self) -> bool {
        // AcqRel: pairs with the swap in `clear_turn_pending`. A producer that finds the flag set relies on the turn that
        // follows that swap, so its event must be visible to this turn.
        !self.turn_pending.swap(true, Ordering::AcqRel)
    }

    /// Notes that the turn is over: from now on, a producer that finds the queue above its watermark asks for a turn.
    pub(crate) fn clear_turn_pending(&self) {
        // AcqRel: pairs with the swap in `set_turn_pending`. Events pushed before that swap are visible to the caller.
        self.turn_pending.swap(false, Ordering::AcqRel);
    }

    /// Begins the recorder's turn in that round of the loop. Returns the time since its last turn; `None` when it had its turn in
    /// this round already.
    pub(super) fn begin_turn(&self, round: u64) -> Option<Duration> {
        // Relaxed: only the loop's thread uses it.
        let last = self.last_round.load(Ordering::Relaxed);
        self.last_round.store(round, Ordering::Relaxed);
        (last != round).then(|| Duration::from_nanos(round.saturating_sub(last)))
    }

    /// Gives up a recorder that has parked or ended, unless `wants_turn` finds work (R2). Answers whether the loop keeps it.
    pub(super) fn deschedule(&self, wants_turn: impl FnOnce() -> bool) -> bool {
        // AcqRel: pairs with the swap in `request`. If that one came first, the work of its caller is visible to `wants_turn`.
        self.queued.swap(false, Ordering::AcqRel);
        // AcqRel: as above. Another thread may have put the recorder into the list meanwhile.
        wants_turn() && !self.queued.swap(true, Ordering::AcqRel)
    }
}

/// The requests of other threads to the loop.
pub(super) struct RunQueue<R>(Mutex<Requests<R>>);

struct Requests<R> {
    list: Vec<Request<R>>,
    sleep: Sleep,
    phase: Phase,
}

/// A recorder that asks for a turn.
pub(super) struct Request<R> {
    pub(super) recorder: R,
    /// The loop has the recorder already, and its turn must not wait for the timer.
    pub(super) has_priority: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sleep {
    Awake,
    /// The loop sleeps until this time, for `length` at most. An urgent request wakes it, and so does a recorder with a shorter
    /// poll interval.
    Until {
        time: Instant,
        length: Duration,
    },
    /// The loop sleeps until the next request.
    Parked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// The runtime has asked the loop to end.
    Ending,
    Ended,
}

/// The answer to a request for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requested {
    /// The loop has ended. There will be no turn.
    Refused,
    /// The loop gives the turn in time.
    Noted,
    /// The same, and the caller must wake the loop.
    MustWake,
}

impl<R> RunQueue<R> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Requests { list: Vec::new(), sleep: Sleep::Awake, phase: Phase::Running }))
    }

    /// Asks for a turn of the recorder that `recorder` returns and `state` belongs to.
    ///
    /// An urgent request is served at once. Another one may wait for the loop's timer, for `poll_interval` at most.
    pub(super) fn request(
        &self,
        state: &ScheduleState,
        urgent: bool,
        recorder: impl FnOnce() -> R,
        poll_interval: impl FnOnce() -> Duration,
    ) -> Requested {
        let mut requests = lock_with_room(&self.0, |requests| &mut requests.list);
        if requests.phase == Phase::Ended {
            return Requested::Refused;
        }
        // AcqRel: pairs with the swap in `deschedule`. A caller that finds the flag set relies on the look after that swap, so
        // the caller's work must be visible to this look.
        if !state.queued.swap(true, Ordering::AcqRel) {
            requests.list.push(Request { recorder: recorder(), has_priority: false });
        } else if urgent && !state.in_priority.swap(true, Ordering::Relaxed) {
            requests.list.push(Request { recorder: recorder(), has_priority: true });
        }
        // The first thread that found the loop asleep may be preempted before it wakes the loop. So every thread wakes the
        // loop until the loop itself says that it is awake.
        let must_wake = match requests.sleep {
            Sleep::Awake => false,
            Sleep::Until { .. } if urgent || requests.list.len() >= MAX_WAITING_REQUESTS => true,
            Sleep::Until { time, length } => {
                let poll_interval = poll_interval();
                // The first comparison spares most callers a look at the clock.
                poll_interval < length && Instant::now() + poll_interval < time
            }
            Sleep::Parked => true,
        };
        if must_wake { Requested::MustWake } else { Requested::Noted }
    }

    /// Exchanges the list for `taken`, which is empty. Answers whether the loop goes on.
    ///
    /// `state_of` returns the state of a recorder.
    pub(super) fn take_requests(
        &self,
        taken: &mut Vec<Request<R>>,
        state_of: impl Fn(&R) -> &ScheduleState,
    ) -> bool {
        debug_assert!(taken.is_empty());
        let mut requests = self.lock();
        requests.sleep = Sleep::Awake;
        // An exchange allocates and frees nothing under the lock.
        std::mem::swap(taken, &mut requests.list);
        for request in taken.iter().filter(|request| request.has_priority) {
            // A request from now on may be about events that the coming turn does not see.
            state_of(&request.recorder).in_priority.store(false, Ordering::Relaxed);
        }
        requests.phase == Phase::Running
    }

    /// Puts the loop to sleep, unless there are requests (R3). Answers whether the loop may sleep.
    pub(super) fn try_sleep(&self, sleep: Sleep) -> bool {
        let mut requests = self.lock();
        let idle = requests.phase == Phase::Running && requests.list.is_empty();
        if idle {
            requests.sleep = sleep;
        }
        idle
    }

    /// Asks the loop to end after its current round. The caller must wake the loop.
    pub(super) fn end(&self) {
        let mut requests = self.lock();
        if requests.phase == Phase::Running {
            requests.phase = Phase::Ending;
        }
    }

    /// Refuses requests from now on. Returns the requests that got no turn.
    pub(super) fn close(&self) -> Vec<Request<R>> {
        let mut requests = self.lock();
        requests.phase = Phase::Ended;
        std::mem::take(&mut requests.list)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().phase == Phase::Ended
    }

    #[cfg(all(test, not(mvx_loom)))]
    pub(super) fn priority_requests(&self) -> usize {
        self.lock().list.iter().filter(|request| request.has_priority).count()
    }

    #[cfg(all(test, not(mvx_loom)))]
    pub(super) fn sleep(&self) -> Sleep {
        self.lock().sleep
    }

    fn lock(&self) -> MutexGuard<'_, Requests<R>> {
        self.0.lock()
    }
}
