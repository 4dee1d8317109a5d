//! The common interface of our runtime and of the straightforward port: one thread applies the events of many recorders.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::subject::{Counted, Producer, Setup, Subject};

/// A thread that applies the events of any number of recorders.
pub trait EventLoop: Send + Sync + Sized {
    /// The name in the table.
    const NAME: &'static str;
    type Recorder: LoopRecorder;

    /// Starts it; its thread inherits the core of the calling thread.
    fn start() -> Self;

    /// Creates one more recorder.
    fn create_recorder(&self, setup: Setup) -> Self::Recorder;

    /// Runs `action` on the loop's thread. The loop does nothing else during that time.
    fn run(&self, action: impl FnOnce() + Send + 'static);

    /// Stops the recorders and the thread.
    fn shut_down(self);
}

/// A recorder of an event loop.
pub trait LoopRecorder: Producer + Clone + Sync {
    /// How many events were applied so far.
    fn processed(&self) -> u64;

    /// The counts of the first metric, with all events that were handed over before.
    fn snapshot(&self) -> Counted;
}

/// Blocks an event loop until it is dropped.
pub struct LoopBlocker {
    released: Arc<AtomicBool>,
}

impl LoopBlocker {
    /// Blocks the loop. Its thread spins until the drop.
    pub fn new(event_loop: &impl EventLoop) -> Self {
        let blocked = Arc::new(AtomicBool::new(false));
        let released = Arc::new(AtomicBool::new(false));
        let (report, end) = (Arc::clone(&blocked), Arc::clone(&released));
        event_loop.run(move || {
            report.store(true, Ordering::Release);
            spin_until(&end);
        });
        spin_until(&blocked);
        Self { released }
    }
}

impl Drop for LoopBlocker {
    fn drop(&mut self) {
        self.released.store(true, Ordering::Release);
    }
}

fn spin_until(flag: &AtomicBool) {
    while !flag.load(Ordering::Acquire) {
        std::hint::spin_loop();
    }
}

/// An event loop with one recorder.
pub struct OneRecorder<L: EventLoop> {
    pub event_loop: L,
    pub recorder: L::Recorder,
}

impl<L: EventLoop> Subject for OneRecorder<L> {
    const NAME: &'static str = L::NAME;
    type Producer = L::Recorder;

    fn start(setup: Setup) -> Self {
        let event_loop = L::start();
        let recorder = event_loop.create_recorder(setup);
        Self { event_loop, recorder }
    }

    fn producer(&self) -> L::Recorder {
        self.recorder.clone()
    }

    fn processed(&self) -> Option<u64> {
        Some(self.recorder.processed())
    }

    fn finish(self) -> Counted {
        let counted = self.recorder.snapshot();
        self.event_loop.shut_down();
        counted
    }
}
