//! The handoff of recorders that many cores share: a ring for each thread, and a *part* of the metrics for each ring.
//!
//! ARCHITECTURE has the argument why a cut is consistent. This module has the steps. It knows nothing of metrics: `F` says
//! what a part is.
//!
//! # Locks
//!
//! * The owner of the recorder's metrics makes cuts and parks; one thread at a time. So there is one cut at a time.
//! * The fold lock of a ring guards its part and the right to fold it. Handlers run under it.
//! * `park_lock` orders parking and unparking, and `members` guards the list of rings. Nothing is allocated or freed under
//!   them.
//!
//! # Invariants
//!
//! * E1: `control` only grows, apart from its flags. A cut and each unparking make a new epoch.
//! * E2: PARKED is set under `park_lock` only, and cleared there too. It stays set only when every ring was folded and
//!   absorbed, and announced nothing after the heavy barrier.
//! * E3: a part holds events of one generation of metrics.
//! * E4: while a cut has not visited a ring, the part that it absorbs there holds no event from the ring's mark on. So a producer
//!   that folds beyond the mark first sets this part aside.

#[cfg(all(test, not(mvx_loom)))]
mod tests;

use std::sync::Arc;
#[cfg(not(mvx_loom))]
use std::sync::atomic::AtomicUsize;
#[cfg(not(mvx_loom))]
use std::time::{Duration, Instant};

use crate::event::MetricEvent;
use crate::queue::barrier;
use crate::queue::consumer::Published;
use crate::queue::pool::SegmentPool;
use crate::queue::ring::{Ring, RingConsumer, Space};
use crate::queue::segment::OwnedSegment;
use crate::queue::slot::{self, EventMeta};
use crate::queue::{CLOSED, CachePadded, FLAGS, PARKED, PushError, WakeHint};
use crate::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, lock_with_room};

/// A cut gives up when another thread folds a ring for so long and makes no progress: its handler may not end.
#[cfg(not(mvx_loom))]
const FOLD_PATIENCE: Duration = Duration::from_millis(100);
/// How often a cut looks whether another thread still folds a ring.
#[cfg(not(mvx_loom))]
const MAX_FOLD_PAUSE: Duration = Duration::from_micros(100);

/// What rings are folded into.
pub(crate) trait Folding: Send + Sync {
    /// What one thread's events are applied to, until a cut absorbs it.
    type Part: Send;

    /// A number that changes when a part that is made anew would differ.
    fn generation(&self) -> u64;

    /// An empty part of the current generation.
    fn make(&self) -> Self::Part;

    fn apply(&self, part: &mut Self::Part, events: &Published<'_>);

    /// Whether this thread is inside of a fold, and so must not wait for another one.
    fn is_folding(&self) -> bool;

    /// Takes the slots for a ring, which may allocate. `None` inside of another such call: the user's allocator may emit events.
    fn take_slots(&self, pool: &SegmentPool) -> Option<OwnedSegment>;

    /// The thread is one that folds, until this is dropped.
    type Entered;

    fn enter(&self) -> Self::Entered;
}

pub(crate) struct Rings<F: Folding> {
    /// The epoch, CLOSED and PARKED. On a line of its own: producers read it for each event, and readers seldom change it.
    control: CachePadded<AtomicU64>,
    pub(crate) folding: F,
    pool: crate::sync::Arc<SegmentPool>,
    park_lock: Mutex<()>,
    members: Mutex<Members<F>>,
    cuts_begun: AtomicU64,
    cuts_ended: AtomicU64,
    /// What cuts have taken that did not end. The next one absorbs it. Used by the owner of the recorder's metrics only.
    taken: Mutex<Vec<Taken<F>>>,
    /// The last cut did not end.
    is_held_up: AtomicBool,
    /// How many batches readers and the consumer's thread have folded.
    progress: AtomicU64,
    fences: bool,
}

/// The parts of a cut from one ring.
struct Taken<F: Folding> {
    ring: Arc<ThreadRing<F>>,
    parts: Vec<F::Part>,
    /// With these parts all events before it are absorbed.
    until: u64,
}

struct Members<F: Folding> {
    /// A ring keeps its place, so that a thread can go through the list without holding the lock.
    rings: Vec<Option<Arc<ThreadRing<F>>>>,
    /// The counts of the rings that have left.
    left: Counts,
}

/// Numbers of events, over all rings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) published: u64,
    pub(crate) folded: u64,
    pub(crate) absorbed: u64,
    /// Folded without being applied.
    pub(crate) discarded: u64,
    /// Those of them that are absorbed.
    pub(crate) discarded_absorbed: u64,
}

/// The ring of one thread.
pub(crate) struct ThreadRing<F: Folding> {
    ring: Ring,
    /// The fold lock.
    part: Mutex<PartState<F::Part>>,
    /// The events before it are absorbed.
    absorbed: AtomicU64,
    /// The events from it on are folded without being applied.
    discarded_from: AtomicU64,
    /// The thread has ended.
    has_left: AtomicBool,
    /// A cut waits for the fold lock.
    #[cfg(not(mvx_loom))]
    is_wanted: AtomicBool,
    /// The thread that folds the ring; 0 for none.
    #[cfg(not(mvx_loom))]
    folder: AtomicUsize,
}

struct PartState<P> {
    consumer: RingConsumer,
    /// What events are applied to, and its generation.
    current: Option<(u64, P)>,
    /// Parts that the next cut absorbs.
    aside: Vec<P>,
    /// The control word of the cut for which the producer has set its part aside.
    aside_for: u64,
}

/// What happens to events that are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Apply,
    Discard,
}

impl<F: Folding> Rings<F> {
    /// Open and parked, without rings.
    pub(crate) fn new(folding: F, pool: crate::sync::Arc<SegmentPool>) -> Self {
        Self {
            control: CachePadded(AtomicU64::new(PARKED)),
            folding,
            pool,
            park_lock: Mutex::new(()),
            members: Mutex::new(Members { rings: Vec::new(), left: Counts::default() }),
            cuts_begun: AtomicU64::new(0),
            cuts_ended: AtomicU64::new(0),
            taken: Mutex::new(Vec::new()),
            is_held_up: AtomicBool::new(false),
            progress: AtomicU64::new(0),
            fences: barrier::producers_fence(),
        }
    }

    fn control(&self) -> &AtomicU64 {
        &self.control.0
    }

    /// A ring for one more thread.
    pub(crate) fn join(&self) -> Arc<ThreadRing<F>> {
        let ring = Arc::new(ThreadRing {
            ring: Ring::new(self.fences, self.pool.clone()),
            part: Mutex::new(PartState {
                consumer: RingConsumer::new(),
                current: None,
                aside: Vec::new(),
                aside_for: 0,
            }),
            absorbed: AtomicU64::new(0),
            discarded_from: AtomicU64::new(u64::MAX),
            has_left: AtomicBool::new(false),
            #[cfg(not(mvx_loom))]
            is_wanted: AtomicBool::new(false),
            #[cfg(not(mvx_loom))]
            folder: AtomicUsize::new(0),
        });
        let member = Some(Arc::clone(&ring));
        let mut members = lock_with_room(&self.members, |members| &mut members.rings);
        match members.rings.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = member,
            None => members.rings.push(member),
        }
        ring
    }

    /// Gives a ring up, because its thread has ended. Answers whether a cut is needed, because the ring is not absorbed.
    pub(crate) fn leave(&self, ring: &ThreadRing<F>) -> bool {
        // Release: pairs with `cut`. The thread pushes nothing more.
        ring.has_left.store(true, Ordering::Release);
        !self.remove_if_absorbed(ring)
    }

    /// Removes the ring of an ended thread if all its events are absorbed.
    fn remove_if_absorbed(&self, ring: &ThreadRing<F>) -> bool {
        let removed = {
            let mut members = self.members.lock();
            let counts = ring.counts();
            if counts.absorbed != counts.published {
                return false;
            }
            let is_ring = |place: &&mut Option<Arc<_>>| {
                place.as_ref().is_some_and(|member| std::ptr::eq(&raw const **member, ring))
            };
            let Members { rings, left } = &mut *members;
            let removed = rings.iter_mut().find(is_ring).and_then(Option::take);
            if removed.is_some() {
                left.add(counts);
            }
            removed
        };
        // Freed when the lock is released.
        drop(removed);
        true
    }

    /// The ring at a place of the list; the outer `None` is the end of the list.
    #[expect(clippy::option_option, reason = "a free place is not the end")]
    fn ring_at(&self, place: usize) -> Option<Option<Arc<ThreadRing<F>>>> {
        self.members.lock().rings.get(place).cloned()
    }

    /// All rings. One that joins meanwhile may be missing: its thread has emitted nothing before this call.
    fn rings(&self) -> impl Iterator<Item = Arc<ThreadRing<F>>> {
        (0..).map_while(|place| self.ring_at(place)).flatten()
    }

    /// The counts of all rings at this moment. `folded` and `absorbed` are never above `published`.
    pub(crate) fn counts(&self) -> Counts {
        let members = self.members.lock();
        let mut counts = members.left;
        for ring in members.rings.iter().flatten() {
            counts.add(ring.counts());
        }
        counts
    }

    /// Whether every event is absorbed, and no producer is about to publish one. The recorder is closed.
    pub(crate) fn is_drained(&self) -> bool {
        let members = self.members.lock();
        members.rings.iter().flatten().all(|ring| ring.is_quiet())
    }

    /// How many rings there are.
    #[cfg(test)]
    pub(crate) fn members(&self) -> usize {
        self.members.lock().rings.iter().flatten().count()
    }
}

/// The control word.
impl<F: Folding> Rings<F> {
    /// Refuses events from now on. Events that producers have announced by then are still accepted.
    pub(crate) fn close(&self) {
        // AcqRel: orders the state change, as the recorder's `lifecycle` lock also does.
        self.control().fetch_or(CLOSED, Ordering::AcqRel);
        // Without its effect the stop might miss an event of this very moment; the drop of the rings would drop it.
        let _ = barrier::heavy();
    }

    /// Accepts events again.
    pub(crate) fn reopen(&self) {
        // AcqRel: as in `close`.
        self.control().fetch_and(!CLOSED, Ordering::AcqRel);
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: as in `close`.
        self.control().load(Ordering::Acquire) & CLOSED != 0
    }

    pub(crate) fn is_parked(&self) -> bool {
        // Acquire: pairs with the exchanges of `park` and `unpark`.
        self.control().load(Ordering::Acquire) & PARKED != 0
    }

    /// The number of the cut that includes all events that were accepted before this call. It may have ended already.
    pub(crate) fn next_cut(&self) -> u64 {
        // The lock of the list orders this call and each cut. A cut that locks the list later sees the events that were published
        // before this call. This thread sees a cut that has locked it earlier.
        let Counts { published, absorbed, .. } = self.counts();
        // Acquire: pairs with `cut`.
        if published == absorbed { self.cuts_ended() } else { self.cuts_begun.load(Ordering::Acquire) + 1 }
    }

    /// A number that grows while readers and the consumer's thread fold and absorb. What producers fold brings no cut closer to
    /// its end, and neither does a cut that gives up.
    pub(crate) fn progress(&self) -> u64 {
        // Acquire: pairs with `cut`. Relaxed: a number to compare.
        let folded =
            if self.is_held_up.load(Ordering::Acquire) { 0 } else { self.progress.load(Ordering::Relaxed) };
        folded + self.cuts_ended()
    }

    /// Whether the last cut gave up.
    pub(crate) fn is_held_up(&self) -> bool {
        // Acquire: pairs with `cut`.
        self.is_held_up.load(Ordering::Acquire)
    }

    /// The number of the last cut that has ended.
    pub(crate) fn cuts_ended(&self) -> u64 {
        // Acquire: pairs with `cut`.
        self.cuts_ended.load(Ordering::Acquire)
    }
}

/// For producers.
impl<F: Folding> Rings<F> {
    /// Pushes an event in the usual case: the thread's ring has room, and the recorder is as the thread knows it.
    ///
    /// # Safety
    /// The calling thread is the producer of that ring, which is a ring of these.
    #[inline]
    pub(crate) unsafe fn try_push<E: MetricEvent>(&self, ring: &ThreadRing<F>, event: E) -> Result<(), E> {
        if const { !slot::fits::<E>() } {
            return Err(event);
        }
        // SAFETY: passed on. The event fits.
        unsafe { ring.ring.try_push(self.control(), event, slot::meta_of::<E>()) }
    }

    /// Pushes an event in every case. It folds the ring if it must.
    ///
    /// # Safety
    /// As [`try_push`](Self::try_push).
    pub(crate) unsafe fn push<E: MetricEvent>(
        &self,
        ring: &ThreadRing<F>,
        event: E,
    ) -> Result<WakeHint, (PushError, E)> {
        let meta = slot::meta_of::<E>();
        if const { slot::fits::<E>() } {
            // SAFETY: passed on. The event fits.
            unsafe { self.push_stored(ring, event, meta) }
        } else {
            // SAFETY: passed on. A box fits.
            let pushed = unsafe { self.push_stored(ring, Box::new(event), meta) };
            pushed.map_err(|(error, event)| (error, *event))
        }
    }

    /// # Safety
    /// As [`Ring::try_push`].
    unsafe fn push_stored<S>(
        &self,
        ring: &ThreadRing<F>,
        mut stored: S,
        meta: &'static EventMeta,
    ) -> Result<WakeHint, (PushError, S)> {
        let mut hint = WakeHint::None;
        loop {
            // SAFETY: passed on.
            match unsafe { ring.ring.try_push(self.control(), stored, meta) } {
                Ok(()) => return Ok(hint),
                Err(back) => stored = back,
            }
            // SAFETY: passed on.
            match unsafe { self.prepare(ring) } {
                Ok(WakeHint::None) => {}
                Ok(unparked) => hint = unparked,
                Err(error) => return Err((error, stored)),
            }
        }
    }

    /// Does away with what has kept [`Ring::try_push`] from pushing.
    ///
    /// # Safety
    /// The calling thread is the ring's producer.
    unsafe fn prepare(&self, ring: &ThreadRing<F>) -> Result<WakeHint, PushError> {
        // Acquire: pairs with the exchange in `park`, so that retired slots are seen as such.
        let control = self.control().load(Ordering::Acquire);
        if control & CLOSED != 0 {
            return Err(PushError::Closed);
        }
        if control & PARKED != 0 {
            return Ok(self.unpark());
        }
        // SAFETY: passed on.
        match unsafe { ring.ring.look_for_room() } {
            Space::NoSlots => {
                let slots = self.folding.take_slots(&self.pool).ok_or(PushError::Full)?;
                // SAFETY: passed on.
                unsafe { ring.ring.install(slots) };
            }
            Space::Full => self.fold_own(ring).ok_or(PushError::Full)?,
            Space::Room if ring.ring.seen().0 == control => {}
            // SAFETY: the word has no flag, and there are slots.
            Space::Room => unsafe { ring.ring.see(control) },
        }
        Ok(WakeHint::None)
    }

    /// Clears PARKED, unless another producer has.
    fn unpark(&self) -> WakeHint {
        let _guard = self.park_lock.lock();
        // Relaxed: the exchange checks it.
        let control = self.control().load(Ordering::Relaxed);
        // A new epoch: no ring has seen this word, so no producer relies on slots that were retired.
        let open = (control & !PARKED) + 1;
        // AcqRel: pairs with `is_parked` and `prepare`.
        let unparked = control & FLAGS == PARKED
            && self.control().compare_exchange(control, open, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if unparked { WakeHint::Unpark } else { WakeHint::None }
    }

    /// Folds the ring of the calling thread, which is full. `None` when this might wait for the thread itself.
    ///
    /// A handler that emits comes here with fold locks of its thread. So it gives up after a while, or two such threads could wait
    /// for each other. When the thread itself folds this ring, it gives up at once.
    fn fold_own(&self, ring: &ThreadRing<F>) -> Option<()> {
        let mut part = if self.folding.is_folding() {
            lock_part(ring, true)?
        } else {
            let_cut_pass(ring);
            ring.part.lock()
        };
        let _entered = self.folding.enter();
        let (seen, mark) = ring.ring.seen();
        if part.aside_for != seen {
            // A cut that has made this epoch may not have visited this ring yet (E4).
            self.fold(ring, &mut part, mark, Fold::Apply);
            part.set_aside(seen);
        }
        self.fold(ring, &mut part, ring.ring.tail(), Fold::Apply);
        Some(())
    }
}

/// For readers and the consumer's thread. The caller owns the recorder's metrics.
impl<F: Folding> Rings<F> {
    /// Folds the events that are published, without absorbing them. A ring that another thread folds is left to that thread.
    pub(crate) fn fold_all(&self) {
        for ring in self.rings() {
            let until = ring.ring.tail();
            if ring.ring.head() < until
                && let Some(mut part) = ring.part.try_lock()
            {
                let _entered = self.folding.enter();
                self.fold(&ring, &mut part, until, Fold::Apply);
                // Relaxed: a number to compare.
                self.progress.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Makes a cut. All events that were published before this call are in it. Passes each part to `absorb`.
    ///
    /// Answers `false` when another thread folds a ring and does not end: then nothing is absorbed, unless events are discarded.
    pub(crate) fn cut(&self, fold: Fold, mut absorb: impl FnMut(F::Part)) -> bool {
        // AcqRel: pairs with `next_cut`, by the lock of the list that comes later.
        let number = self.cuts_begun.fetch_add(1, Ordering::AcqRel) + 1;
        // AcqRel: what happened before this cut is visible to the events of the new epoch.
        let control = (self.control().fetch_add(1, Ordering::AcqRel) + 1) & !FLAGS;
        // A barrier without effect would make the cut inconsistent, no more: it loses no event.
        let _ = barrier::heavy();
        let mut taken = std::mem::take(&mut *self.taken.lock());
        let mut ends = true;
        for ring in self.rings() {
            let _entered = self.folding.enter();
            // The first ring that is held has had all the patience.
            let Some(mut part) = lock_part(&ring, ends) else {
                ends = false;
                continue;
            };
            let until = ring.ring.cut_at(control);
            let parts = self.take_parts(&ring, &mut part, control, until, fold);
            drop(part);
            taken.push(Taken { ring, parts, until });
            // Relaxed: a number to compare.
            self.progress.fetch_add(1, Ordering::Relaxed);
        }
        // Release: pairs with `progress`.
        self.is_held_up.store(!ends, Ordering::Release);
        if !ends && fold == Fold::Apply {
            // Its parts alone would show effects without their causes.
            *self.taken.lock() = taken;
            return false;
        }
        for Taken { ring, parts, until } in taken {
            parts.into_iter().for_each(&mut absorb);
            // Release: pairs with `counts`. The parts are absorbed.
            ring.absorbed.store(until, Ordering::Release);
            // Acquire: pairs with `leave`.
            if ring.has_left.load(Ordering::Acquire) {
                self.remove_if_absorbed(&ring);
            }
        }
        if ends {
            // Release: pairs with `cuts_ended`.
            self.cuts_ended.store(number, Ordering::Release);
        }
        ends
    }

    /// Folds a ring up to the cut, and takes the parts of the cut out.
    fn take_parts(
        &self,
        ring: &ThreadRing<F>,
        part: &mut PartState<F::Part>,
        control: u64,
        until: u64,
        fold: Fold,
    ) -> Vec<F::Part> {
        // The producer may have set its part aside for a later epoch, if it has unparked the recorder during this cut.
        if part.aside_for < control {
            self.fold(ring, part, until, fold);
            part.set_aside(control);
        }
        std::mem::take(&mut part.aside)
    }

    /// Folds a ring up to a position. The caller has its fold lock. After discarded events a ring has no applied ones.
    fn fold(&self, ring: &ThreadRing<F>, part: &mut PartState<F::Part>, until: u64, fold: Fold) {
        #[cfg(not(mvx_loom))]
        let _folder = Folder::enter(&ring.folder);
        let PartState { consumer, current, aside, .. } = part;
        // Relaxed, here and below: the fold lock orders the writes, and the first discarded batch moves the head with release.
        if fold == Fold::Discard && ring.discarded_from.load(Ordering::Relaxed) == u64::MAX {
            ring.discarded_from.store(ring.ring.head(), Ordering::Relaxed);
        }
        let discards = ring.discarded_from.load(Ordering::Relaxed) != u64::MAX;
        while let Some(batch) = ring.ring.next_batch(consumer, until) {
            if !discards {
                self.folding.apply(self.current_part(current, aside), batch.published());
            }
            batch.consume();
        }
    }

    /// The part to which events are applied now (E3).
    fn current_part<'a>(
        &self,
        current: &'a mut Option<(u64, F::Part)>,
        aside: &mut Vec<F::Part>,
    ) -> &'a mut F::Part {
        let generation = self.folding.generation();
        if let Some((_, outdated)) = current.take_if(|(made, _)| *made != generation) {
            aside.push(outdated);
        }
        &mut current.get_or_insert_with(|| (generation, self.folding.make())).1
    }

    /// Parks, unless a producer has an event to come or the recorder is in use. Everything is absorbed, as far as the caller knows.
    ///
    /// Answers whether the consumer may sleep; a closed recorder's may not, because its stop is still to be finished.
    pub(crate) fn park(&self) -> bool {
        let parked = {
            let _guard = self.park_lock.lock();
            // AcqRel: pairs with `is_parked` and `prepare`.
            let before = self.control().fetch_or(PARKED, Ordering::AcqRel);
            // Without the barrier nothing excludes a write that is about to begin (N4).
            let parked = barrier::heavy() && self.is_drained();
            if parked {
                for place in 0.. {
                    let members = self.members.lock();
                    let Some(ring) = members.rings.get(place) else { break };
                    if let Some(ring) = ring {
                        // SAFETY: `is_drained` found it folded, with nothing announced after the barrier. No producer unparks
                        // while this thread has the lock (E2).
                        unsafe { ring.ring.retire() };
                    }
                }
            } else if before & PARKED == 0 {
                // AcqRel: as above.
                self.control().fetch_and(!PARKED, Ordering::AcqRel);
            }
            parked
        };
        if parked {
            let _entered = self.folding.enter();
            self.rings().for_each(|ring| ring.ring.free_retired());
        }
        parked && !self.is_closed()
    }
}

/// Marks a ring as folded by this thread, until it is dropped. The thread has the fold lock.
#[cfg(not(mvx_loom))]
struct Folder<'a>(&'a AtomicUsize);

#[cfg(not(mvx_loom))]
impl<'a> Folder<'a> {
    fn enter(folder: &'a AtomicUsize) -> Self {
        // Relaxed, here and elsewhere: only the thread that has stored its own number acts on it.
        folder.store(Self::this_thread(), Ordering::Relaxed);
        Self(folder)
    }

    /// A number that no other running thread has.
    fn this_thread() -> usize {
        thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| std::ptr::from_ref(here).addr())
    }
}

#[cfg(not(mvx_loom))]
impl Drop for Folder<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Locks a ring's part. `None` when this thread folds the ring, and when another thread folds it and makes no progress. Without
/// patience that is decided at once.
#[cfg(not(mvx_loom))]
fn lock_part<F: Folding>(
    ring: &ThreadRing<F>,
    is_patient: bool,
) -> Option<MutexGuard<'_, PartState<F::Part>>> {
    let mut last = (ring.ring.head(), Instant::now());
    let mut pause = Duration::ZERO;
    loop {
        if let Some(part) = ring.part.try_lock() {
            // Relaxed, here and below: a hint.
            ring.is_wanted.store(false, Ordering::Relaxed);
            return Some(part);
        }
        ring.is_wanted.store(true, Ordering::Relaxed);
        let head = ring.ring.head();
        if ring.folder.load(Ordering::Relaxed) == Folder::this_thread() {
            ring.is_wanted.store(false, Ordering::Relaxed);
            return None;
        }
        if head != last.0 {
            last = (head, Instant::now());
        } else if !is_patient || last.1.elapsed() >= FOLD_PATIENCE {
            ring.is_wanted.store(false, Ordering::Relaxed);
            return None;
        }
        // A fold takes microseconds, unless user code is slow.
        std::thread::sleep(pause);
        pause = (pause + Duration::from_micros(10)).min(MAX_FOLD_PAUSE);
    }
}

/// Lets a waiting cut have the fold lock first. A producer with slow handlers would otherwise lock it again at once, for ever.
#[cfg(not(mvx_loom))]
fn let_cut_pass<F: Folding>(ring: &ThreadRing<F>) {
    if ring.is_wanted.load(Ordering::Relaxed) {
        let begin = Instant::now();
        while ring.is_wanted.load(Ordering::Relaxed) && begin.elapsed() < 10 * MAX_FOLD_PAUSE {
            std::thread::yield_now();
        }
    }
}

/// In the models no cut waits so.
#[cfg(mvx_loom)]
fn let_cut_pass<F: Folding>(_: &ThreadRing<F>) {}

/// The models have no handlers that do not end, and no time.
#[cfg(mvx_loom)]
#[expect(clippy::unnecessary_wraps, reason = "the signature of the other one")]
fn lock_part<F: Folding>(ring: &ThreadRing<F>, _: bool) -> Option<MutexGuard<'_, PartState<F::Part>>> {
    Some(ring.part.lock())
}

impl<F: Folding> ThreadRing<F> {
    fn counts(&self) -> Counts {
        // In this order, so that none is above the one after it. Acquire, Relaxed: `folded` makes both visible.
        let absorbed = self.absorbed.load(Ordering::Acquire);
        let folded = self.ring.head();
        let discarded_from = self.discarded_from.load(Ordering::Relaxed);
        let published = self.ring.tail();
        let [discarded_absorbed, discarded] =
            [absorbed, folded].map(|until| until.saturating_sub(discarded_from));
        Counts { published, folded, absorbed, discarded, discarded_absorbed }
    }

    /// Whether all events are absorbed, and none is announced.
    fn is_quiet(&self) -> bool {
        // Acquire: pairs with `cut`.
        self.ring.quiet_tail() == Some(self.absorbed.load(Ordering::Acquire))
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.published += other.published;
        self.folded += other.folded;
        self.absorbed += other.absorbed;
        self.discarded += other.discarded;
        self.discarded_absorbed += other.discarded_absorbed;
    }
}

impl<P> PartState<P> {
    /// Sets the current part aside for the cut with that control word.
    fn set_aside(&mut self, control: u64) {
        self.aside.extend(self.current.take().map(|(_, part)| part));
        self.aside_for = control;
    }
}
