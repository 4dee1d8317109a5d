//! Segments: blocks of slots that producers install, the consumer removes, and recorders share through a pool.

use std::ptr;

use crate::queue::slot::{self, Slot};
use crate::sync::{AtomicPtr, Mutex, Ordering};

/// Slots in a segment: large enough to visit the pool rarely, small enough that a recorder with few events holds little.
#[cfg(not(mvx_loom))]
pub(crate) const SEGMENT_SLOTS: u64 = 256;
#[cfg(mvx_loom)]
pub(crate) const SEGMENT_SLOTS: u64 = 3;

/// How many free segments a pool keeps: 1 MiB.
const MAX_POOLED_SEGMENTS: usize = 64;

#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const LENGTH: usize = SEGMENT_SLOTS as usize;

/// A block of slots. Outside of a directory all of its slots are free.
type Segment = [Slot; LENGTH];

type Ring = Box<[AtomicPtr<Segment>]>;

fn allocate() -> Box<Segment> {
    let slots: Box<[Slot]> = (0..LENGTH).map(|_| Slot::new()).collect();
    slots.try_into().unwrap_or_else(|_| unreachable!("as many slots as the array has"))
}

/// Free segments, shared by the recorders of one runtime. It allocates and frees only while it is not locked.
pub(crate) struct SegmentPool(Mutex<Vec<Box<Segment>>>);

impl SegmentPool {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::with_capacity(MAX_POOLED_SEGMENTS)))
    }

    fn take(&self) -> Box<Segment> {
        let pooled = self.0.lock().pop();
        pooled.unwrap_or_else(allocate)
    }

    pub(crate) fn put(&self, segment: Box<Segment>) {
        let surplus = {
            let mut free = self.0.lock();
            if free.len() < MAX_POOLED_SEGMENTS {
                // Within the capacity.
                free.push(segment);
                None
            } else {
                Some(segment)
            }
        };
        drop(surplus);
    }

    #[cfg(all(test, not(mvx_loom)))]
    pub(crate) fn free_segments(&self) -> usize {
        self.0.lock().len()
    }
}

/// Memory that a producer has ready before it takes `park_lock`. The rest goes back when the spare is dropped, which must be
/// after the lock is released and the event is published.
pub(crate) struct Spare<'q> {
    pool: &'q SegmentPool,
    segment: Option<Box<Segment>>,
    ring: Option<Ring>,
}

impl<'q> Spare<'q> {
    pub(crate) fn new(pool: &'q SegmentPool) -> Self {
        Self { pool, segment: None, ring: None }
    }

    /// Gets a segment, and a ring if the directory has none, for [`Directory::install`] at that position.
    pub(crate) fn prepare(&mut self, directory: &Directory, position: u64) {
        let segment = self.segment.get_or_insert_with(|| self.pool.take());
        slot::fetch_first(&segment[index_of(position)..]);
        if !directory.is_made() && self.ring.is_none() {
            self.ring = Some(directory.allocate_ring());
        }
    }
}

impl Drop for Spare<'_> {
    fn drop(&mut self) {
        if let Some(segment) = self.segment.take() {
            self.pool.put(segment);
        }
    }
}

/// The ring of installed segments, indexed by position. The first event brings the ring along. The queue removes all segments
/// before it drops the directory.
///
/// * D1: The ring is longer than the number of segments that pending positions can touch. So an entry belongs to at
///   most one segment in use.
/// * D2: `entries` is null until the first [`install`](Self::install). From then on it is a boxed slice of `mask + 1` entries.
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

    fn allocate_ring(&self) -> Ring {
        (0..=self.mask).map(|_| AtomicPtr::new(ptr::null_mut())).collect()
    }

    /// Whether the ring is there; then it is visible to the caller.
    #[inline]
    pub(crate) fn is_made(&self) -> bool {
        // Acquire: pairs with `install`, so that the entries are visible.
        !self.entries.load(Ordering::Acquire).is_null()
    }

    /// # Safety
    /// The ring is there, and its installation happens before this call.
    #[inline]
    unsafe fn entry(&self, position: u64) -> &AtomicPtr<Segment> {
        // Relaxed: the caller's promise makes it visible.
        let entries = self.entries.load(Ordering::Relaxed);
        debug_assert!(!entries.is_null(), "a position was reserved, so there is a ring");
        // The cast may cut bits off that the mask would remove.
        let index = (position / SEGMENT_SLOTS) as usize & self.mask;
        // SAFETY: the index is within the slice (D2).
        let entry = unsafe { entries.add(index) };
        // SAFETY: D2.
        unsafe { &*entry }
    }

    /// The slots from a position to the end of its segment, if the segment is installed.
    ///
    /// # Safety
    /// [`is_made`](Self::is_made) was true. The caller is the consumer and does not remove the segment while it uses the slots.
    #[inline]
    pub(crate) unsafe fn slots_from(&self, position: u64) -> Option<&[Slot]> {
        // SAFETY: passed on.
        let entry = unsafe { self.entry(position) };
        // Acquire: pairs with `install`, so that the slots are visible although none may be published yet.
        let segment = entry.load(Ordering::Acquire);
        // SAFETY: a non-null entry is a segment from `Box::into_raw`, and the consumer keeps it there.
        let segment = unsafe { segment.as_ref() }?;
        Some(&segment[index_of(position)..])
    }

    /// The slot of a reserved position. Also fetches the slot that will be used soon after it.
    ///
    /// # Safety
    /// The caller has reserved the position and not yet published it.
    #[inline]
    pub(crate) unsafe fn slot(&self, position: u64) -> &Slot {
        // SAFETY: the reservation makes the installation of the ring and the segment visible (Q7).
        let entry = unsafe { self.entry(position) };
        // Relaxed: as above.
        let segment = entry.load(Ordering::Relaxed);
        debug_assert!(!segment.is_null(), "the segment of a reserved position is installed");
        // SAFETY: by Q7 the entry is a segment from `Box::into_raw`. It is not removed before the position is consumed.
        let segment = unsafe { &*segment };
        let index = index_of(position);
        // Clamped to the segment's end, which is cheaper than a branch.
        slot::fetch_for_writing(&segment[(index + slot::PREFETCH_DISTANCE).min(LENGTH - 1)]);
        &segment[index]
    }

    /// Makes sure that the ring and the segment of a position are there, with memory from the spare. `false` when the
    /// spare lacks one of them.
    ///
    /// # Safety
    /// The caller holds `park_lock`. The entry of the position has no segment of other positions.
    pub(crate) unsafe fn install(&self, position: u64, spare: &mut Spare<'_>) -> bool {
        if !self.is_made() {
            let Some(ring) = spare.ring.take() else {
                return false;
            };
            // Release: pairs with `is_made`. `park_lock` keeps other producers from storing here.
            self.entries.store(Box::into_raw(ring).cast(), Ordering::Release);
        }
        // SAFETY: the ring is there.
        let entry = unsafe { self.entry(position) };
        // Relaxed: segments are installed under `park_lock`. A producer that found the queue closed has left one here.
        if entry.load(Ordering::Relaxed).is_null() {
            let Some(segment) = spare.segment.take() else {
                return false;
            };
            // Release: pairs with `slots_from`.
            entry.store(Box::into_raw(segment), Ordering::Release);
        }
        true
    }

    /// Removes the segment of a position, if it is installed.
    ///
    /// # Safety
    /// The ring is there. The caller is the consumer and has no reference into the segment. All slots of the segment are
    /// free, no position in it is reserved, and none can be reserved while this call runs.
    pub(crate) unsafe fn remove(&self, position: u64) -> Option<Box<Segment>> {
        // SAFETY: passed on.
        let entry = unsafe { self.entry(position) };
        // Relaxed: a producer meets this entry again only after it has acquired the `head` that is stored afterwards, or
        // `park_lock`.
        let segment = entry.swap(ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: the entry owned the segment. No position is reserved, so no producer has a pointer to it.
        (!segment.is_null()).then(|| unsafe { Box::from_raw(segment) })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Relaxed: `&mut self` excludes all other threads.
        let entries = self.entries.swap(ptr::null_mut(), Ordering::Relaxed);
        if entries.is_null() {
            return;
        }
        let entries = ptr::slice_from_raw_parts_mut(entries, self.mask + 1);
        // SAFETY: `install` got it from `Box::into_raw` (D2).
        drop(unsafe { Box::from_raw(entries) });
    }
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
