//! Where a call comes from: calls that would wait for their own thread are refused instead, and handing an event over says
//! nothing.

use std::cell::Cell;

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(NOWHERE) };
    static EVENT_LOOP: Cell<usize> = const { Cell::new(0) };
}

/// Whose code the thread runs.
#[derive(Clone, Copy)]
struct Place {
    /// The identity of the recorder whose hook is polled; 0 for none.
    hook_of: usize,
    metrics: bool,
    producer: bool,
}

const NOWHERE: Place = Place { hook_of: 0, metrics: false, producer: false };

/// This thread polls a hook of the recorder of that identity until the guard is dropped.
pub(crate) fn enter_hook(recorder: usize) -> Guard {
    enter(|place| place.hook_of = recorder)
}

/// This thread runs code of metrics and holds the lock of a recorder's metrics until the guard is dropped.
pub(crate) fn enter_metrics() -> Guard {
    enter(|place| place.metrics = true)
}

/// This thread hands an event over until the guard is dropped.
pub(crate) fn enter_producer() -> Guard {
    enter(|place| place.producer = true)
}

/// Whether this thread polls a hook.
pub(crate) fn in_hook() -> bool {
    place().hook_of != 0
}

/// Whether this thread polls a hook of the recorder of that identity.
pub(crate) fn in_hook_of(recorder: usize) -> bool {
    place().hook_of == recorder
}

/// Whether this thread holds the lock of some recorder's metrics.
pub(crate) fn in_metrics() -> bool {
    place().metrics
}

/// Whether this thread hands an event over.
pub(crate) fn in_producer() -> bool {
    place().producer
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
fn place() -> Place {
    PLACE.try_with(Cell::get).unwrap_or(NOWHERE)
}

fn enter(change: impl FnOnce(&mut Place)) -> Guard {
    let before = place();
    let mut now = before;
    change(&mut now);
    let _ = PLACE.try_with(|place| place.set(now));
    Guard { before }
}

/// Goes back to where the thread was.
#[must_use]
pub(crate) struct Guard {
    before: Place,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = PLACE.try_with(|place| place.set(self.before));
    }
}
