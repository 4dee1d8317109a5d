//! A gate that test code waits at, in async and in sync code, until the test opens it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;

/// A gate is closed at first. Once open it stays open. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
    opened: Notify,
}

#[derive(Default)]
struct State {
    arrived: usize,
    open: bool,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the gate for all waiters, now and later.
    pub fn open(&self) {
        self.lock().open = true;
        self.0.changed.notify_all();
        self.0.opened.notify_waiters();
    }

    /// How many calls have reached the gate.
    pub fn arrivals(&self) -> usize {
        self.lock().arrived
    }

    /// Waits until a call has reached the gate.
    pub fn wait_for_arrival(&self) {
        let timeout = Duration::from_secs(30);
        let state = self.0.changed.wait_timeout_while(self.lock(), timeout, |state| state.arrived == 0);
        let arrived = state.expect("nothing panics under this lock").0.arrived;
        assert!(arrived > 0, "no call reaches the gate");
    }

    /// As [`wait_for_arrival`](Self::wait_for_arrival), in async code.
    pub async fn arrival(&self) {
        while self.arrivals() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the gate is open.
    pub async fn pass(&self) {
        self.arrive();
        loop {
            let opened = self.0.opened.notified();
            if self.lock().open {
                return;
            }
            opened.await;
        }
    }

    /// Blocks the thread until the gate is open.
    pub fn block(&self) {
        self.arrive();
        let open = self.0.changed.wait_while(self.lock(), |state| !state.open);
        drop(open.expect("nothing panics under this lock"));
    }

    fn arrive(&self) {
        self.lock().arrived += 1;
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nothing panics under this lock")
    }
}
