//! What the kernel counts for the threads of this process.

#![allow(unsafe_code, reason = "the kernel's interface is a C interface")]

use std::fs;
use std::path::{Path, PathBuf};

/// The CPU time of threads, and how often they slept and woke up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub cpu_nanos: u64,
    pub wakes: u64,
}

impl Usage {
    /// Of one thread so far. A thread that runs at this moment may have used a little more.
    pub fn of(thread: &Path) -> Self {
        let read = |file| fs::read_to_string(thread.join(file)).unwrap_or_default();
        let times = read("schedstat");
        let status = read("status");
        let wakes = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        Self {
            cpu_nanos: times.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default(),
            wakes: wakes.and_then(|count| count.trim().parse().ok()).unwrap_or_default(),
        }
    }

    /// Of all threads of this process but the current one.
    pub fn of_other_threads() -> Self {
        let current = current_thread();
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let others = tasks.map(|task| task.path()).filter(|task| task.file_name() != current.file_name());
        others.map(|task| Self::of(&task)).fold(Self::default(), |sum, usage| Self {
            cpu_nanos: sum.cpu_nanos + usage.cpu_nanos,
            wakes: sum.wakes + usage.wakes,
        })
    }

    pub fn since(self, earlier: Self) -> Self {
        Self { cpu_nanos: self.cpu_nanos - earlier.cpu_nanos, wakes: self.wakes - earlier.wakes }
    }
}

/// Where the kernel describes the current thread. Empty on systems that do not.
pub fn current_thread() -> PathBuf {
    let link = fs::read_link("/proc/thread-self").unwrap_or_default();
    Path::new("/proc").join(link)
}

/// The CPU time of the current thread, up to this moment.
pub fn thread_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "each thread has this clock");
    let nanos = |count| u64::try_from(count).expect("not negative");
    nanos(time.tv_sec) * 1_000_000_000 + nanos(time.tv_nsec)
}

pub fn is_available() -> bool {
    current_thread().join("schedstat").exists()
}
