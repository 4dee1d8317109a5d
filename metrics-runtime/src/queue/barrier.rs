//! A pair of memory barriers: producers pass the light one for each event, and readers the heavy one now and then.
//!
//! The heavy barrier makes every running thread of the process pass a full barrier. So the light one need only keep the compiler
//! from moving accesses. The idea is that of `folly::asymmetricLightBarrier`; the system calls are `membarrier(2)` of Linux and
//! `FlushProcessWriteBuffers` of Windows. Elsewhere both barriers are full fences.
//!
//! # What the pair promises
//!
//! Either everything before a light barrier is visible after a heavy one, or everything before the heavy one is visible
//! after the light one. Two sequentially consistent fences promise the same.

use crate::sync::{Ordering, fence};

/// Whether producers must pass a full fence, because this system has no barrier for all threads of a process.
pub(crate) fn producers_fence() -> bool {
    !system::is_available()
}

/// The barrier of producers. `fences` is the answer of [`producers_fence`].
#[inline]
pub(crate) fn light(fences: bool) {
    if fences {
        fence(Ordering::SeqCst);
    } else {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    }
}

/// The barrier of readers. Answers `false` when the system has refused it after it had promised it: then it has no effect.
#[must_use]
pub(crate) fn heavy() -> bool {
    fence(Ordering::SeqCst);
    let passed = !system::is_available() || system::pass();
    fence(Ordering::SeqCst);
    passed
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(any(miri, mvx_loom))))]
mod system {
    use std::ffi::{c_int, c_long};
    use std::sync::LazyLock;

    #[cfg(target_arch = "x86_64")]
    const MEMBARRIER: Option<c_long> = Some(324);
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
    const MEMBARRIER: Option<c_long> = Some(283);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
    const MEMBARRIER: Option<c_long> = None;

    /// Commands of `linux/membarrier.h`.
    const PRIVATE_EXPEDITED: c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: c_int = 1 << 4;

    unsafe extern "C" {
        /// Of the C library, which the standard library links.
        fn syscall(number: c_long, ...) -> c_long;
    }

    /// A kernel before 4.14 and a sandbox may refuse the registration.
    static IS_REGISTERED: LazyLock<bool> = LazyLock::new(|| command(REGISTER_PRIVATE_EXPEDITED));

    pub(super) fn is_available() -> bool {
        *IS_REGISTERED
    }

    pub(super) fn pass() -> bool {
        command(PRIVATE_EXPEDITED)
    }

    fn command(command: c_int) -> bool {
        const NO_FLAGS: c_int = 0;
        // SAFETY: these commands of the call read two integers and touch no memory of the program.
        MEMBARRIER.is_some_and(|number| unsafe { syscall(number, command, NO_FLAGS) } == 0)
    }
}

#[cfg(all(windows, not(any(miri, mvx_loom))))]
mod system {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn FlushProcessWriteBuffers();
    }

    pub(super) fn is_available() -> bool {
        true
    }

    pub(super) fn pass() -> bool {
        // SAFETY: the call takes nothing, and cannot fail.
        unsafe { FlushProcessWriteBuffers() };
        true
    }
}

#[cfg(any(miri, mvx_loom, not(any(windows, all(target_os = "linux", target_pointer_width = "64")))))]
mod system {
    pub(super) fn is_available() -> bool {
        false
    }

    pub(super) fn pass() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_barrier_that_the_system_promises_takes_effect() {
        assert!(heavy());
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64", not(mvx_loom)))]
    #[cfg_attr(miri, ignore = "Miri has no such call")]
    fn linux_has_a_barrier_for_all_threads() {
        assert!(!producers_fence());
    }
}
