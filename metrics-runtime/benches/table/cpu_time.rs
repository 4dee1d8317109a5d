//! How long threads have run on a processor.
#![allow(unsafe_code, reason = "`clock_gettime` writes into a struct of the caller")]

use std::time::Duration;

/// The time of the calling thread since its start. `None` on systems without such a clock.
pub fn of_thread() -> Option<Duration> {
    #[cfg(unix)]
    return read(libc::CLOCK_THREAD_CPUTIME_ID);
    #[cfg(not(unix))]
    None
}

/// The time of all threads of this process, ended ones included. `None` on systems without such a clock.
pub fn of_process() -> Option<Duration> {
    #[cfg(unix)]
    return read(libc::CLOCK_PROCESS_CPUTIME_ID);
    #[cfg(not(unix))]
    None
}

#[cfg(unix)]
fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is of a local struct, which outlives the call.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?);
    (result == 0).then(|| Duration::new(seconds, nanoseconds))
}
