//! Getting at the metrics from other threads than the consumer's, which may be busy for long and lets go only for moments.

use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Processing;
use crate::error::MetricsRecorderError;
use crate::recorder::RecorderCore;

/// How long to wait for a handler, or for somebody else who reads, before either counts as stuck.
const STUCK: Duration = Duration::from_secs(5);

/// How many readers want the lock in the lower half, how many have got it so far in the upper one. All accesses are relaxed:
/// hints, the lock is what counts.
#[derive(Default)]
pub(in crate::recorder) struct Readers(AtomicU64);

/// One reader that has got the lock.
const GOT_IN: u64 = 1 << 32;

impl Readers {
    fn are_waiting(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_multiple_of(GOT_IN)
    }

    fn have_got_in(&self) -> u64 {
        self.0.load(Ordering::Relaxed) / GOT_IN
    }

    /// One more waits. Those who wait already come first, for a while: whoever reads again and again would mostly have the
    /// lock back before they look.
    fn queue_up(&self) {
        const PATIENCE: Duration = Duration::from_millis(1);
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before.is_multiple_of(GOT_IN) {
            return;
        }
        let begun = Instant::now();
        while self.have_got_in() == before / GOT_IN && begun.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
    }

    fn leave(&self, got_in: bool) {
        if got_in {
            // At 2^32 the upper half begins again at 0.
            self.0.fetch_add(GOT_IN - 1, Ordering::Relaxed);
        } else {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl RecorderCore {
    /// Locks for a thread that can wait.
    ///
    /// # Errors
    /// `WouldDeadlock` when whoever has the lock does not come to an end. Perhaps it waits for something that the caller
    /// holds.
    pub(super) fn lock_as_reader(&self) -> Result<MutexGuard<'_, Processing>, MetricsRecorderError> {
        // Other recorders and hooks go on whoever has the lock: they say nothing about it.
        let progress = || (self.readers.have_got_in(), self.queue.consumed());
        self.lock_while_it_moves(progress, STUCK).ok_or(MetricsRecorderError::WouldDeadlock)
    }

    /// Locks for a thread that has others to read: however fast the handlers are, it waits for a turn of so long at most.
    pub(super) fn try_lock_as_reader(&self, patience: Duration) -> Option<MutexGuard<'_, Processing>> {
        self.lock_while_it_moves(|| self.readers.have_got_in(), patience)
    }

    /// `None` when `progress` has been the same for so long while others had the lock.
    fn lock_while_it_moves<M: PartialEq>(
        &self,
        progress: impl Fn() -> M,
        patience: Duration,
    ) -> Option<MutexGuard<'_, Processing>> {
        /// How long to try without a break: longer than usual turns take.
        const AT_ONCE: Duration = Duration::from_millis(1);
        const NAP: Duration = Duration::from_micros(100);
        self.readers.queue_up();
        let mut begun = None;
        let mut last = None;
        let processing = loop {
            if let Some(processing) = self.try_lock_processing() {
                break Some(processing);
            }
            let now = Instant::now();
            let progress = progress();
            match &last {
                Some((before, since)) if *before == progress => {
                    if now - *since > patience {
                        break None;
                    }
                }
                _ => last = Some((progress, now)),
            }
            if now - *begun.get_or_insert(now) < AT_ONCE {
                std::thread::yield_now();
            } else {
                std::thread::sleep(NAP);
            }
        };
        self.readers.leave(processing.is_some());
        processing
    }

    /// For the consumer, before it locks.
    pub(super) fn let_readers_in(&self) {
        const PATIENCE: u32 = 100;
        for _ in 0..PATIENCE {
            if !self.readers.are_waiting() {
                break;
            }
            std::thread::yield_now();
        }
    }
}
