//! The loop that gives turns to the recorders of a runtime.
//!
//! A recorder is *parked* until an event, a stop or a reader asks for a turn; then it is put on the list of the loop. A
//! recorder with pending events gets turns until it has none. After that it is looked at again on a short timer, so that
//! traffic that goes on needs no wake-up at all: producers then write into the queue and do nothing else. After a quiet
//! interval the recorder parks again. With no recorder on its list the loop sleeps.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::queue::SegmentPool;
use crate::recorder::{BUDGET, RecorderCore, Turn};

/// How long a recorder without events stays on the list, in intervals of the timer.
const QUIET_INTERVALS: u32 = 16;
/// How many recorders are looked at between two rounds of the busy ones.
const LOOKS_PER_ROUND: usize = 1_024;

pub(crate) struct EventLoop {
    ready: Mutex<Ready>,
    wake: Notify,
    /// A copy of `ready.sleep == Dozing` that producers may read without the lock.
    dozes: AtomicBool,
    /// The interval of the timer; zero parks recorders as soon as they have no events.
    interval: Duration,
    pub(crate) pool: crate::sync::Arc<SegmentPool>,
}

struct Ready {
    recorders: Vec<Arc<RecorderCore>>,
    /// Recorders somebody waits for although the loop has them already.
    visits: Vec<Arc<RecorderCore>>,
    sleep: Sleep,
    /// The runtime asks the loop to end.
    ends: bool,
    /// The loop has ended.
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Awake,
    /// Until the timer, or until something urgent.
    Dozing,
    /// Until something is asked of it.
    Parked,
}

/// A recorder without pending events that is looked at again later.
struct Quiet {
    recorder: Arc<RecorderCore>,
    look: Instant,
    intervals: u32,
}

impl EventLoop {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            ready: Mutex::new(Ready {
                recorders: Vec::new(),
                visits: Vec::new(),
                sleep: Sleep::Awake,
                ends: false,
                ended: false,
            }),
            wake: Notify::new(),
            dozes: AtomicBool::new(false),
            interval,
            pool: crate::sync::Arc::new(SegmentPool::new()),
        }
    }

    /// What tells this loop's thread from others.
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Puts a recorder on the list; `false` when the loop has ended. `scheduled` is the recorder's own, kept under the
    /// lock of the list.
    pub(crate) fn schedule(
        &self,
        recorder: &Arc<RecorderCore>,
        scheduled: &AtomicBool,
        urgent: bool,
    ) -> bool {
        let wakes = {
            let mut ready = self.lock();
            if ready.ended {
                return false;
            }
            // Relaxed: under the lock.
            if !scheduled.swap(true, Ordering::Relaxed) {
                ready.recorders.push(Arc::clone(recorder));
            } else if urgent {
                ready.visits.push(Arc::clone(recorder));
            }
            let wakes = ready.sleep == Sleep::Parked || (urgent && ready.sleep == Sleep::Dozing);
            if wakes {
                self.set_sleep(&mut ready, Sleep::Awake);
            }
            wakes
        };
        if wakes {
            self.wake.notify_one();
        }
        true
    }

    /// Wakes the loop when it waits for its timer.
    pub(crate) fn wake_dozing(&self) {
        // Relaxed: a hint. A producer that misses a doze looks again at its next checkpoint.
        if !self.dozes.load(Ordering::Relaxed) {
            return;
        }
        let wakes = {
            let mut ready = self.lock();
            let dozes = ready.sleep == Sleep::Dozing;
            if dozes {
                self.set_sleep(&mut ready, Sleep::Awake);
            }
            dozes
        };
        if wakes {
            self.wake.notify_one();
        }
    }

    /// Asks the loop to end after its current round.
    pub(crate) fn end(&self) {
        self.lock().ends = true;
        self.wake.notify_one();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Gives turns until it is told to end. Recorders that are then still on its list are cancelled.
    pub(crate) async fn run(&self) {
        let mut busy: Vec<Arc<RecorderCore>> = Vec::new();
        let mut quiet: VecDeque<Quiet> = VecDeque::new();
        let mut visits: Vec<Arc<RecorderCore>> = Vec::new();
        while self.admit(&mut busy, &mut visits) {
            visits.retain(|recorder| recorder.turn(BUDGET) == Turn::More);
            self.give_turns(&mut busy, &mut quiet);
            self.look_at_quiet(&mut busy, &mut quiet);
            if busy.is_empty() && visits.is_empty() {
                self.sleep(quiet.front().map(|next| next.look)).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
        let late = {
            let mut ready = self.lock();
            ready.ended = true;
            ready.visits.clear();
            std::mem::take(&mut ready.recorders)
        };
        let left = busy.into_iter().chain(quiet.into_iter().map(|quiet| quiet.recorder)).chain(late);
        left.for_each(|recorder| recorder.cancel());
    }

    /// Takes the recorders that were put on the list; `false` when the loop is to end.
    fn admit(&self, busy: &mut Vec<Arc<RecorderCore>>, visits: &mut Vec<Arc<RecorderCore>>) -> bool {
        let mut ready = self.lock();
        self.set_sleep(&mut ready, Sleep::Awake);
        busy.append(&mut ready.recorders);
        visits.append(&mut ready.visits);
        !ready.ends
    }

    /// Gives each busy recorder one turn.
    fn give_turns(&self, busy: &mut Vec<Arc<RecorderCore>>, quiet: &mut VecDeque<Quiet>) {
        if busy.is_empty() {
            return;
        }
        let look = Instant::now() + self.interval;
        busy.retain(|recorder| match recorder.turn(BUDGET) {
            Turn::More => true,
            Turn::Drained if self.interval.is_zero() => !recorder.park() || self.keeps(recorder),
            Turn::Drained => {
                quiet.push_back(Quiet { recorder: Arc::clone(recorder), look, intervals: 0 });
                false
            }
            Turn::Ended => self.keeps(recorder),
        });
    }

    /// Looks at the recorders whose time has come: busy again, still quiet, or quiet for long enough to park.
    fn look_at_quiet(&self, busy: &mut Vec<Arc<RecorderCore>>, quiet: &mut VecDeque<Quiet>) {
        if quiet.is_empty() {
            return;
        }
        let now = Instant::now();
        for _ in 0..LOOKS_PER_ROUND {
            if quiet.front().is_none_or(|next| next.look > now) {
                break;
            }
            let Some(next) = quiet.pop_front() else {
                break;
            };
            let parks = next.intervals >= QUIET_INTERVALS && next.recorder.park();
            if next.recorder.has_work() || (parks && self.keeps(&next.recorder)) {
                busy.push(next.recorder);
            } else if !parks {
                quiet.push_back(Quiet { look: now + self.interval, intervals: next.intervals + 1, ..next });
            }
        }
    }

    /// Takes a recorder that has parked or ended off the list, unless there is something to do again; whether it stays.
    fn keeps(&self, recorder: &RecorderCore) -> bool {
        let Some(scheduled) = recorder.home.scheduled() else {
            return false;
        };
        {
            let _ready = self.lock();
            scheduled.store(false, Ordering::Relaxed);
        }
        // Whoever asked for a turn before the store found the recorder scheduled and relied on this look; whoever asks
        // after it puts the recorder on the list.
        recorder.wants_a_turn() && {
            let _ready = self.lock();
            !scheduled.swap(true, Ordering::Relaxed)
        }
    }

    /// Waits for the next look at a quiet recorder, or for whoever asks for a turn.
    async fn sleep(&self, look: Option<Instant>) {
        {
            let mut ready = self.lock();
            if ready.ends || !ready.recorders.is_empty() || !ready.visits.is_empty() {
                return;
            }
            self.set_sleep(&mut ready, if look.is_some() { Sleep::Dozing } else { Sleep::Parked });
        }
        match look {
            None => self.wake.notified().await,
            Some(look) if look <= Instant::now() => tokio::task::yield_now().await,
            Some(look) => {
                // Either end of the wait is as good.
                let _ = tokio::time::timeout_at(look.into(), self.wake.notified()).await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_sleep(&self, ready: &mut Ready, sleep: Sleep) {
        ready.sleep = sleep;
        self.dozes.store(sleep == Sleep::Dozing, Ordering::Relaxed);
    }
}
