//! Asking for turns: the lists that everybody else writes to, and who wakes the loop.

use std::sync::atomic;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::EventLoop;
use crate::recorder::{Listing, RecorderCore};

/// What is asked of a loop, and how it sleeps.
pub(super) struct Ready {
    recorders: Vec<Arc<RecorderCore>>,
    /// Recorders somebody waits for although the loop has them already.
    pub(super) visits: Vec<Arc<RecorderCore>>,
    /// Recorders that were started again after a stop, for the end of the loop.
    pub(super) restarted: Vec<Weak<RecorderCore>>,
    pub(super) sleep: Sleep,
    /// The runtime asks the loop to end.
    ends: bool,
    /// The loop has ended.
    ended: bool,
}

impl Ready {
    pub(super) fn new() -> Self {
        Self {
            recorders: Vec::new(),
            visits: Vec::new(),
            restarted: Vec::new(),
            sleep: Sleep::Awake,
            ends: false,
            ended: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sleep {
    Awake,
    /// Until the timer at the latest; until something urgent, or an event that may not wait for as long.
    Dozing {
        until: Instant,
    },
    /// Until something is asked of it.
    Parked,
}

type Recorders = Vec<Arc<RecorderCore>>;

impl EventLoop {
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
            // Until the loop itself says that it is awake everyone wakes it: the thread that was the first may have lost its
            // processor on the way.
            match ready.sleep {
                Sleep::Awake => false,
                Sleep::Dozing { until } => urgent || Instant::now() + recorder.poll_interval() < until,
                Sleep::Parked => true,
            }
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

    /// Takes the recorders that were put on the list; `false` when the loop is to end.
    pub(super) fn admit(
        &self,
        busy: &mut Vec<Arc<RecorderCore>>,
        visits: &mut Vec<Arc<RecorderCore>>,
    ) -> bool {
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

    /// Takes a recorder that has parked or ended off the list, unless there is something to do again; whether it stays.
    pub(super) fn keeps(&self, recorder: &RecorderCore) -> bool {
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

    /// The loop has ended; what was put on the lists and not admitted.
    pub(super) fn close(&self) -> (Recorders, Recorders, Vec<Weak<RecorderCore>>) {
        let mut ready = self.lock();
        ready.ended = true;
        let Ready { recorders, visits, restarted, .. } = &mut *ready;
        (std::mem::take(recorders), std::mem::take(visits), std::mem::take(restarted))
    }

    /// Says that the loop sleeps in that way, unless something is asked of it already.
    pub(super) fn falls_asleep(&self, kind: Sleep) -> bool {
        let mut ready = self.lock();
        let falls_asleep = !ready.ends && ready.recorders.is_empty() && ready.visits.is_empty();
        if falls_asleep {
            ready.sleep = kind;
        }
        falls_asleep
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
