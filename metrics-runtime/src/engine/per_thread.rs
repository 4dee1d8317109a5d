//! Recorders with [`Handoff::PerThread`](super::Handoff): the ring of the current thread, and what the rest of the engine does
//! with rings in place of the queue.
//!
//! A thread finds its ring in a thread-local: first in a few entries without a destructor, then in the list of its memberships.
//! The list's destructor gives the rings up when the thread ends. A thread that emits after that shares one ring with others
//! in its place, behind a lock.

#![allow(unsafe_code, reason = "the thread-local of a thread has the only rings that it pushes to")]

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::LocalKey;
use std::time::Instant;

use super::drain::{DrainEffects, MetricsState};
use super::fair_lock::FairGuard;
use super::recorder_inner::RecorderInner;
use super::scheduler::TurnOutcome;
use super::stall::{Obstacle, STALL_TIMEOUT};
use crate::dispatch::{MetricBox, MetricSet, ShardPlan};
use crate::error::MetricsRecorderError;
use crate::event::MetricEvent;
use crate::queue::rings::{Counts, Fold, Folding, Rings, ThreadRing};
use crate::queue::{OwnedSegment, Published, PushError, SegmentPool, WakeHint};
use crate::sync::Mutex;
use crate::thread_role::{self, RoleGuard};

type PartRing = ThreadRing<Parts>;

/// The rings of a recorder.
pub(crate) struct PerThread {
    /// Tells this recorder from all others that the process has had.
    number: u64,
    pub(super) rings: Rings<Parts>,
    /// The ring of threads that have destroyed their thread-locals. Its lock makes one of them at a time the producer.
    shared: Mutex<Option<Arc<PartRing>>>,
}

/// Makes the parts of the metrics, and applies events to them.
pub(super) struct Parts {
    plan: Mutex<Arc<ShardPlan>>,
    generation: AtomicU64,
    /// The next turn makes a cut: a metric has panicked, or a thread has ended.
    wants_cut: AtomicBool,
}

impl Folding for Parts {
    type Part = MetricSet;
    type Entered = RoleGuard;

    fn generation(&self) -> u64 {
        // Acquire: pairs with `set_plan`.
        self.generation.load(Ordering::Acquire)
    }

    fn make(&self) -> MetricSet {
        let plan = Arc::clone(&*self.plan.lock());
        plan.make()
    }

    fn apply(&self, part: &mut MetricSet, events: &Published<'_>) {
        let mut failures = Vec::new();
        part.apply_batch(events, &mut failures);
        if !failures.is_empty() {
            // The part keeps the panic. The cut that absorbs the part reports it.
            self.wants_cut.store(true, Ordering::Release);
        }
    }

    fn is_folding(&self) -> bool {
        thread_role::in_metrics()
    }

    fn take_slots(&self, pool: &SegmentPool) -> Option<OwnedSegment> {
        let _allocating = Exclusive::begin(&ALLOCATING)?;
        Some(pool.take())
    }

    fn enter(&self) -> RoleGuard {
        thread_role::enter_metrics()
    }
}

impl PerThread {
    pub(super) fn new(pool: crate::sync::Arc<SegmentPool>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let folding = Parts {
            plan: Mutex::new(MetricSet::default().shard_plan()),
            generation: AtomicU64::new(0),
            wants_cut: AtomicBool::new(false),
        };
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            rings: Rings::new(folding, pool),
            shared: Mutex::new(None),
        }
    }

    /// Makes parts of other metrics from now on. The caller owns the recorder's metrics.
    pub(super) fn set_plan(&self, plan: Arc<ShardPlan>) {
        let former = std::mem::replace(&mut *self.rings.folding.plan.lock(), plan);
        // Release: pairs with `generation`. A part that is made after it is made from the new plan.
        self.rings.folding.generation.fetch_add(1, Ordering::Release);
        drop(former);
    }

    /// Pushes an event in the usual case.
    #[inline]
    pub(crate) fn try_push<E: MetricEvent>(&self, event: E) -> Result<(), E> {
        let known = KNOWN.with(|known| known[place_of(self.number)].get());
        if known.number != self.number {
            return Err(event);
        }
        // SAFETY: the entry is of this recorder, which has the ring until this thread's memberships end. These clear the entry.
        let ring = unsafe { &*known.ring };
        // SAFETY: this thread alone pushes to the ring, because `join` has made it for this thread.
        unsafe { self.rings.try_push(ring, event) }
    }

    /// Whether a turn has something to do.
    pub(super) fn has_work(&self) -> bool {
        let Counts { published, folded, .. } = self.rings.counts();
        published != folded || self.wants_cut() || self.rings.is_closed()
    }

    /// Whether the next turn is to make a cut.
    pub(super) fn wants_cut(&self) -> bool {
        self.rings.folding.wants_cut.load(Ordering::Acquire)
    }
}

/// How many recorders a thread finds at once.
const KNOWN_RINGS: usize = 4;

#[derive(Clone, Copy)]
struct KnownRing {
    /// 0 for none.
    number: u64,
    ring: *const PartRing,
}

const UNKNOWN: KnownRing = KnownRing { number: 0, ring: ptr::null() };

thread_local! {
    /// Rings of this thread, each at the place of its recorder's number.
    static KNOWN: [Cell<KnownRing>; KNOWN_RINGS] = const { [const { Cell::new(UNKNOWN) }; KNOWN_RINGS] };
    static MEMBERSHIPS: RefCell<Memberships> = const { RefCell::new(Memberships(Vec::new())) };
    static ALLOCATING: Cell<bool> = const { Cell::new(false) };
    static SHARING: Cell<bool> = const { Cell::new(false) };
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
fn place_of(number: u64) -> usize {
    (number % KNOWN_RINGS as u64) as usize
}

/// The rings of a thread.
struct Memberships(Vec<Membership>);

struct Membership {
    number: u64,
    recorder: Weak<RecorderInner>,
    ring: Weak<PartRing>,
}

impl Drop for Memberships {
    fn drop(&mut self) {
        KNOWN.with(|known| known.iter().for_each(|known| known.set(UNKNOWN)));
        for Membership { recorder, ring, .. } in self.0.drain(..) {
            if let (Some(recorder), Some(ring)) = (recorder.upgrade(), ring.upgrade()) {
                recorder.leave_ring(&ring);
            }
        }
    }
}

/// Marks what this thread does, until it is dropped. Meanwhile the allocator may emit an event, and a handler too: an event that
/// would do the same again finds no room.
struct Exclusive(&'static LocalKey<Cell<bool>>);

impl Exclusive {
    fn begin(marked: &'static LocalKey<Cell<bool>>) -> Option<Self> {
        (!marked.replace(true)).then(|| Self(marked))
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// For producers.
impl RecorderInner {
    /// Pushes an event that [`PerThread::try_push`] has handed back.
    pub(super) fn push_to_ring<E: MetricEvent>(
        self: &Arc<Self>,
        per_thread: &PerThread,
        event: E,
    ) -> Result<WakeHint, (PushError, E)> {
        match self.ring_of_this_thread(per_thread) {
            // SAFETY: the ring was made for this thread, which is the only one to push to it.
            Ok(Some(ring)) => unsafe { per_thread.rings.push(&ring, event) },
            Ok(None) => Self::push_to_shared(per_thread, event),
            Err(error) => Err((error, event)),
        }
    }

    /// The ring of this thread, which is made if there is none. `None` for a thread that has destroyed its thread-locals.
    fn ring_of_this_thread(
        self: &Arc<Self>,
        per_thread: &PerThread,
    ) -> Result<Option<Arc<PartRing>>, PushError> {
        let found = MEMBERSHIPS.try_with(|memberships| {
            let Ok(memberships) = memberships.try_borrow() else {
                // The allocator emits an event while this thread joins a recorder.
                return Err(PushError::Full);
            };
            let membership = memberships.0.iter().find(|membership| membership.number == per_thread.number);
            Ok(membership.and_then(|membership| membership.ring.upgrade()))
        });
        let Ok(found) = found else { return Ok(None) };
        let found = match found? {
            Some(ring) => Some(ring),
            None => self.join(per_thread)?,
        };
        let Some(ring) = found else { return Ok(None) };
        let known = KnownRing { number: per_thread.number, ring: Arc::as_ptr(&ring) };
        KNOWN.with(|place| place[place_of(per_thread.number)].set(known));
        Ok(Some(ring))
    }

    fn join(self: &Arc<Self>, per_thread: &PerThread) -> Result<Option<Arc<PartRing>>, PushError> {
        let _allocating = Exclusive::begin(&ALLOCATING).ok_or(PushError::Full)?;
        let joined = MEMBERSHIPS.try_with(|memberships| {
            let mut memberships = memberships.try_borrow_mut().map_err(|_| PushError::Full)?;
            let Memberships(memberships) = &mut *memberships;
            if memberships.len() == memberships.capacity() {
                // Before the list grows, it forgets the recorders that no longer exist.
                memberships.retain(|membership| membership.recorder.strong_count() > 0);
                memberships.reserve(1);
            }
            let ring = per_thread.rings.join();
            memberships.push(Membership {
                number: per_thread.number,
                recorder: Arc::downgrade(self),
                ring: Arc::downgrade(&ring),
            });
            Ok(ring)
        });
        joined.map_or(Ok(None), |ring| ring.map(Some))
    }

    /// Pushes an event of a thread that has destroyed its thread-locals.
    fn push_to_shared<E: MetricEvent>(per_thread: &PerThread, event: E) -> Result<WakeHint, (PushError, E)> {
        let Some(_sharing) = Exclusive::begin(&SHARING) else { return Err((PushError::Full, event)) };
        // As in `Rings::fold_own`: another thread may fold the shared ring, and wait for what this thread folds.
        let shared = if thread_role::in_metrics() {
            per_thread.shared.try_lock()
        } else {
            Some(per_thread.shared.lock())
        };
        let Some(mut shared) = shared else { return Err((PushError::Full, event)) };
        let ring = shared.get_or_insert_with(|| per_thread.rings.join());
        // SAFETY: the lock makes this thread the only producer.
        unsafe { per_thread.rings.push(ring, event) }
    }

    /// Gives up the ring of this thread, which ends.
    fn leave_ring(self: &Arc<Self>, ring: &PartRing) {
        let Some(per_thread) = &self.per_thread else { return };
        if per_thread.rings.leave(ring) {
            let _role = thread_role::enter_producer();
            per_thread.rings.folding.wants_cut.store(true, Ordering::Release);
            self.schedule(false);
        }
    }
}

/// For readers and the consumer's thread.
impl RecorderInner {
    /// Adds a metric that takes part from a cut on, in place of one of the same name.
    pub(super) fn add_metric_in_parts(
        &self,
        per_thread: &PerThread,
        mut metrics: FairGuard<'_, MetricsState>,
        metric: MetricBox,
    ) -> Result<(), MetricsRecorderError> {
        if let Some(problem) = metric.order_problem() {
            let error = MetricsRecorderError::NeedsOrder { metric: metric.name.to_string(), problem };
            // The `Drop` of `metric` is user code, so it runs when the lock is released.
            drop(metrics);
            return Err(error);
        }
        let mut effects = DrainEffects::default();
        // The events until now are none of the new metric's.
        let begin = Instant::now();
        while !self.cut(per_thread, &mut metrics, &mut effects) {
            let waited = begin.elapsed();
            if waited >= STALL_TIMEOUT {
                drop(metrics);
                self.finish_drain(effects);
                return Err(Obstacle::Holder.error(waited));
            }
        }
        let position = per_thread.rings.cuts_ended();
        let replaced = (metrics.register(position, metric), metrics.activate_due(position));
        {
            // A metric may have a `Drop` of the user's, which the former plan's prototypes have too.
            let _role = thread_role::enter_metrics();
            per_thread.set_plan(metrics.metrics.shard_plan());
        }
        drop(metrics);
        self.finish_drain(effects);
        // The `Drop` of a metric is user code, so it runs when the lock is released.
        drop(replaced);
        Ok(())
    }

    /// As [`try_turn_of`](Self::try_turn_of). A turn folds all rings, and makes a cut when one is asked for.
    pub(super) fn try_turn_of_rings(&self, per_thread: &PerThread) -> Option<TurnOutcome> {
        let mut effects = DrainEffects::default();
        let begin = per_thread.rings.progress();
        {
            let mut metrics = self.try_lock_metrics()?;
            if !self.state().accepts() || per_thread.wants_cut() || metrics.has_waiters() {
                self.cut(per_thread, &mut metrics, &mut effects);
            } else {
                per_thread.rings.fold_all();
            }
        }
        self.finish_drain(effects);
        let progress = per_thread.rings.progress() > begin;
        if progress || (!per_thread.rings.is_held_up() && self.placement.is_loop_thread()) {
            // As in `try_turn_of`.
            self.record_progress();
        }
        self.end_turn(progress)
    }

    /// Absorbs all events that are accepted by now into the metrics. Answers `false` when another thread's handler does not end:
    /// then a later call does it.
    pub(super) fn cut(
        &self,
        per_thread: &PerThread,
        metrics: &mut MetricsState,
        effects: &mut DrainEffects,
    ) -> bool {
        let _role = thread_role::enter_metrics();
        // Cleared first: a request from now on is about events that this cut may not have.
        let wanted = per_thread.rings.folding.wants_cut.swap(false, Ordering::AcqRel);
        let fold = if self.state().has_failed() { Fold::Discard } else { Fold::Apply };
        let mut has_failures = false;
        let ended = per_thread.rings.cut(fold, |part| {
            metrics.absorb(part, &mut effects.failures);
            has_failures |= !effects.failures.is_empty();
            // Before the events count as absorbed: otherwise a stop could succeed in between.
            self.apply_failure_policy(effects, None);
        });
        if wanted && !ended {
            per_thread.rings.folding.wants_cut.store(true, Ordering::Release);
        }
        if has_failures {
            // The metrics that have panicked get no more events.
            per_thread.set_plan(metrics.metrics.shard_plan());
        }
        effects.completed.append(&mut metrics.take_completed_waiters(per_thread.rings.cuts_ended()));
        ended
    }

    /// Absorbs what is left, and parks.
    pub(super) fn park_rings(
        &self,
        per_thread: &PerThread,
        metrics: &mut MetricsState,
        effects: &mut DrainEffects,
    ) -> bool {
        let Counts { published, absorbed, .. } = per_thread.rings.counts();
        if published != absorbed {
            self.cut(per_thread, metrics, effects);
        }
        per_thread.rings.park()
    }
}
