//! A global allocator that can count allocations.
#![allow(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

// Outside of `counted` an allocation only reads this flag, so that the other rows are not slowed down by the counting.
static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

/// The allocations of all threads together.
#[derive(Debug, Clone, Copy)]
pub struct Allocations {
    /// Calls that allocate or reallocate.
    pub count: u64,
    /// Bytes allocated and not freed again; negative when older memory was freed.
    pub live_bytes: i64,
}

/// Runs `action` and counts the allocations of all threads meanwhile.
pub fn counted<T>(action: impl FnOnce() -> T) -> (T, Allocations) {
    ALLOCATIONS.store(0, Ordering::SeqCst);
    LIVE_BYTES.store(0, Ordering::SeqCst);
    COUNTING.store(true, Ordering::SeqCst);
    let result = action();
    COUNTING.store(false, Ordering::SeqCst);
    let count = ALLOCATIONS.load(Ordering::SeqCst);
    (result, Allocations { count, live_bytes: LIVE_BYTES.load(Ordering::SeqCst) })
}

fn note(allocations: u64, allocated: usize, freed: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(allocations, Ordering::Relaxed);
        LIVE_BYTES.fetch_add(allocated.cast_signed() as i64 - freed.cast_signed() as i64, Ordering::Relaxed);
    }
}

struct CountingAllocator;

// SAFETY: every call is passed on unchanged to `System`, which upholds the contract of `GlobalAlloc`; the counting
// neither allocates nor touches the memory.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), 0);
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), 0);
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, 0, layout.size());
        // SAFETY: the block came from `System` through this allocator, with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(1, new_size, layout.size());
        // SAFETY: the block came from `System` through this allocator, with this `layout`; `new_size` is the caller's.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
