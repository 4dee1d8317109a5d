//! Where a call comes from: calls that would wait for their own thread are refused instead.

use std::cell::Cell;

thread_local! {
    static DEPTH: Cell<Depth> = const { Cell::new(Depth { hooks: 0, metrics: 0 }) };
    static EVENT_LOOP: Cell<usize> = const { Cell::new(0) };
}

#[derive(Clone, Copy)]
struct Depth {
    hooks: u32,
    metrics: u32,
}

/// This thread polls a hook until the guard is dropped.
pub(crate) fn enter_hook() -> Guard {
    change(|depth| depth.hooks += 1);
    Guard { leave: |depth| depth.hooks -= 1 }
}

/// This thread runs code of metrics and holds the lock of a recorder's metrics until the guard is dropped.
pub(crate) fn enter_metrics() -> Guard {
    change(|depth| depth.metrics += 1);
    Guard { leave: |depth| depth.metrics -= 1 }
}

/// Whether this thread polls a hook.
pub(crate) fn in_hook() -> bool {
    depth().hooks > 0
}

/// Whether this thread holds the lock of some recorder's metrics.
pub(crate) fn in_metrics() -> bool {
    depth().metrics > 0
}

/// This thread belongs to the event loop of that identity for the rest of its life.
pub(crate) fn become_event_loop(identity: usize) {
    let _ = EVENT_LOOP.try_with(|event_loop| event_loop.set(identity));
}

/// Whether this thread belongs to the event loop of that identity.
pub(crate) fn is_event_loop(identity: usize) -> bool {
    EVENT_LOOP.try_with(Cell::get).is_ok_and(|event_loop| event_loop == identity)
}

/// While a thread ends its context is gone; nothing of ours runs there any more.
fn depth() -> Depth {
    DEPTH.try_with(Cell::get).unwrap_or(Depth { hooks: 0, metrics: 0 })
}

fn change(change: impl FnOnce(&mut Depth)) {
    let mut now = depth();
    change(&mut now);
    let _ = DEPTH.try_with(|depth| depth.set(now));
}

/// Leaves what was entered.
#[must_use]
pub(crate) struct Guard {
    leave: fn(&mut Depth),
}

impl Drop for Guard {
    fn drop(&mut self) {
        change(|depth| (self.leave)(depth));
    }
}
