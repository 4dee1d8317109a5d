//! A lock that waiting threads get in the order of their arrival: the lock of a recorder's metrics and of a runtime's state.
//!
//! The threads that wait for metrics are readers. The consumer of the recorder's events never waits, and takes turns with them.
//!
//! A plain lock would be unfair to both sides. A thread that locks again at once mostly has the lock before a waiting thread
//! has woken up. So readers queue up, and the consumer gives way when it had the lock last and a reader waits.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex, MutexGuard};

/// How often a waiting reader looks whether the lock makes progress, in each timeout.
const CHECKS_PER_TIMEOUT: u32 = 5;

pub(crate) struct FairLock<T> {
    value: Mutex<T>,
    /// The tickets of the waiting readers, in the order of their arrival.
    queue: Mutex<Queue>,
    /// Notified when the lock is released while readers wait, and when the first ticket changes.
    changed: Condvar,
    /// How many readers wait. Changed under the lock of `queue`.
    waiting: AtomicUsize,
    /// Whether the consumer had the lock last.
    consumer_was_last: AtomicBool,
    /// How often the lock was acquired.
    acquisitions: AtomicU64,
    is_locked: AtomicBool,
}

#[derive(Default)]
struct Queue {
    tickets: VecDeque<u64>,
    issued: u64,
}

impl<T> FairLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            queue: Mutex::new(Queue::default()),
            changed: Condvar::default(),
            waiting: AtomicUsize::new(0),
            consumer_was_last: AtomicBool::new(false),
            acquisitions: AtomicU64::new(0),
            is_locked: AtomicBool::new(false),
        }
    }

    /// Locks for the consumer, which never waits. `None` while a reader has the lock, or when it is a waiting reader's turn.
    pub(super) fn try_lock(&self) -> Option<FairGuard<'_, T>> {
        // Relaxed: hints. A waiting reader that these loads miss gets the lock after this turn.
        if self.waiting.load(Ordering::Relaxed) > 0 && self.consumer_was_last.load(Ordering::Relaxed) {
            return None;
        }
        let guard = self.value.try_lock()?;
        Some(self.acquired(guard, true))
    }

    /// Locks for a thread that waits as long as it takes, after the threads that wait already.
    pub(crate) fn lock(&self) -> FairGuard<'_, T> {
        /// Each look at the clock costs the thread its place among those that wait.
        const LOOK_INTERVAL: Duration = Duration::from_mins(1);
        loop {
            if let Ok(guard) = self.lock_while(LOOK_INTERVAL, || ()) {
                return guard;
            }
        }
    }

    /// Locks for a reader, after the readers that wait already.
    ///
    /// When `progress` stays the same for `timeout`, the reader gives up. The error says how long it stayed the same.
    pub(super) fn lock_while<P: PartialEq>(
        &self,
        timeout: Duration,
        progress: impl Fn() -> P,
    ) -> Result<FairGuard<'_, T>, Duration> {
        // Relaxed: a hint. A waiting reader that this load misses keeps its ticket, and locks after this thread.
        if self.waiting.load(Ordering::Relaxed) == 0
            && let Some(guard) = self.value.try_lock()
        {
            return Ok(self.acquired(guard, false));
        }
        let mut queue = self.queue.lock();
        queue.issued += 1;
        let ticket = queue.issued;
        queue.tickets.push_back(ticket);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let mut last = (progress(), Instant::now());
        let locked = loop {
            // Pairs with the fence in `FairGuard::drop`: either this thread finds the lock free, or the thread that releases
            // it finds this one waiting.
            fence(Ordering::SeqCst);
            if queue.tickets.front() == Some(&ticket)
                && let Some(guard) = self.value.try_lock()
            {
                break Ok(guard);
            }
            queue = self.changed.wait_for(queue, timeout / CHECKS_PER_TIMEOUT);
            let now = progress();
            if now != last.0 {
                last = (now, Instant::now());
            } else if last.1.elapsed() >= timeout {
                break Err(last.1.elapsed());
            }
        };
        queue.tickets.retain(|other| *other != ticket);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        if !queue.tickets.is_empty() {
            self.changed.notify_all();
        }
        drop(queue);
        locked.map(|guard| self.acquired(guard, false))
    }

    fn acquired<'a>(&'a self, guard: MutexGuard<'a, T>, by_consumer: bool) -> FairGuard<'a, T> {
        // Relaxed, and no read-modify-write: all three are written under the lock only, and read as hints.
        self.acquisitions.store(self.acquisitions.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.consumer_was_last.store(by_consumer, Ordering::Relaxed);
        self.is_locked.store(true, Ordering::Relaxed);
        FairGuard { lock: self, value: Some(guard) }
    }

    /// How often the lock was acquired. While this number stays the same and the lock is held, one thread holds it.
    pub(super) fn acquisitions(&self) -> u64 {
        self.acquisitions.load(Ordering::Relaxed)
    }

    pub(super) fn is_locked(&self) -> bool {
        self.is_locked.load(Ordering::Relaxed)
    }
}

/// Releases the lock when it is dropped.
pub(crate) struct FairGuard<'a, T> {
    lock: &'a FairLock<T>,
    /// `None` only while the guard is dropped.
    value: Option<MutexGuard<'a, T>>,
}

impl<T> Deref for FairGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("the lock is held until the guard is dropped")
    }
}

impl<T> DerefMut for FairGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("the lock is held until the guard is dropped")
    }
}

impl<T> Drop for FairGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.is_locked.store(false, Ordering::Relaxed);
        drop(self.value.take());
        // Pairs with the fence in `lock_while`.
        fence(Ordering::SeqCst);
        if self.lock.waiting.load(Ordering::Relaxed) > 0 {
            // A reader holds the lock of the queue until it waits, so it does not miss the notification.
            let _queue = self.lock.queue.lock();
            self.lock.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn wait_until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn readers_get_the_lock_in_the_order_of_their_arrival() {
        let lock = FairLock::new(Vec::new());
        let held = lock.try_lock().expect("it is free");
        thread::scope(|scope| {
            for reader in 0..4 {
                let lock = &lock;
                scope.spawn(move || lock.lock_while(LONG, || ()).expect("it is released").push(reader));
                wait_until(|| lock.waiting.load(Ordering::Relaxed) == reader + 1);
            }
            drop(held);
        });
        assert_eq!(*lock.try_lock().expect("it is free"), [0, 1, 2, 3]);
        assert_eq!(lock.acquisitions(), 6);
    }

    #[test]
    fn the_consumer_gives_way_to_a_waiting_reader_once() {
        let lock = FairLock::new(());
        let turns = AtomicU32::new(0);
        thread::scope(|scope| {
            let held = lock.try_lock().expect("it is free");
            let (send, has_lock) = mpsc::channel();
            let (release, released) = mpsc::channel::<()>();
            let reader = scope.spawn({
                let lock = &lock;
                move || {
                    let guard = lock.lock_while(LONG, || ()).expect("it is released");
                    send.send(()).expect("the test goes on");
                    released.recv().expect("the test goes on");
                    drop(guard);
                }
            });
            wait_until(|| lock.waiting.load(Ordering::Relaxed) == 1);
            drop(held);
            // However fast the consumer tries again, the reader comes first.
            while has_lock.try_recv().is_err() {
                assert!(lock.try_lock().is_none());
                turns.fetch_add(1, Ordering::Relaxed);
            }
            release.send(()).expect("the reader goes on");
            reader.join().expect("no panic");
            assert!(lock.try_lock().is_some());
        });
    }

    #[test]
    fn the_consumer_does_not_give_way_twice_in_a_row() {
        let lock = FairLock::new(());
        drop(lock.lock_while(LONG, || ()).expect("it is free"));
        // A reader that has a ticket and does not have the lock yet.
        lock.waiting.store(1, Ordering::Relaxed);
        let turn = lock.try_lock();
        assert!(turn.is_some(), "a reader was last");
        lock.waiting.store(0, Ordering::Relaxed);
        drop(turn);
        lock.waiting.store(1, Ordering::Relaxed);
        assert!(lock.try_lock().is_none(), "the consumer was last");
    }

    #[test]
    fn a_reader_gives_up_when_there_is_no_progress() {
        let lock = FairLock::new(());
        let held = lock.try_lock();
        let timeout = Duration::from_millis(20);
        let waited = lock.lock_while(timeout, || ()).err().expect("the lock is held");
        assert!(waited >= timeout);
        assert_eq!(lock.waiting.load(Ordering::Relaxed), 0);
        assert!(lock.queue.lock().tickets.is_empty());
        assert!(lock.is_locked());
        drop(held);
        assert!(!lock.is_locked());
        assert!(lock.lock_while(timeout, || ()).is_ok());
    }

    #[test]
    fn a_reader_waits_on_while_there_is_progress() {
        let lock = FairLock::new(());
        let held = lock.try_lock();
        let looks = AtomicU32::new(0);
        // So long that a busy machine does not keep this thread from five looks.
        let timeout = Duration::from_millis(300);
        // There is progress at the first ten looks.
        let progress = || looks.fetch_add(1, Ordering::Relaxed).min(10);
        let begin = Instant::now();
        assert!(lock.lock_while(timeout, progress).is_err());
        assert!(looks.load(Ordering::Relaxed) >= 10 + CHECKS_PER_TIMEOUT);
        assert!(begin.elapsed() >= 2 * timeout);
        drop(held);
    }
}
