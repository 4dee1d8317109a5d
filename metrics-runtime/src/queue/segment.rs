//! Segments: blocks of slots, allocated when a producer first needs one, and handed round through a pool.

use std::ptr;

use crate::queue::slot::{self, Slot};
use crate::sync::{AtomicPtr, Mutex, Ordering, lock};

/// Slots in a segment: large enough that going to the pool is rare, small enough that a quiet recorder holds little.
#[cfg(not(mvx_loom))]
pub(crate) const SEGMENT_SLOTS: u64 = 256;
#[cfg(mvx_loom)]
pub(crate) const SEGMENT_SLOTS: u64 = 3;

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

    #[cfg(all(test, not(mvx_loom)))]
    pub(crate) fn free_segments(&self) -> usize {
        lock(&self.0).len()
    }
}

/// The ring of segments in use, indexed by position. It is made with the first event.
///
/// * D1: the ring is longer than the segments that pending positions can touch, so an entry belongs to at most one
///   segment index that is in use.
/// * D2: `entries` is null until [`make`](Self::make), and from then on until the drop a boxed slice of `mask + 1` entries.
pub(crate) struct Directory {
    entries: AtomicPtr<AtomicPtr<Segment>>,
    mask: usize,
}

impl Directory {
    /// A directory for queues of at most `limit` pending positions.
    pub(crate) fn new(limit: u64) -> Self {
        let entries = (limit.div_ceil(SEGMENT_SLOTS) + 1).next_power_of_two();
        let mask =
            usize::try_from(entries - 1).expect("the largest limit is far from filling the address space");
        Self { entries: AtomicPtr::new(ptr::null_mut()), mask }
    }

    /// Makes the ring unless there is one. To be called by one thread at a time.
    pub(crate) fn make(&self) {
        if !self.is_made() {
            let entries: Box<[AtomicPtr<Segment>]> =
                (0..=self.mask).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
            // Release: pairs with the acquire of `is_made`.
            self.entries.store(Box::into_raw(entries).cast(), Ordering::Release);
        }
    }

    /// Whether the ring is made; then the caller sees it.
    #[inline]
    pub(crate) fn is_made(&self) -> bool {
        // Acquire: the entries are seen initialised.
        !self.entries.load(Ordering::Acquire).is_null()
    }

    /// # Safety
    /// The ring is made, and its making happens before this call.
    #[inline]
    unsafe fn entry(&self, position: u64) -> &AtomicPtr<Segment> {
        // Relaxed: the caller sees it.
        let entries = self.entries.load(Ordering::Relaxed);
        debug_assert!(!entries.is_null(), "who has a position has the directory");
        // The bits beyond `usize` are of no use to the mask.
        let index = (position / SEGMENT_SLOTS) as usize & self.mask;
        // SAFETY: the index is within the slice (D2).
        let entry = unsafe { entries.add(index) };
        // SAFETY: D2.
        unsafe { &*entry }
    }

    /// The slots from a position to the end of its segment, if the segment is there.
    ///
    /// # Safety
    /// The ring is made. The caller is the consumer, which alone removes segments, and does not remove this one
    /// meanwhile.
    #[inline]
    pub(crate) unsafe fn slots_from(&self, position: u64) -> Option<&[Slot]> {
        // SAFETY: passed on.
        let segment = unsafe { self.segment(position) }?;
        Some(&segment[index_of(position)..])
    }

    /// # Safety
    /// The ring is made. The caller keeps the segment in the directory: it has reserved the position and not yet
    /// published it, or it is the consumer.
    #[inline]
    unsafe fn segment(&self, position: u64) -> Option<&Segment> {
        // SAFETY: passed on.
        let entry = unsafe { self.entry(position) };
        // Acquire: pairs with the exchange that installed the segment, so that its slots are seen initialised.
        let segment = entry.load(Ordering::Acquire);
        // SAFETY: a non-null entry is a segment from `Box::into_raw`, and the caller keeps it there.
        unsafe { segment.as_ref() }
    }

    /// The slot of a position, if its segment is there. The slot that is used soon after it is then on its way.
    ///
    /// # Safety
    /// The ring is made. The caller has reserved the position and not yet published it.
    #[inline]
    pub(crate) unsafe fn slot(&self, position: u64) -> Option<&Slot> {
        // SAFETY: the reservation keeps the segment in place.
        let segment = unsafe { self.segment(position) }?;
        let index = index_of(position);
        // At the segment's end it is the last slot again, which costs less than to ask.
        slot::fetch_for_writing(&segment[(index + slot::AHEAD).min(LENGTH - 1)]);
        Some(&segment[index])
    }

    /// The slot of a position; puts a segment there when there is none.
    ///
    /// # Safety
    /// The ring is made. The caller has reserved the position and not yet published it.
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
        // SAFETY: passed on.
        let entry = unsafe { self.entry(position) };
        let fresh = Box::into_raw(pool.take());
        // AcqRel: release shows the slots of `fresh` to others, acquire shows us those of the winner.
        match entry.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                // SAFETY: `fresh` is now in the directory, and the reservation keeps it there.
                let slots: &Segment = unsafe { &*fresh };
                slot::fetch_first(slots);
                &slots[index_of(position)]
            }
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
    /// The ring is made. All slots of the segment are free, and no position in it is reserved.
    pub(crate) unsafe fn recycle(&self, position: u64, pool: &SegmentPool) {
        // Relaxed: the head (or the tail, when parking) is stored with release afterwards, and only producers that have
        // seen that look at this entry again.
        // SAFETY: passed on.
        let segment = unsafe { self.entry(position) }.swap(ptr::null_mut(), Ordering::Relaxed);
        if !segment.is_null() {
            // SAFETY: the entry owned the segment; with no position reserved nobody else has a pointer to it.
            pool.put(unsafe { Box::from_raw(segment) });
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Relaxed, here and below: `&mut self` says that nobody else looks at it.
        let entries = self.entries.swap(ptr::null_mut(), Ordering::Relaxed);
        if entries.is_null() {
            return;
        }
        let entries = ptr::slice_from_raw_parts_mut(entries, self.mask + 1);
        // SAFETY: what `make` got from `Box::into_raw` (D2).
        let entries = unsafe { Box::from_raw(entries) };
        for entry in &entries {
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
