//! The loop that gives turns to the recorders of a runtime.
//!
//! A recorder is *parked* until an event, a stop or a reader asks for a turn; then it is put on the list of the loop. A
//! recorder with pending events gets turns until it has none. After that it is looked at again on a short timer, so that
//! traffic that goes on needs no wake-up at all: producers then write into the queue and do nothing else. After a quiet
//! interval the recorder parks again. With no recorder on its list the loop sleeps.
//!
//! # Fairness
//!
//! The loop goes in rounds. In each round every recorder with pending events gets one turn, however it came to be on the
//! list, and a turn processes at most [`BUDGET`] events. So an event waits at most for the poll interval of its recorder,
//! for the events before it in its own queue, and for one turn of each other recorder per `BUDGET` of those; a recorder
//! that is flooded takes no more than its turn.

#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::atomic::{self, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::queue::SegmentPool;
use crate::recorder::{BUDGET, Listing, RecorderCore, Turn};

/// How long a recorder without events stays on the list, in intervals of the timer.
const QUIET_INTERVALS: u32 = 16;
/// How many recorders are looked at between two rounds of the busy ones.
const LOOKS_PER_ROUND: usize = 1_024;
/// How many rounds in a row may do nothing, because all busy recorders are being read, before the loop rests in between.
const FUTILE_ROUNDS: u32 = 64;
/// For how long it then rests.
const REST: Duration = Duration::from_millis(1);

pub(crate) struct EventLoop {
    ready: Mutex<Ready>,
    wake: Notify,
    /// Counts the turns of all recorders, as a sign of life.
    beats: AtomicU64,
    pub(crate) pool: crate::sync::Arc<SegmentPool>,
}

struct Ready {
    recorders: Vec<Arc<RecorderCore>>,
    /// Recorders somebody waits for although the loop has them already.
    visits: Vec<Arc<RecorderCore>>,
    /// Recorders that were started again after a stop, for the end of the loop.
    restarted: Vec<Weak<RecorderCore>>,
    sleep: Sleep,
    /// The runtime asks the loop to end.
    ends: bool,
    /// The loop has ended.
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Awake,
    /// Until the timer at the latest; until something urgent, or an event that may not wait for as long.
    Dozing {
        until: Instant,
    },
    /// Until something is asked of it.
    Parked,
}

/// A recorder without pending events that is looked at again later.
struct Quiet {
    look: Instant,
    /// How often in a row nothing had happened.
    intervals: u32,
    /// How many events were consumed when it was last looked at.
    consumed: u64,
    recorder: Arc<RecorderCore>,
}

/// Ordered so that the next look is the greatest.
impl Ord for Quiet {
    fn cmp(&self, other: &Self) -> Ordering {
        other.look.cmp(&self.look)
    }
}

impl PartialOrd for Quiet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quiet {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quiet {}

impl EventLoop {
    pub(crate) fn new() -> Self {
        Self {
            ready: Mutex::new(Ready {
                recorders: Vec::new(),
                visits: Vec::new(),
                restarted: Vec::new(),
                sleep: Sleep::Awake,
                ends: false,
                ended: false,
            }),
            wake: Notify::new(),
            beats: AtomicU64::new(0),
            pool: crate::sync::Arc::new(SegmentPool::new()),
        }
    }

    /// What tells this loop's thread from others.
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Puts a recorder on the list; `false` when the loop has ended. `listing` is the recorder's own.
    pub(crate) fn schedule(&self, recorder: &Arc<RecorderCore>, listing: &Listing, urgent: bool) -> bool {
        let wakes = {
            let mut ready = self.lock();
            if ready.ended {
                return false;
            }
            // Relaxed: under the lock.
            if !listing.scheduled.swap(true, atomic::Ordering::Relaxed) {
                ready.recorders.push(Arc::clone(recorder));
            } else if urgent && !listing.visited.swap(true, atomic::Ordering::Relaxed) {
                ready.visits.push(Arc::clone(recorder));
            }
            let wakes = match ready.sleep {
                Sleep::Awake => false,
                Sleep::Dozing { until } => urgent || Instant::now() + recorder.poll_interval() < until,
                Sleep::Parked => true,
            };
            if wakes {
                ready.sleep = Sleep::Awake;
            }
            wakes
        };
        if wakes {
            self.wake.notify_one();
        }
        true
    }

    /// Remembers a recorder that is started again, so that it ends with the loop wherever it is then; `false` when the loop
    /// has ended.
    pub(crate) fn remember(&self, recorder: &Arc<RecorderCore>, listing: &Listing) -> bool {
        let mut ready = self.lock();
        // Relaxed: under the lock.
        if ready.ended || listing.remembered.swap(true, atomic::Ordering::Relaxed) {
            return !ready.ended;
        }
        if ready.restarted.len() == ready.restarted.capacity() {
            ready.restarted.retain(|recorder| recorder.strong_count() > 0);
        }
        ready.restarted.push(Arc::downgrade(recorder));
        true
    }

    /// A recorder of this loop gets its turn.
    pub(crate) fn beat(&self) {
        // Relaxed: it orders nothing.
        self.beats.fetch_add(1, atomic::Ordering::Relaxed);
    }

    /// A number that changes while the loop does anything at all.
    pub(crate) fn beats(&self) -> u64 {
        self.beats.load(atomic::Ordering::Relaxed)
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
        let mut quiet: BinaryHeap<Quiet> = BinaryHeap::new();
        let mut visits: Vec<Arc<RecorderCore>> = Vec::new();
        let mut round = 0;
        let mut futile = 0;
        while self.admit(&mut busy, &mut visits) {
            round += 1;
            futile += 1;
            let visited = give_visits(round, &mut visits);
            let gave = self.give_turns(round, &mut busy, &mut quiet);
            let looked = self.look_at_quiet(&mut busy, &mut quiet);
            if visited || gave || looked {
                futile = 0;
            }
            if busy.is_empty() && visits.is_empty() {
                futile = 0;
                match quiet.peek() {
                    Some(next) => self.sleep(Sleep::Dozing { until: next.look }, Some(next.look)).await,
                    None => self.sleep(Sleep::Parked, None).await,
                }
            } else if futile > FUTILE_ROUNDS {
                self.sleep(Sleep::Parked, Some(Instant::now() + REST)).await;
            } else {
                if futile > 0 {
                    // The reader may want this very processor.
                    std::thread::yield_now();
                }
                tokio::task::yield_now().await;
            }
        }
        let (late, visits_left, restarted) = {
            let mut ready = self.lock();
            ready.ended = true;
            let Ready { recorders, visits, restarted, .. } = &mut *ready;
            (std::mem::take(recorders), std::mem::take(visits), std::mem::take(restarted))
        };
        drop((visits, visits_left));
        let left = busy.into_iter().chain(quiet.into_iter().map(|quiet| quiet.recorder)).chain(late);
        let left = left.chain(restarted.iter().filter_map(Weak::upgrade));
        left.for_each(|recorder| recorder.cancel());
    }

    /// Takes the recorders that were put on the list; `false` when the loop is to end.
    fn admit(&self, busy: &mut Vec<Arc<RecorderCore>>, visits: &mut Vec<Arc<RecorderCore>>) -> bool {
        let mut ready = self.lock();
        ready.sleep = Sleep::Awake;
        busy.append(&mut ready.recorders);
        for listing in ready.visits.iter().filter_map(|recorder| recorder.home.listing()) {
            // Relaxed: under the lock. Whoever asks from now on may want something that comes after this visit.
            listing.visited.store(false, atomic::Ordering::Relaxed);
        }
        visits.append(&mut ready.visits);
        !ready.ends
    }

    /// Gives each busy recorder its turn of the round; whether one of them could have it.
    fn give_turns(
        &self,
        round: u64,
        busy: &mut Vec<Arc<RecorderCore>>,
        quiet: &mut BinaryHeap<Quiet>,
    ) -> bool {
        if busy.is_empty() {
            return false;
        }
        let now = Instant::now();
        let mut some = false;
        busy.retain(|recorder| {
            if !recorder.home.may_take_turn(round) {
                // Somebody asked for a visit, and that was its turn.
                return true;
            }
            let Some(turn) = recorder.try_turn(BUDGET) else {
                return true;
            };
            some = true;
            match turn {
                Turn::More => true,
                Turn::Drained => {
                    let interval = recorder.poll_interval();
                    if interval.is_zero() {
                        return !recorder.park() || self.keeps(recorder);
                    }
                    if !recorder.leave_alone() {
                        return true;
                    }
                    let recorder = Arc::clone(recorder);
                    quiet.push(Quiet {
                        look: now + interval,
                        intervals: 0,
                        consumed: recorder.consumed(),
                        recorder,
                    });
                    false
                }
                Turn::Ended => self.keeps(recorder),
            }
        });
        some
    }

    /// Looks at the quiet recorders whose time has come; whether there were any.
    fn look_at_quiet(&self, busy: &mut Vec<Arc<RecorderCore>>, quiet: &mut BinaryHeap<Quiet>) -> bool {
        if quiet.is_empty() {
            return false;
        }
        let mut some = false;
        let now = Instant::now();
        for _ in 0..LOOKS_PER_ROUND {
            if quiet.peek().is_none_or(|next| next.look > now) {
                break;
            }
            let Some(Quiet { intervals, consumed, recorder, .. }) = quiet.pop() else {
                break;
            };
            some = true;
            let consumed_now = recorder.consumed();
            let intervals = if consumed_now == consumed { intervals + 1 } else { 0 };
            let parks = intervals > QUIET_INTERVALS && recorder.park();
            if recorder.has_work() || (parks && self.keeps(&recorder)) {
                recorder.home.begin_to_attend();
                busy.push(recorder);
            } else if !parks {
                let look = now + recorder.poll_interval();
                quiet.push(Quiet { look, intervals, consumed: consumed_now, recorder });
            }
        }
        some
    }

    /// Takes a recorder that has parked or ended off the list, unless there is something to do again; whether it stays.
    fn keeps(&self, recorder: &RecorderCore) -> bool {
        let Some(Listing { scheduled, .. }) = recorder.home.listing() else {
            return false;
        };
        {
            let _ready = self.lock();
            scheduled.store(false, atomic::Ordering::Relaxed);
        }
        // Whoever asked for a turn before the store found the recorder scheduled and relied on this look; whoever asks
        // after it puts the recorder on the list.
        recorder.wants_a_turn() && {
            let _ready = self.lock();
            !scheduled.swap(true, atomic::Ordering::Relaxed)
        }
    }

    /// Waits for the next look at a recorder, or for whoever asks for a turn and may wake a sleep of that kind.
    async fn sleep(&self, kind: Sleep, look: Option<Instant>) {
        if !self.falls_asleep(kind) {
            // Otherwise a loop that is asked for something in every round would keep the thread to itself.
            return tokio::task::yield_now().await;
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

    /// Says that the loop sleeps in that way, unless something is asked of it already.
    fn falls_asleep(&self, kind: Sleep) -> bool {
        let mut ready = self.lock();
        let falls_asleep = !ready.ends && ready.recorders.is_empty() && ready.visits.is_empty();
        if falls_asleep {
            ready.sleep = kind;
        }
        falls_asleep
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the recorders that somebody waits for their turn of the round; whether one of them could have it.
fn give_visits(round: u64, visits: &mut Vec<Arc<RecorderCore>>) -> bool {
    let mut some = false;
    visits.retain(|recorder| {
        if !recorder.home.may_take_turn(round) {
            // Of those that are there twice one is enough.
            return false;
        }
        let Some(turn) = recorder.try_turn(BUDGET) else {
            return true;
        };
        some = true;
        turn == Turn::More || !recorder.leave_alone()
    });
    some
}
