//! Which calls enter the kernel: a thread observes its own system calls.
//!
//! Linux can turn a thread's system calls into signals to that thread ("syscall user dispatch"). A byte in memory switches this
//! on and off. That needs no privilege and no tracer, and costs nothing while the byte says "allow".
#![cfg_attr(
    all(target_os = "linux", target_arch = "x86_64"),
    allow(unsafe_code, reason = "the kernel's interface is a C interface")
)]

/// Observes calls on the current thread.
pub struct Watch {
    calls_with_syscall: u64,
}

/// Runs `action` and returns how many of its calls through the watch entered the kernel. On systems without this feature it
/// does not run `action` and returns `None`.
pub fn watch(action: impl FnOnce(&mut Watch)) -> Option<u64> {
    let mut watch = Watch { calls_with_syscall: 0 };
    dispatch::run(|| action(&mut watch)).then_some(watch.calls_with_syscall)
}

impl Watch {
    pub fn call(&mut self, action: impl FnOnce()) {
        self.calls_with_syscall += u64::from(dispatch::traps(action));
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod dispatch {
    use std::ffi::{c_int, c_void};
    use std::ptr;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU8, Ordering};

    use libc::{c_ulong, siginfo_t, ucontext_t};

    const SET_SYSCALL_USER_DISPATCH: c_int = 59;
    const DISPATCH_OFF: c_ulong = 0;
    const DISPATCH_ON: c_ulong = 1;

    const ALLOW: u8 = 0;
    const BLOCK: u8 = 1;

    /// The length of the `syscall` instruction.
    const SYSCALL_LENGTH: i64 = 2;

    /// The byte that the kernel reads at each system call of the thread that runs `run`.
    static SELECTOR: AtomicU8 = AtomicU8::new(ALLOW);

    /// Runs `action` while the system calls of this thread trap. Answers `false`, without running it, on kernels without this
    /// feature.
    pub fn run(action: impl FnOnce()) -> bool {
        static ONE_THREAD: Mutex<()> = Mutex::new(());
        let _one_thread = ONE_THREAD.lock();
        if !install_handler() || !switch(DISPATCH_ON) {
            return false;
        }
        action();
        switch(DISPATCH_OFF)
    }

    /// Whether `action` made a system call.
    pub fn traps(action: impl FnOnce()) -> bool {
        SELECTOR.store(BLOCK, Ordering::SeqCst);
        action();
        // The handler has already allowed system calls again if there was one.
        SELECTOR.swap(ALLOW, Ordering::SeqCst) == ALLOW
    }

    fn switch(mode: c_ulong) -> bool {
        let selector = if mode == DISPATCH_ON { SELECTOR.as_ptr() } else { ptr::null_mut() };
        let nothing: c_ulong = 0;
        // SAFETY: the selector is a static byte, valid for as long as the kernel may read it. An unknown option is an
        // error without any effect.
        unsafe { libc::prctl(SET_SYSCALL_USER_DISPATCH, mode, nothing, nothing, selector) == 0 }
    }

    fn install_handler() -> bool {
        let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = allow_and_repeat;
        // SAFETY: all fields of `sigaction` are integers, for which zero is a valid value.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO;
        // SAFETY: `action` is initialised, and its handler has the signature that `SA_SIGINFO` asks for. The handler only
        // stores to an atomic and to the saved registers, which a signal handler may do.
        unsafe { libc::sigaction(libc::SIGSYS, &raw const action, ptr::null_mut()) == 0 }
    }

    /// Allows system calls again, and makes the thread repeat the call that trapped.
    extern "C" fn allow_and_repeat(_signal: c_int, _info: *mut siginfo_t, context: *mut c_void) {
        SELECTOR.store(ALLOW, Ordering::SeqCst);
        // SAFETY: the kernel passes a handler with `SA_SIGINFO` the interrupted thread's context, which nothing else
        // refers to while the handler runs.
        let context = unsafe { &mut *context.cast::<ucontext_t>() };
        context.uc_mcontext.gregs[libc::REG_RIP as usize] -= SYSCALL_LENGTH;
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod dispatch {
    pub fn run(_action: impl FnOnce()) -> bool {
        false
    }

    pub fn traps(action: impl FnOnce()) -> bool {
        action();
        false
    }
}
