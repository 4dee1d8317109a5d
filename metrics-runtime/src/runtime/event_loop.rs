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

mod list;
#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use self::list::{Ready, Sleep};
use crate::queue::SegmentPool;
use crate::recorder::{BUDGET, RecorderCore, Turn};

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
            ready: Mutex::new(Ready::new()),
            wake: Notify::new(),
            beats: AtomicU64::new(0),
            pool: crate::sync::Arc::new(SegmentPool::new()),
        }
    }

    /// What tells this loop's thread from others.
    pub(crate) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
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
        let (late, visits_left, restarted) = self.close();
        drop((visits, visits_left));
        let left = busy.into_iter().chain(quiet.into_iter().map(|quiet| quiet.recorder)).chain(late);
        let left = left.chain(restarted.iter().filter_map(Weak::upgrade));
        left.for_each(|recorder| recorder.cancel());
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
