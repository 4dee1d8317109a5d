//! Segments: blocks of slots, allocated when a producer first needs one, and handed round through a pool.

use std::ptr;

use crate::queue::slot::Slot;
use crate::sync::{AtomicPtr, Mutex, Ordering, lock};

/// Slots in a segment: large enough that going to the pool is rare, small enough that a quiet recorder holds little.
#[cfg(not(mvx_loom))]
pub(crate) const SEGMENT_SLOTS: u64 = 256;
#[cfg(mvx_loom)]
pub(crate) const SEGMENT_SLOTS: u64 = 2;

/// How many free segments a pool keeps: 1 MiB.
const POOLED_SEGMENTS: usize = 64;

#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const LENGTH: usize = SEGMENT_SLOTS as usize;

/// A block of slots. Outside of a directory all of its slots are free.
type Segment = [Slot; LENGTH];

fn allocate() -> Box<Segment> {
    let slots: Box<[Slot]> = (0..LENGTH).map(|_| Slot::new()).collect();
    slots.try_into().unwrap_or_else(|_| unreachable!("as many slots as the array has"))
}

/// Free segments, shared by the recorders of one runtime.
pub(crate) struct SegmentPool(Mutex<Vec<Box<Segment>>>);

impl SegmentPool {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn take(&self) -> Box<Segment> {
        let pooled = lock(&self.0).pop();
        pooled.unwrap_or_else(allocate)
    }

    fn put(&self, segment: Box<Segment>) {
        let mut pool = lock(&self.0);
        if pool.len() < POOLED_SEGMENTS {
            pool.push(segment);
        }
    }
}

/// The ring of segments in use, indexed by position.
///
/// Invariant D1: the ring is longer than the segments that pending positions can touch, so an entry belongs to at most
/// one segment index that is in use.
pub(crate) struct Directory {
    entries: Box<[AtomicPtr<Segment>]>,
}

impl Directory {
    /// A directory for queues of at most `limit` pending positions.
    pub(crate) fn new(limit: u64) -> Self {
        let entries = (limit.div_ceil(SEGMENT_SLOTS) + 1).next_power_of_two();
        Self { entries: (0..entries).map(|_| AtomicPtr::new(ptr::null_mut())).collect() }
    }

    #[inline]
    fn entry(&self, position: u64) -> &AtomicPtr<Segment> {
        // A power of two; the mask is taken first, so that the index fits `usize` whatever its width.
        let mask = self.entries.len() as u64 - 1;
        &self.entries[((position / SEGMENT_SLOTS) & mask) as usize]
    }

    /// The slots from a position to the end of its segment, if the segment is there.
    ///
    /// # Safety
    /// The caller is the consumer, which alone removes segments, and does not remove this one during `'a`.
    #[inline]
    pub(crate) unsafe fn slots_from(&self, position: u64) -> Option<&[Slot]> {
        // SAFETY: passed on.
        let segment = unsafe { self.segment(position) }?;
        Some(&segment[index_of(position)..])
    }

    /// # Safety
    /// The caller keeps the segment in the directory: it has reserved the position and not yet published it, or it is
    /// the consumer.
    #[inline]
    unsafe fn segment(&self, position: u64) -> Option<&Segment> {
        // Acquire: pairs with the exchange that installed the segment, so that its slots are seen initialised.
        let segment = self.entry(position).load(Ordering::Acquire);
        // SAFETY: a non-null entry is a segment from `Box::into_raw`, and the caller keeps it there.
        unsafe { segment.as_ref() }
    }

    /// The slot of a position; puts a segment there when there is none.
    ///
    /// # Safety
    /// The caller has reserved the position and not yet published it.
    #[inline]
    pub(crate) unsafe fn slot_or_install(&self, position: u64, pool: &SegmentPool) -> &Slot {
        // SAFETY: the reservation keeps the segment in place.
        match unsafe { self.segment(position) } {
            Some(segment) => &segment[index_of(position)],
            // SAFETY: passed on.
            None => unsafe { self.install(position, pool) },
        }
    }

    /// # Safety
    /// As [`slot_or_install`](Self::slot_or_install).
    #[cold]
    unsafe fn install(&self, position: u64, pool: &SegmentPool) -> &Slot {
        let entry = self.entry(position);
        let fresh = Box::into_raw(pool.take());
        // AcqRel: release shows the slots of `fresh` to others, acquire shows us those of the winner.
        match entry.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: `fresh` is now in the directory, and the reservation keeps it there.
            Ok(_) => &(unsafe { &*fresh })[index_of(position)],
            Err(winner) => {
                // SAFETY: `fresh` was not installed, so it is still ours alone.
                pool.put(unsafe { Box::from_raw(fresh) });
                // SAFETY: `winner` is non-null and in the directory, where the reservation keeps it.
                &(unsafe { &*winner })[index_of(position)]
            }
        }
    }

    /// Takes the segment of a position out and gives it back to the pool.
    ///
    /// # Safety
    /// All slots of the segment are free, and no position in it is reserved.
    pub(crate) unsafe fn recycle(&self, position: u64, pool: &SegmentPool) {
        // Relaxed: the head (or the tail, when parking) is stored with release afterwards, and only producers that have
        // seen that look at this entry again.
        let segment = self.entry(position).swap(ptr::null_mut(), Ordering::Relaxed);
        if !segment.is_null() {
            // SAFETY: the entry owned the segment; with no position reserved nobody else has a pointer to it.
            pool.put(unsafe { Box::from_raw(segment) });
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        for entry in &self.entries {
            let segment = entry.swap(ptr::null_mut(), Ordering::Relaxed);
            if !segment.is_null() {
                // SAFETY: the entry owns the segment, and `&mut self` says that nobody else looks at it.
                drop(unsafe { Box::from_raw(segment) });
            }
        }
    }
}

#[inline]
fn index_of(position: u64) -> usize {
    (position % SEGMENT_SLOTS) as usize
}
