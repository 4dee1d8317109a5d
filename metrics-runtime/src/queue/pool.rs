//! Free segments, shared by the recorders of one runtime.
//!
//! # Why chunks
//!
//! Segments that the allocator hands out one by one lie between the long-lived blocks of the program. Freed, they leave holes that
//! the allocator keeps resident. So segments come from chunks, which the allocator maps by themselves and gives back to the
//! operating system as a whole. The operating system hands a chunk out zeroed, and zeros are free slots. So nothing writes to a
//! segment before its first event, and one event makes one page resident.
//!
//! A pool takes the lowest free segment of the first chunk that has one. So the segments in use move to the first chunks, and
//! the others become empty. An empty chunk is freed if more than [`MAX_KEPT`] of its segments were ever used. A chunk with
//! many resident pages and few segments in use hands out no more, so that it becomes empty too.
//!
//! The first chunk is small and stays. Few programs need a second one, and recorders with an event now and then allocate
//! nothing.

use crate::queue::segment::{OwnedSegment, Segment};
use crate::sync::{Mutex, lock_with_room};

/// How many segments the first chunk has: a mebibyte.
const FIRST_CHUNK: usize = if cfg!(mvx_loom) {
    1
} else if cfg!(miri) {
    16
} else {
    64
};
/// How many segments the other chunks have. In an address space of 64 bits it is a little more than 32 MiB: glibc maps every block
/// of that size by itself. With less, it learns from a freed block to take the next ones from its heap, which keeps them.
/// A limit of 512 KiB holds for 32 bits.
const NEXT_CHUNKS: usize = if cfg!(mvx_loom) {
    1
} else if cfg!(miri) {
    // Miri takes minutes for a larger chunk.
    128
} else if cfg!(target_pointer_width = "64") {
    2_049
} else {
    64
};
/// An empty chunk of which more segments were used is freed.
const MAX_KEPT: usize = FIRST_CHUNK;
/// A chunk is sparse if it has this many used-up segments for each one in use, beyond [`MAX_KEPT`].
const MAX_USED_UP: usize = 8;
const WORD: usize = u64::BITS as usize;

/// It allocates and frees only while it is not locked.
pub(crate) struct SegmentPool(Mutex<Vec<Chunk>>);

impl SegmentPool {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn take(&self) -> OwnedSegment {
        let mut fresh = None;
        loop {
            let is_first = {
                let mut chunks = self.0.lock();
                if let Some(segment) = take_lowest(&mut chunks) {
                    // `fresh` is freed when the lock is released.
                    return segment;
                }
                chunks.is_empty()
            };
            match fresh.take() {
                None => fresh = Some(Chunk::new(if is_first { FIRST_CHUNK } else { NEXT_CHUNKS })),
                Some(chunk) => lock_with_room(&self.0, |chunks| chunks).push(chunk),
            }
        }
    }

    pub(super) fn put(&self, segment: OwnedSegment) {
        let empty = {
            let mut chunks = self.0.lock();
            let place = chunks.iter().position(|chunk| chunk.index_of(&segment).is_some());
            let place = place.expect("a segment goes back to its own pool");
            chunks[place].put(segment);
            chunks[place].is_surplus().then(|| chunks.remove(place))
        };
        drop(empty);
    }

    /// How many segments of how many chunks are in use.
    #[cfg(all(test, not(mvx_loom)))]
    pub(super) fn used(&self) -> (usize, usize) {
        let chunks = self.0.lock();
        (chunks.iter().map(|chunk| chunk.used).sum(), chunks.len())
    }
}

/// The lowest free segment. One sparse chunk is passed over; of several ones the first serves again, so that they do not pile up.
fn take_lowest(chunks: &mut [Chunk]) -> Option<OwnedSegment> {
    let sparse = chunks.iter().filter(|chunk| chunk.is_sparse()).count();
    chunks.iter_mut().filter(|chunk| sparse > 1 || !chunk.is_sparse()).find_map(Chunk::take)
}

/// A block of segments.
struct Chunk {
    memory: Memory,
    /// A bit for each segment, set while it is free.
    free: [u64; NEXT_CHUNKS.div_ceil(WORD)],
    used: usize,
    /// No segment from this index on was ever handed out.
    touched: usize,
}

impl Chunk {
    fn new(length: usize) -> Self {
        let memory = Memory::new(length);
        let mut free = [0; NEXT_CHUNKS.div_ceil(WORD)];
        for index in 0..memory.length {
            free[index / WORD] |= 1 << (index % WORD);
        }
        Self { memory, free, used: 0, touched: 0 }
    }

    fn take(&mut self) -> Option<OwnedSegment> {
        let place = self.free.iter().position(|word| *word != 0)?;
        let word = &mut self.free[place];
        let index = place * WORD + word.trailing_zeros() as usize;
        *word &= *word - 1;
        self.used += 1;
        self.touched = self.touched.max(index + 1);
        // SAFETY: the index is within the memory, and its bit said that nobody has this segment.
        Some(unsafe { OwnedSegment::from_raw(self.memory.segments.wrapping_add(index)) })
    }

    /// The segment is one of this chunk.
    fn put(&mut self, segment: OwnedSegment) {
        if let Some(index) = self.index_of(&segment) {
            // The memory stays that of the chunk.
            let _ = segment.into_raw();
            self.free[index / WORD] |= 1 << (index % WORD);
            self.used -= 1;
        }
    }

    fn index_of(&self, segment: &OwnedSegment) -> Option<usize> {
        let distance = segment.as_ptr().addr().checked_sub(self.memory.segments.addr())?;
        Some(distance / size_of::<Segment>()).filter(|index| *index < self.memory.length)
    }

    /// Whether it holds memory that it should give back.
    fn is_surplus(&self) -> bool {
        self.used == 0 && self.is_sparse()
    }

    fn is_sparse(&self) -> bool {
        self.touched > MAX_KEPT + MAX_USED_UP * self.used
    }
}

use memory::Memory;

#[cfg(not(mvx_loom))]
mod memory {
    //! Zeroed memory of the operating system.

    use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

    use super::FIRST_CHUNK;
    use crate::queue::segment::Segment;

    /// Segments side by side. All of their slots are free at first, because their bytes are zero.
    pub(super) struct Memory {
        pub(super) segments: *mut Segment,
        pub(super) length: usize,
        block: *mut u8,
    }

    // SAFETY: it owns its memory, and segments are `Send`.
    unsafe impl Send for Memory {}

    impl Memory {
        /// Memory for that many segments; for fewer if the operating system refuses so much.
        pub(super) fn new(length: usize) -> Self {
            Self::try_new(length)
                .or_else(|| Self::try_new(FIRST_CHUNK))
                .unwrap_or_else(|| handle_alloc_error(Self::layout(FIRST_CHUNK)))
        }

        /// The allocator would write zeros itself for a stricter alignment, and so make all pages resident. So there is room to
        /// align the segments here.
        fn layout(length: usize) -> Layout {
            let size = length * size_of::<Segment>() + align_of::<Segment>();
            Layout::from_size_align(size, align_of::<usize>()).expect("a few megabytes")
        }

        fn try_new(length: usize) -> Option<Self> {
            // SAFETY: the size is not zero.
            let block = unsafe { alloc_zeroed(Self::layout(length)) };
            let segments = block.wrapping_add(block.align_offset(align_of::<Segment>())).cast();
            (!block.is_null()).then_some(Self { segments, length, block })
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: `try_new` got it with this layout. All segments are free, because queues and rings give back what they have.
            unsafe { dealloc(self.block, Self::layout(self.length)) };
        }
    }
}

#[cfg(mvx_loom)]
mod memory {
    //! Loom must hear of each atomic, so zeros will not do.

    use crate::queue::segment::Segment;

    pub(super) struct Memory {
        pub(super) segments: *mut Segment,
        pub(super) length: usize,
    }

    // SAFETY: it owns its memory, and segments are `Send`.
    unsafe impl Send for Memory {}

    impl Memory {
        pub(super) fn new(length: usize) -> Self {
            let segments: Box<[Segment]> = (0..length).map(|_| Segment::new()).collect();
            Self { segments: Box::into_raw(segments).cast(), length }
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            let segments = std::ptr::slice_from_raw_parts_mut(self.segments, self.length);
            // SAFETY: `new` got it from `Box::into_raw`, and all segments are free.
            drop(unsafe { Box::from_raw(segments) });
        }
    }
}

#[cfg(all(test, not(mvx_loom)))]
mod tests;
