//! The memory of the process: allocated by the program, and resident as the system counts it.
#![allow(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

static IN_USE: AtomicI64 = AtomicI64::new(0);

/// Memory at one moment, in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Allocated and not freed.
    pub in_use: i64,
    /// Resident, on systems that tell.
    pub resident: Option<u64>,
}

impl Memory {
    pub fn now() -> Self {
        Self { in_use: IN_USE.load(Ordering::SeqCst) / 1_024, resident: resident() }
    }
}

fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn note(allocated: usize, freed: usize) {
    // Relaxed: a count orders nothing.
    IN_USE.fetch_add(allocated.cast_signed() as i64 - freed.cast_signed() as i64, Ordering::Relaxed);
}

struct CountingAllocator;

// SAFETY: every call is passed on unchanged to `System`, which upholds the contract of `GlobalAlloc`; the counting
// neither allocates nor touches the memory.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller promises what `System` asks of `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller promises what `System` asks of `layout`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: the block came from `System` through this allocator, with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size, layout.size());
        // SAFETY: the block came from `System` through this allocator, with this `layout`. The caller answers for `new_size`.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
