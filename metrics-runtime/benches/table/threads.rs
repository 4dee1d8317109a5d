//! Threads pinned to cores, a barrier for a common start, and counts of wake-ups.

use std::fs;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use core_affinity::CoreId;

static CORES: LazyLock<Vec<CoreId>> = LazyLock::new(|| core_affinity::get_core_ids().unwrap_or_default());

/// How many cores this process may use.
pub fn core_count() -> usize {
    CORES.len()
}

/// Pins the current thread, and the threads it will start, to one of the cores.
pub fn pin(core: usize) {
    if let Some(core) = CORES.get(core) {
        core_affinity::set_for_current(*core);
    }
}

/// Runs `action` on a new thread. So the core applies to that thread and its children, and not to the caller.
pub fn on_core<T: Send>(core: Option<usize>, action: impl FnOnce() -> T + Send) -> T {
    let run = || {
        if let Some(core) = core {
            pin(core);
        }
        action()
    };
    thread::scope(|scope| scope.spawn(run).join().expect("the benchmark's thread panicked"))
}

/// A barrier without a system call, because a woken thread would start tens of microseconds late.
pub struct SpinBarrier {
    threads: usize,
    arrivals: AtomicUsize,
}

impl SpinBarrier {
    pub const fn new(threads: usize) -> Self {
        Self { threads, arrivals: AtomicUsize::new(0) }
    }

    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Waits until all threads have arrived.
    pub fn wait(&self) {
        let arrival = self.arrivals.fetch_add(1, Ordering::AcqRel);
        let all = (arrival / self.threads + 1) * self.threads;
        let mut spins = 0_u32;
        while self.arrivals.load(Ordering::Acquire) < all {
            spins += 1;
            if spins.is_multiple_of(1_000) {
                thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

/// How often the other threads of this process were scheduled so far. `None` on systems that do not count it.
pub fn switches_of_other_threads() -> Option<u64> {
    let current = fs::read_link("/proc/thread-self").ok()?;
    let tasks = fs::read_dir("/proc/self/task").ok()?;
    let others = tasks.flatten().filter(|task| Some(task.file_name().as_os_str()) != current.file_name());
    Some(others.filter_map(|task| switches(&fs::read_to_string(task.path().join("status")).ok()?)).sum())
}

fn switches(status: &str) -> Option<u64> {
    let counts = status.lines().filter_map(|line| line.split_once("_ctxt_switches:"));
    counts.map(|(_, count)| count.trim().parse::<u64>().ok()).sum()
}
