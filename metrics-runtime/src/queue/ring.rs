//! A ring of slots with one producer: the events of one thread, until they are folded.
//!
//! Positions count from 0 for the life of the ring. Position `p` lives in slot `p % RING_SLOTS`.
//!
//! # Invariants
//!
//! * N1: one thread at a time is the producer. It alone writes the [`ProducerLine`], except that a parked ring loses its slots.
//! * N2: `head <= tail <= head + RING_SLOTS`. The producer writes only below a `head + RING_SLOTS` that it has read.
//! * N3: one thread at a time has the [`RingConsumer`], which moves `head`. A slot before `head` is free before `head` moves.
//! * N4: while `seen` is the control word of the ring's recorder, the slots are there. The word changes before they are taken
//!   away, and they are taken away only when no write was announced after the heavy barrier that follows this change.
//! * N5: a segment of the pool has the slots. While it is in the ring, the ring owns it. All of its slots are free when it comes
//!   and when it goes.

use std::ptr;

use crate::queue::CachePadded;
use crate::queue::barrier;
use crate::queue::consumer::Published;
use crate::queue::pool::SegmentPool;
use crate::queue::segment::{self, OwnedSegment, SEGMENT_SLOTS, Segment};
use crate::queue::slot::{EventMeta, Slot};
use crate::sync::{Arc, AtomicPtr, AtomicU64, Ordering, UnsafeCell};

/// Slots of a ring, the first ones of a segment: large enough to fold seldom, small enough that a thread's ring stays in its cache.
#[cfg(not(mvx_loom))]
pub(crate) const RING_SLOTS: u64 = SEGMENT_SLOTS;
#[cfg(mvx_loom)]
pub(crate) const RING_SLOTS: u64 = 2;
const _: () = assert!(RING_SLOTS <= SEGMENT_SLOTS);

#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const LENGTH: usize = RING_SLOTS as usize;

/// The producer has announced an event, and has not published it yet.
const WRITING: u64 = 1;

pub(crate) struct Ring {
    producer: CachePadded<ProducerLine>,
    consumer: CachePadded<ConsumerLine>,
}

/// What the producer writes. Others seldom read it.
struct ProducerLine {
    /// Twice the next position, and WRITING.
    state: AtomicU64,
    /// The control word that the producer has seen last. Never one with a flag.
    seen: AtomicU64,
    /// The next position when the producer saw that word.
    mark: AtomicU64,
    /// The producer may write positions below it.
    room_until: UnsafeCell<u64>,
    /// The segment with the slots. Null before the first event, and while the recorder is parked.
    slots: AtomicPtr<Segment>,
    /// A segment on its way back to the pool.
    retired: AtomicPtr<Segment>,
    pool: Arc<SegmentPool>,
    /// Whether the producer's barrier must be a full fence.
    fences: bool,
}

struct ConsumerLine {
    /// All positions before it are folded.
    head: AtomicU64,
}

// SAFETY: the slots are `Send` and `Sync`. N1 and N3 order everything else.
unsafe impl Send for Ring {}
// SAFETY: as above.
unsafe impl Sync for Ring {}

/// The right to fold a ring (N3). Each ring has one, kept under its fold lock.
pub(crate) struct RingConsumer(());

impl RingConsumer {
    /// The caller makes one for each ring.
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// How far a ring is, in the eyes of its producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    Room,
    Full,
    /// The slots were never there, or were given back.
    NoSlots,
}

impl Ring {
    /// A ring without slots. `fences` is the answer of [`barrier::producers_fence`].
    pub(crate) fn new(fences: bool, pool: Arc<SegmentPool>) -> Self {
        let producer = ProducerLine {
            state: AtomicU64::new(0),
            // No control word: those with a flag are never stored here, and the first epoch is 1.
            seen: AtomicU64::new(0),
            mark: AtomicU64::new(0),
            room_until: UnsafeCell::new(0),
            slots: AtomicPtr::new(ptr::null_mut()),
            retired: AtomicPtr::new(ptr::null_mut()),
            pool,
            fences,
        };
        Self {
            producer: CachePadded(producer),
            consumer: CachePadded(ConsumerLine { head: AtomicU64::new(0) }),
        }
    }

    fn line(&self) -> &ProducerLine {
        &self.producer.0
    }

    fn head_word(&self) -> &AtomicU64 {
        &self.consumer.0.head
    }

    /// How many events were published.
    pub(crate) fn tail(&self) -> u64 {
        // Acquire: pairs with `try_push`. What happened before each of these events is visible, and so is a mark before it.
        self.line().state.load(Ordering::Acquire) / 2
    }

    #[cfg(all(test, not(mvx_loom)))]
    pub(crate) fn has_slots(&self) -> bool {
        !self.line().slots.load(Ordering::Acquire).is_null()
    }

    /// How many events were folded.
    pub(crate) fn head(&self) -> u64 {
        // Acquire: pairs with `consume`.
        self.head_word().load(Ordering::Acquire)
    }

    /// How many events were published, unless the producer has announced one more.
    pub(crate) fn quiet_tail(&self) -> Option<u64> {
        // Acquire: as in `tail`.
        let state = self.line().state.load(Ordering::Acquire);
        (state & WRITING == 0).then_some(state / 2)
    }

    /// The position before which a cut takes the published events: its heavy barrier followed the change of the control word to
    /// `control`.
    pub(crate) fn cut_at(&self, control: u64) -> u64 {
        // In this order: `tail` makes the mark of each event before it visible.
        let tail = self.tail();
        let line = self.line();
        // Acquire: pairs with `see`.
        if line.seen.load(Ordering::Acquire) < control {
            return tail;
        }
        // Relaxed: written before `seen`. A producer that has unparked the recorder meanwhile has seen a later word than
        // `control`. Between the two it pushed nothing, because the recorder was parked.
        line.mark.load(Ordering::Relaxed).min(tail)
    }
}

/// For the producer.
impl Ring {
    /// Writes an event and publishes it, if the control word is the one that the producer saw last and there is room.
    ///
    /// # Safety
    /// The caller is the ring's producer. `stored` fits a slot, and `meta` describes it.
    #[inline]
    pub(crate) unsafe fn try_push<S>(
        &self,
        control: &AtomicU64,
        stored: S,
        meta: &'static EventMeta,
    ) -> Result<(), S> {
        let line = self.line();
        // Relaxed: only the producer writes it.
        let state = line.state.load(Ordering::Relaxed);
        // Relaxed, both: the barrier orders them. Either the thread that changes the word sees the announcement, or this
        // thread sees the change.
        line.state.store(state | WRITING, Ordering::Relaxed);
        barrier::light(line.fences);
        let control = control.load(Ordering::Relaxed);
        // SAFETY: N1.
        let room_until = line.room_until.with(|room_until| unsafe { *room_until });
        // Relaxed: only the producer writes it.
        if control != line.seen.load(Ordering::Relaxed) || state / 2 >= room_until {
            // Relaxed: it only takes the announcement back.
            line.state.store(state, Ordering::Relaxed);
            return Err(stored);
        }
        // SAFETY: N4.
        let slot = unsafe { self.slot(state / 2) };
        // SAFETY: by N2 and N3 the slot is free. The caller promises the rest.
        unsafe { slot.write(stored, meta) };
        // Release: pairs with `tail`.
        line.state.store(state + 2, Ordering::Release);
        Ok(())
    }

    /// # Safety
    /// The slots are there, and stay there while the reference lives.
    #[inline]
    unsafe fn slot(&self, position: u64) -> &Slot {
        // Relaxed: the caller has seen the slots, by storing them or under the fold lock.
        let slots = self.line().slots.load(Ordering::Relaxed);
        // SAFETY: N5; the rest is passed on.
        let slots = unsafe { segment::slots(slots) };
        &slots[(position % RING_SLOTS) as usize]
    }

    /// Notes the control word that the producer acts on from now on. Events before this call belong to the epoch before.
    ///
    /// # Safety
    /// The caller is the ring's producer. The word has no flag, and the slots are there, as N4 says.
    pub(crate) unsafe fn see(&self, control: u64) {
        let line = self.line();
        // Relaxed: the store of `seen` follows. Only the producer writes it.
        line.mark.store(line.state.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
        // Release: pairs with `cut_at`.
        line.seen.store(control, Ordering::Release);
    }

    /// The epoch's control word and mark that the producer noted last.
    pub(crate) fn seen(&self) -> (u64, u64) {
        let line = self.line();
        // Relaxed: the caller is the producer.
        (line.seen.load(Ordering::Relaxed), line.mark.load(Ordering::Relaxed))
    }

    /// Reads how far the ring is folded.
    ///
    /// # Safety
    /// The caller is the ring's producer.
    pub(crate) unsafe fn look_for_room(&self) -> Space {
        let line = self.line();
        // Relaxed: the pointer is not followed here.
        if line.slots.load(Ordering::Relaxed).is_null() {
            return Space::NoSlots;
        }
        let room_until = self.head() + RING_SLOTS;
        // SAFETY: N1.
        line.room_until.with_mut(|until| unsafe { *until = room_until });
        if line.state.load(Ordering::Relaxed) / 2 < room_until { Space::Room } else { Space::Full }
    }

    /// Gives the ring the slots of a segment of its pool, if it has none.
    ///
    /// # Safety
    /// The caller is the ring's producer.
    pub(crate) unsafe fn install(&self, segment: OwnedSegment) {
        let segment = segment.into_raw();
        let line = self.line();
        // AcqRel: pairs with `retire` and `next_batch`.
        let installed =
            line.slots.compare_exchange(ptr::null_mut(), segment, Ordering::AcqRel, Ordering::Acquire);
        if installed.is_err() {
            // SAFETY: the segment came as the caller's own, and no thread has seen it in the ring.
            line.pool.put(unsafe { OwnedSegment::from_raw(segment) });
        }
    }
}

/// For the thread that folds.
impl Ring {
    /// The next events of one type in a row before `until`, which the caller has read from this ring. `None` when there are none.
    #[inline]
    pub(crate) fn next_batch<'r>(
        &'r self,
        _consumer: &'r mut RingConsumer,
        until: u64,
    ) -> Option<RingBatch<'r>> {
        // Relaxed: only the owner of the consumer writes it.
        let head = self.head_word().load(Ordering::Relaxed);
        if head >= until {
            return None;
        }
        // Acquire: pairs with `install`.
        let slots = self.line().slots.load(Ordering::Acquire);
        // SAFETY: events are pending, so the slots are there (N4, N5).
        let slots = unsafe { segment::slots(slots) };
        let start = (head % RING_SLOTS) as usize;
        let most = usize::try_from(until - head).unwrap_or(usize::MAX).min(LENGTH - start);
        let slots = &slots[start..start + most];
        let meta = slots.first()?.published()?;
        let same = |slot: &&Slot| slot.published().is_some_and(|other| ptr::eq(other, meta));
        let length = 1 + slots[1..].iter().take_while(same).count();
        Some(RingBatch { ring: self, head, published: Published::new(&slots[..length], meta) })
    }

    /// Takes the slots away. [`free_retired`](Self::free_retired) gives them back to the pool.
    ///
    /// # Safety
    /// The ring is folded, and its producer has announced nothing after the heavy barrier that N4 names.
    pub(crate) unsafe fn retire(&self) {
        let line = self.line();
        // AcqRel: pairs with `install`.
        let slots = line.slots.swap(ptr::null_mut(), Ordering::AcqRel);
        // Release: pairs with `free_retired`.
        let earlier = line.retired.swap(slots, Ordering::AcqRel);
        debug_assert!(earlier.is_null(), "retired slots go back before the ring is used again");
    }

    /// Gives back what [`retire`](Self::retire) took away. The pool may free a chunk.
    pub(crate) fn free_retired(&self) {
        // AcqRel: pairs with `retire`.
        let slots = self.line().retired.swap(ptr::null_mut(), Ordering::AcqRel);
        if !slots.is_null() {
            // SAFETY: `retire` took it out of the ring, and nobody else has it (N5). All events were folded, so its slots are free.
            self.line().pool.put(unsafe { OwnedSegment::from_raw(slots) });
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.free_retired();
        let (mut consumer, tail) = (RingConsumer::new(), self.tail());
        while let Some(batch) = self.next_batch(&mut consumer, tail) {
            batch.consume();
        }
        // SAFETY: everything is folded, and `&mut self` excludes a producer.
        unsafe { self.retire() };
        self.free_retired();
    }
}

/// Published events of one type in a row, still in their ring. A batch that is dropped leaves them there.
pub(crate) struct RingBatch<'r> {
    ring: &'r Ring,
    head: u64,
    published: Published<'r>,
}

impl RingBatch<'_> {
    pub(crate) fn published(&self) -> &Published<'_> {
        &self.published
    }

    /// Drops the events and makes room for as many. Answers how many there were.
    pub(crate) fn consume(self) -> u64 {
        // SAFETY: the batch alone refers to the events, and is used up.
        unsafe { self.published.clear() };
        let count = self.published.len();
        // Release: pairs with `head`. Shows the free slots.
        self.ring.head_word().store(self.head + count, Ordering::Release);
        count
    }
}
