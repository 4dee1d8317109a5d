//! A lock that no thread is kept from for long: the lock of a recorder's metrics and of a runtime's state.
//!
//! A plain lock is unfair. A thread that locks again at once mostly has the lock before a waiting thread has woken up. A lock
//! that serves strictly in the order of arrival is slow: under contention each acquisition costs a switch of threads. So this
//! lock does both. Any thread may take it while it is free, until the first of the waiting threads has been first for
//! [`MAX_BARGING`]. Then that thread is next.
//!
//! The threads that wait for metrics are readers. The consumer of the recorder's events never waits. It gives way when it had
//! the lock last and a reader waits.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::sync::{Mutex, MutexGuard, Rare, lock_with_room};

/// For how long other threads may overtake the first of the waiting threads.
const MAX_BARGING: Duration = Duration::from_millis(1);
/// How often a waiting thread looks whether the lock makes progress, in each timeout.
const CHECKS_PER_TIMEOUT: u32 = 5;

pub(crate) struct FairLock<T> {
    value: Mutex<T>,
    /// The waiting threads in the order of their arrival, each with its ticket.
    tickets: Rare<Mutex<Tickets>>,
    /// How many threads wait. Changed under the lock of `tickets`.
    waiting: AtomicU32,
    /// The first of the waiting threads is next: no thread may overtake it any more.
    first_is_next: AtomicBool,
    /// Whether the consumer had the lock last.
    consumer_was_last: AtomicBool,
    /// How often the lock was acquired.
    acquisitions: AtomicU64,
    is_locked: AtomicBool,
}

#[derive(Default)]
struct Tickets {
    waiting: Vec<(u64, Thread)>,
    issued: u64,
}

impl<T> FairLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            tickets: Rare::default(),
            waiting: AtomicU32::new(0),
            first_is_next: AtomicBool::new(false),
            consumer_was_last: AtomicBool::new(false),
            acquisitions: AtomicU64::new(0),
            is_locked: AtomicBool::new(false),
        }
    }

    /// Locks for the consumer, which never waits. `None` while a reader has the lock, or when it is a waiting reader's turn.
    pub(super) fn try_lock_as_consumer(&self) -> Option<FairGuard<'_, T>> {
        // Relaxed: hints. A waiting reader that these loads miss gets the lock after this turn.
        if self.waiting.load(Ordering::Relaxed) > 0 && self.consumer_was_last.load(Ordering::Relaxed) {
            return None;
        }
        let guard = self.value.try_lock()?;
        Some(self.acquired(guard, true))
    }

    /// Locks for a thread that waits as long as it takes.
    pub(crate) fn lock(&self) -> FairGuard<'_, T> {
        /// The thread loses its place among the waiting threads when this time is over.
        const LOOK_INTERVAL: Duration = Duration::from_mins(1);
        loop {
            if let Ok(guard) = self.lock_while(LOOK_INTERVAL, || ()) {
                return guard;
            }
        }
    }

    /// Locks for a thread that can wait.
    ///
    /// When `progress` stays the same for `timeout`, the thread gives up. The error says how long it stayed the same.
    pub(super) fn lock_while<P: PartialEq>(
        &self,
        timeout: Duration,
        progress: impl Fn() -> P,
    ) -> Result<FairGuard<'_, T>, Duration> {
        // Relaxed: a hint. A thread that overtakes the first one by it is the last to do so.
        if !self.first_is_next.load(Ordering::Relaxed)
            && let Some(guard) = self.value.try_lock()
        {
            return Ok(self.acquired(guard, false));
        }
        let ticket = self.take_ticket();
        let mut last = (progress(), Instant::now());
        let mut first_since = None;
        let locked = loop {
            // Pairs with the fence in `FairGuard::drop`: either this thread finds the lock free, or the thread that releases
            // it finds this one waiting.
            fence(Ordering::SeqCst);
            let is_first = self.is_first(ticket);
            if is_first && let Some(guard) = self.value.try_lock() {
                break Ok(guard);
            }
            let mut pause = timeout / CHECKS_PER_TIMEOUT;
            if is_first {
                let first_for = first_since.get_or_insert_with(Instant::now).elapsed();
                if first_for >= MAX_BARGING {
                    // Relaxed: the lock itself orders all accesses to the value.
                    self.first_is_next.store(true, Ordering::Relaxed);
                } else {
                    pause = pause.min(MAX_BARGING);
                }
            }
            // The token of `unpark` is kept, so a release between the look above and this is not missed.
            thread::park_timeout(pause);
            let now = progress();
            if now != last.0 {
                last = (now, Instant::now());
            } else if last.1.elapsed() >= timeout {
                break self.value.try_lock().ok_or_else(|| last.1.elapsed());
            }
        };
        self.return_ticket(ticket);
        locked.map(|guard| self.acquired(guard, false))
    }

    /// Appends this thread to the waiting ones.
    fn take_ticket(&self) -> u64 {
        let thread = thread::current();
        let mut tickets = lock_with_room(&self.tickets, |tickets| &mut tickets.waiting);
        tickets.issued += 1;
        let ticket = tickets.issued;
        tickets.waiting.push((ticket, thread));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        ticket
    }

    fn is_first(&self, ticket: u64) -> bool {
        self.tickets.lock().waiting.first().is_some_and(|(first, _)| *first == ticket)
    }

    /// Removes a thread from the waiting ones. The next one is first, and must notice it.
    fn return_ticket(&self, ticket: u64) {
        let (removed, next) = {
            let mut tickets = self.tickets.lock();
            let index = tickets.waiting.iter().position(|(other, _)| *other == ticket);
            let removed = index.map(|index| tickets.waiting.remove(index));
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            if index == Some(0) {
                self.first_is_next.store(false, Ordering::Relaxed);
            }
            (removed, tickets.waiting.first().map(|(_, thread)| thread.clone()))
        };
        drop(removed);
        if let Some(next) = next {
            next.unpark();
        }
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
            let first = self.lock.tickets.lock().waiting.first().map(|(_, thread)| thread.clone());
            if let Some(first) = first {
                first.unpark();
            }
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
        let held = lock.try_lock_as_consumer().expect("it is free");
        thread::scope(|scope| {
            for reader in 0..4 {
                let lock = &lock;
                scope.spawn(move || lock.lock_while(LONG, || ()).expect("it is released").push(reader));
                wait_until(|| lock.waiting.load(Ordering::Relaxed) == reader + 1);
            }
            drop(held);
        });
        assert_eq!(*lock.try_lock_as_consumer().expect("it is free"), [0, 1, 2, 3]);
        assert_eq!(lock.acquisitions(), 6);
    }

    #[test]
    fn the_consumer_gives_way_to_a_waiting_reader_once() {
        let lock = FairLock::new(());
        let turns = AtomicU32::new(0);
        thread::scope(|scope| {
            let held = lock.try_lock_as_consumer().expect("it is free");
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
                assert!(lock.try_lock_as_consumer().is_none());
                turns.fetch_add(1, Ordering::Relaxed);
            }
            release.send(()).expect("the reader goes on");
            reader.join().expect("no panic");
            assert!(lock.try_lock_as_consumer().is_some());
        });
    }

    #[test]
    fn the_consumer_does_not_give_way_twice_in_a_row() {
        let lock = FairLock::new(());
        drop(lock.lock_while(LONG, || ()).expect("it is free"));
        // A reader that has a ticket and does not have the lock yet.
        lock.waiting.store(1, Ordering::Relaxed);
        let turn = lock.try_lock_as_consumer();
        assert!(turn.is_some(), "a reader was last");
        lock.waiting.store(0, Ordering::Relaxed);
        drop(turn);
        lock.waiting.store(1, Ordering::Relaxed);
        assert!(lock.try_lock_as_consumer().is_none(), "the consumer was last");
    }

    #[test]
    fn a_free_lock_may_be_taken_until_the_first_waiting_thread_is_next() {
        let lock = FairLock::new(());
        let timeout = Duration::from_millis(20);
        // A thread that waits and has not woken up yet.
        let ticket = lock.take_ticket();
        assert!(
            lock.lock_while(timeout, || ()).is_ok(),
            "a lock that is free and not taken costs a switch of threads"
        );
        lock.first_is_next.store(true, Ordering::Relaxed);
        let begin = Instant::now();
        drop(lock.lock_while(timeout, || ()));
        assert!(begin.elapsed() >= timeout, "the other thread is next");
        lock.return_ticket(ticket);
        assert!(!lock.first_is_next.load(Ordering::Relaxed));
        assert_eq!(lock.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_waiting_thread_is_not_overtaken_for_long() {
        let lock = FairLock::new(());
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !ends.load(Ordering::Relaxed) {
                        let guard = lock.lock();
                        thread::sleep(Duration::from_micros(200));
                        drop(guard);
                    }
                });
            }
            for _ in 0..20 {
                let begin = Instant::now();
                drop(lock.lock());
                assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
            }
            ends.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_reader_gives_up_when_there_is_no_progress() {
        let lock = FairLock::new(());
        let held = lock.try_lock_as_consumer();
        let timeout = Duration::from_millis(20);
        let waited = lock.lock_while(timeout, || ()).err().expect("the lock is held");
        assert!(waited >= timeout);
        assert_eq!(lock.waiting.load(Ordering::Relaxed), 0);
        assert!(lock.tickets.lock().waiting.is_empty());
        assert!(lock.is_locked());
        drop(held);
        assert!(!lock.is_locked());
        assert!(lock.lock_while(timeout, || ()).is_ok());
    }

    #[test]
    fn a_reader_waits_on_while_there_is_progress() {
        let lock = FairLock::new(());
        let held = lock.try_lock_as_consumer();
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
