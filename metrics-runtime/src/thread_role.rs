//! The role of the current thread in this library. A call that would wait for its own thread is refused, and code on a
//! producer's thread logs nothing.

use std::cell::Cell;

thread_local! {
    static ROLE: Cell<ThreadRole> = const { Cell::new(NO_ROLE) };
    static EVENT_LOOP: Cell<usize> = const { Cell::new(0) };
}

#[derive(Clone, Copy)]
struct ThreadRole {
    /// This thread polls a hook of the recorder with this identity; 0 for none.
    hook_of: usize,
    /// The thread runs code of a metric, an event or a snapshot, and may hold a recorder's metrics lock.
    in_metrics: bool,
    /// The thread is inside of `register_event` or `emit`.
    in_producer: bool,
}

const NO_ROLE: ThreadRole = ThreadRole { hook_of: 0, in_metrics: false, in_producer: false };

/// Marks this thread as polling a hook of the recorder of that identity, until the guard is dropped.
pub(crate) fn enter_hook(recorder: usize) -> RoleGuard {
    enter(|role| role.hook_of = recorder)
}

/// Marks this thread as running code of metrics, until the guard is dropped.
pub(crate) fn enter_metrics() -> RoleGuard {
    enter(|role| role.in_metrics = true)
}

/// Marks this thread as a producer that is registering an event, until the guard is dropped.
pub(crate) fn enter_producer() -> RoleGuard {
    enter(|role| role.in_producer = true)
}

/// Whether this thread polls a hook.
pub(crate) fn in_hook() -> bool {
    role().hook_of != 0
}

/// Whether this thread polls a hook of the recorder of that identity.
pub(crate) fn in_hook_of(recorder: usize) -> bool {
    role().hook_of == recorder
}

/// Whether this thread runs code of metrics. It may then hold the metrics lock of some recorder.
pub(crate) fn in_metrics() -> bool {
    role().in_metrics
}

/// Whether this thread is registering an event.
pub(crate) fn in_producer() -> bool {
    role().in_producer
}

/// Marks this thread as the one of the event loop of that identity, for the rest of the thread's life.
pub(crate) fn become_event_loop(identity: usize) {
    let _ = EVENT_LOOP.try_with(|event_loop| event_loop.set(identity));
}

/// Whether this is the thread of the event loop of that identity.
pub(crate) fn is_event_loop(identity: usize) -> bool {
    EVENT_LOOP.try_with(Cell::get).is_ok_and(|event_loop| event_loop == identity)
}

/// A thread that has destroyed its thread-locals has no role. The library runs no event loop, hook or handler there.
fn role() -> ThreadRole {
    ROLE.try_with(Cell::get).unwrap_or(NO_ROLE)
}

fn enter(change: impl FnOnce(&mut ThreadRole)) -> RoleGuard {
    let before = role();
    let mut now = before;
    change(&mut now);
    let _ = ROLE.try_with(|role| role.set(now));
    RoleGuard { before }
}

/// Restores the thread's former role when it is dropped.
#[must_use]
pub(crate) struct RoleGuard {
    before: ThreadRole,
}

impl Drop for RoleGuard {
    fn drop(&mut self) {
        let _ = ROLE.try_with(|role| role.set(self.before));
    }
}
