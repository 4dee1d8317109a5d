//! Segments: blocks of slots that a queue links to a list; a ring has one of them. Producers install segments at its end; the consumer removes the
//! first one.

use std::ptr;

use crate::queue::Queue;
use crate::queue::pool::SegmentPool;
use crate::queue::slot::{self, Slot};
use crate::sync::{AtomicPtr, Ordering};

/// Slots in a segment: large enough to visit the pool rarely, small enough that a recorder with few events holds little.
#[cfg(not(mvx_loom))]
pub(crate) const SEGMENT_SLOTS: u64 = 256;
#[cfg(mvx_loom)]
pub(crate) const SEGMENT_SLOTS: u64 = 3;

#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const LENGTH: usize = SEGMENT_SLOTS as usize;

/// A block of slots. Outside of a queue and of a ring all of its slots are free. Outside of a queue it has no successor.
///
/// A segment of zero bytes is such a one: see [`Slot`]; a null pointer has zero bytes too.
#[repr(C)]
pub(crate) struct Segment {
    slots: [Slot; LENGTH],
    /// The segment of the next positions. Read and written under the queue's `park_lock` only. It comes last, where the page is
    /// in use when it is written.
    next: AtomicPtr<Self>,
}

impl Segment {
    #[cfg(mvx_loom)]
    pub(super) fn new() -> Self {
        Self { slots: std::array::from_fn(|_| Slot::new()), next: AtomicPtr::new(ptr::null_mut()) }
    }

    #[cfg(all(test, not(mvx_loom)))]
    pub(super) fn is_free(&self) -> bool {
        self.next.load(Ordering::Relaxed).is_null()
            && self.slots.iter().all(|slot| slot.published().is_none())
    }
}

/// A segment outside of a queue and of a ring. It must go back to its pool.
pub(crate) struct OwnedSegment(*mut Segment);

// SAFETY: it is the only pointer to the segment, and slots are `Send`.
unsafe impl Send for OwnedSegment {}

impl OwnedSegment {
    /// # Safety
    /// It points to a segment of a pool that is outside of a queue and of a ring, and no other `OwnedSegment` has it.
    pub(super) unsafe fn from_raw(segment: *mut Segment) -> Self {
        Self(segment)
    }

    pub(super) fn as_ptr(&self) -> *mut Segment {
        self.0
    }

    pub(super) fn into_raw(self) -> *mut Segment {
        self.0
    }

    fn slots(&self) -> &[Slot] {
        // SAFETY: the segment is this one's alone, and its pool keeps the memory.
        unsafe { slots(self.0) }
    }
}

/// # Safety
/// It points to a segment of a pool. The segment does not go back to the pool during `'a`.
#[inline]
pub(super) unsafe fn slots<'a>(segment: *const Segment) -> &'a [Slot; LENGTH] {
    // SAFETY: passed on; a pool keeps its memory while a segment is in use.
    unsafe { &(*segment).slots }
}

/// A segment that a producer has ready before it takes `park_lock`. It goes back if it is not installed. The spare is dropped
/// after the lock is released and the event is published.
pub(crate) struct Spare<'q> {
    pool: &'q SegmentPool,
    segment: Option<OwnedSegment>,
}

impl<'q> Spare<'q> {
    pub(crate) fn new(pool: &'q SegmentPool) -> Self {
        Self { pool, segment: None }
    }

    /// Gets a segment for that position.
    pub(crate) fn prepare(&mut self, position: u64) {
        let segment = self.segment.get_or_insert_with(|| self.pool.take());
        slot::fetch_first(&segment.slots()[index_of(position)..]);
    }
}

impl Drop for Spare<'_> {
    fn drop(&mut self) {
        if let Some(segment) = self.segment.take() {
            self.pool.put(segment);
        }
    }
}

/// How far the segments of a queue reach. Its lock is the queue's `park_lock`.
pub(super) struct Installed {
    /// The end of the last segment. 0 after the queue has parked, when it has none.
    end: u64,
}

impl Installed {
    pub(super) const NOTHING: Self = Self { end: 0 };
}

impl Queue {
    /// Makes sure that the segment of the position that is reserved next is installed. `false` when the spare lacks one.
    ///
    /// The caller holds `park_lock`, as `installed` shows.
    pub(super) fn install(&self, installed: &mut Installed, position: u64, spare: &mut Spare<'_>) -> bool {
        // Also true when a producer has found the queue closed, and so has left a segment here.
        if position < installed.end {
            return true;
        }
        let Some(segment) = spare.segment.take() else {
            return false;
        };
        let segment = segment.into_raw();
        // Relaxed: written under the lock only.
        let last = self.line().last.load(Ordering::Relaxed);
        if last.is_null() {
            // Release: pairs with `first_slots`.
            self.consumer.0.first.store(segment, Ordering::Release);
        } else {
            // SAFETY: by Q3 a segment is not removed while `last` refers to it; the lock keeps both from changing now.
            let next = unsafe { &(*last).next };
            // Relaxed: read under the lock only.
            next.store(segment, Ordering::Relaxed);
        }
        // Release: pairs with `try_advance`, which acquires the lock of the producer that reads it.
        self.line().last.store(segment, Ordering::Release);
        installed.end = segment_end(position);
        true
    }

    /// Removes the first segment, if there is one.
    ///
    /// The caller holds `park_lock`, as `installed` shows.
    ///
    /// # Safety
    /// The caller is the consumer and has no reference into the segment. All slots of the segment are free, no position in it is
    /// reserved, and none can be reserved while the segment is installed.
    pub(super) unsafe fn remove_first(&self, _installed: &mut Installed) -> Option<OwnedSegment> {
        // Relaxed: `install` writes it under the lock, and this thread otherwise.
        let first = self.consumer.0.first.load(Ordering::Relaxed);
        if first.is_null() {
            return None;
        }
        // SAFETY: an installed segment is one of the pool, and only the consumer removes it.
        let next = unsafe { &(*first).next };
        // Relaxed: written under the lock only.
        let successor = next.load(Ordering::Relaxed);
        if successor.is_null() {
            // Release: pairs with `try_advance`.
            self.line().last.store(ptr::null_mut(), Ordering::Release);
        } else {
            next.store(ptr::null_mut(), Ordering::Relaxed);
        }
        // Relaxed: only the consumer reads it.
        self.consumer.0.first.store(successor, Ordering::Relaxed);
        // SAFETY: the list, which owned the segment, has it no more. No producer uses it, because no position is reserved.
        Some(unsafe { OwnedSegment::from_raw(first) })
    }

    /// As [`remove_first`](Self::remove_first) for a queue that parks: it has one segment at most, and afterwards none.
    ///
    /// # Safety
    /// As there.
    pub(super) unsafe fn remove_all(&self, installed: &mut Installed) -> Option<OwnedSegment> {
        // SAFETY: passed on.
        let segment = unsafe { self.remove_first(installed) };
        debug_assert!(self.consumer.0.first.load(Ordering::Relaxed).is_null(), "nothing is pending");
        *installed = Installed::NOTHING;
        segment
    }

    /// The slots from `head` to the end of its segment, if the segment is installed.
    ///
    /// # Safety
    /// The caller is the consumer and does not remove the segment while it uses the slots.
    #[inline]
    pub(super) unsafe fn first_slots(&self, head: u64) -> Option<&[Slot]> {
        // Acquire: pairs with `install`, so that the slots are visible although none may be published yet.
        let first = self.consumer.0.first.load(Ordering::Acquire);
        if first.is_null() {
            return None;
        }
        // SAFETY: an installed segment is one of the pool, and the consumer keeps it.
        let slots = unsafe { slots(first) };
        Some(&slots[index_of(head)..])
    }
}

/// The slot of a reserved position. Also fetches the slot that will be used soon after it.
///
/// # Safety
/// The caller has reserved the position in this segment and not yet published it.
#[inline]
pub(super) unsafe fn reserved_slot<'q>(segment: *const Segment, position: u64) -> &'q Slot {
    debug_assert!(!segment.is_null(), "the segment of a reserved position is installed");
    // SAFETY: an installed segment is one of the pool. It is not removed before the position is consumed.
    let slots = unsafe { slots(segment) };
    let index = index_of(position);
    // Clamped to the segment's end, which is cheaper than a branch.
    slot::fetch_for_writing(&slots[(index + slot::PREFETCH_DISTANCE).min(LENGTH - 1)]);
    &slots[index]
}

/// Whether a position is the first one of its segment.
pub(crate) fn is_segment_start(position: u64) -> bool {
    position.is_multiple_of(SEGMENT_SLOTS)
}

/// The first position after the segment of this one.
pub(crate) fn segment_end(position: u64) -> u64 {
    (position / SEGMENT_SLOTS + 1) * SEGMENT_SLOTS
}

#[inline]
fn index_of(position: u64) -> usize {
    (position % SEGMENT_SLOTS) as usize
}
