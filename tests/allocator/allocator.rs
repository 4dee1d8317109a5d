//! The allocator of this program: it counts blocks, emits an event for each of them, or holds a thread up, as a test asks.
#![allow(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use mvx_metrics::{MetricsRecorder, metric_event};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Bytes in use in the whole program.
static IN_USE: AtomicI64 = AtomicI64::new(0);

/// The recorders of each test that observes allocations. The last ones get the events.
static OBSERVERS: [OnceLock<Vec<MetricsRecorder>>; 4] = [const { OnceLock::new() }; 4];

/// How many tests have set their recorders.
static TESTS: AtomicUsize = AtomicUsize::new(0);

/// Whether every thread of the program emits.
static ALL_THREADS_EMIT: AtomicBool = AtomicBool::new(false);

/// An emit may allocate, and then emits again. This bounds the recursion.
const MAX_DEPTH: u32 = 4;

thread_local! {
    /// How many emits this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Whether this thread emits although not all threads do.
    static EMITS: Cell<bool> = const { Cell::new(false) };
    /// How many blocks this thread has allocated.
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
    /// This thread waits in the allocation of a block of this size; 0 for none.
    static HELD_SIZE: Cell<usize> = const { Cell::new(0) };
}

/// Chooses the recorder of the next event.
static EVENTS: AtomicUsize = AtomicUsize::new(0);

static HELD_THREADS: AtomicUsize = AtomicUsize::new(0);
static RELEASED: AtomicBool = AtomicBool::new(false);

/// A block was allocated, freed or moved.
#[metric_event]
pub struct Allocation {
    pub bytes: u64,
}

pub fn bytes_in_use() -> i64 {
    IN_USE.load(Ordering::SeqCst)
}

/// How many blocks this thread allocates in `code`.
pub fn blocks_allocated_by(code: impl FnOnce()) -> u64 {
    let before = ALLOCATED.get();
    code();
    ALLOCATED.get() - before
}

/// Chooses the recorders that get the events of the test that follows. Each block is an event for one of them in turn.
pub fn observe_with(recorders: Vec<MetricsRecorder>) {
    let test = TESTS.load(Ordering::SeqCst);
    assert!(OBSERVERS[test].set(recorders).is_ok(), "tests run one at a time");
    TESTS.store(test + 1, Ordering::SeqCst);
}

/// Runs `code` on this thread; each block that it allocates, frees or moves becomes an event.
pub fn emitting<R>(code: impl FnOnce() -> R) -> R {
    EMITS.set(true);
    let result = code();
    EMITS.set(false);
    result
}

/// Runs `code`; meanwhile each block that any thread of the program allocates, frees or moves becomes an event.
///
/// After half a minute the events end, so that a test that hangs can say so.
pub fn emitting_everywhere<R>(code: impl FnOnce() -> R) -> R {
    let (done, ended) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let _ = ended.recv_timeout(Duration::from_secs(30));
        ALL_THREADS_EMIT.store(false, Ordering::SeqCst);
    });
    ALL_THREADS_EMIT.store(true, Ordering::SeqCst);
    let result = code();
    drop(done);
    watchdog.join().expect("no panic");
    result
}

/// Runs `code` on this thread; it waits in the allocation of a block of `size` bytes until [`release`].
pub fn held_up_at<R>(size: usize, code: impl FnOnce() -> R) -> R {
    HELD_SIZE.set(size);
    code()
}

/// Waits until a thread is held up.
pub fn wait_for_held_thread() {
    while HELD_THREADS.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
}

/// Lets the held thread go on.
pub fn release() {
    RELEASED.store(true, Ordering::SeqCst);
    while HELD_THREADS.load(Ordering::SeqCst) > 0 {
        thread::yield_now();
    }
    RELEASED.store(false, Ordering::SeqCst);
}

fn note(allocated: usize, freed: usize) {
    // Relaxed: a count orders nothing.
    IN_USE.fetch_add(allocated.cast_signed() as i64 - freed.cast_signed() as i64, Ordering::Relaxed);
    if allocated > 0 {
        // A thread that is ending counts nothing.
        let _ = ALLOCATED.try_with(|count| count.set(count.get() + 1));
    }
    if HELD_SIZE.try_get() == Some(allocated) && allocated > 0 {
        HELD_SIZE.set(0);
        HELD_THREADS.fetch_add(1, Ordering::SeqCst);
        while !RELEASED.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        HELD_THREADS.fetch_sub(1, Ordering::SeqCst);
    }
    if ALL_THREADS_EMIT.load(Ordering::Relaxed) || EMITS.try_get() == Some(true) {
        emit(allocated.max(freed));
    }
}

fn emit(bytes: usize) {
    let Some(depth) = DEPTH.try_get().filter(|depth| *depth < MAX_DEPTH) else {
        return;
    };
    let tests = TESTS.load(Ordering::SeqCst);
    let Some(recorders) = tests.checked_sub(1).and_then(|test| OBSERVERS[test].get()) else {
        return;
    };
    // Relaxed: it need not be exact.
    let number = EVENTS.fetch_add(1, Ordering::Relaxed);
    DEPTH.set(depth + 1);
    recorders[number % recorders.len()].emit(Allocation { bytes: bytes as u64 });
    DEPTH.set(depth);
}

/// `LocalKey::get` for a thread that may be ending.
trait TryGet<T> {
    fn try_get(&'static self) -> Option<T>;
}

impl<T: Copy> TryGet<T> for thread::LocalKey<Cell<T>> {
    fn try_get(&'static self) -> Option<T> {
        self.try_with(Cell::get).ok()
    }
}

struct Allocator;

// SAFETY: every call is passed on unchanged to `System`, which upholds the contract of `GlobalAlloc`. `note` touches no
// block of the caller's.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: the block came from `System` through this allocator, with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size, layout.size());
        // SAFETY: the block came from `System` through this allocator, with this `layout`; `new_size` is the caller's.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
