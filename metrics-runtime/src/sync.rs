//! The switch between the real primitives and those of loom, which checks the protocols of the queue and of the run queue.

use std::ops::Deref;
use std::sync::{OnceLock, PoisonError, TryLockError};
use std::time::Duration;

/// Whether `std` can read a clock. In WebAssembly without a system it panics instead, so only disabled recorders work there.
pub(crate) const HAS_CLOCK: bool = !cfg!(all(target_family = "wasm", target_os = "unknown"));

#[cfg(mvx_loom)]
use loom::sync as primitives;
#[cfg(not(mvx_loom))]
use std::sync as primitives;

#[cfg(mvx_loom)]
pub(crate) use loom::{cell::UnsafeCell, hint::spin_loop};
pub(crate) use primitives::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering, fence};
pub(crate) use primitives::{Arc, MutexGuard};
#[cfg(not(mvx_loom))]
pub(crate) use std::hint::spin_loop;

/// A mutex without poison: user code that may panic while a mutex of this crate is locked is caught there.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(primitives::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(primitives::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the mutex if no thread holds it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// A condition variable for [`Mutex`].
#[derive(Debug, Default)]
pub(crate) struct Condvar(primitives::Condvar);

impl Condvar {
    /// Releases the mutex and waits for a notification, for `timeout` at most. Then it locks the mutex again.
    pub(crate) fn wait_for<'a, T>(&self, guard: MutexGuard<'a, T>, timeout: Duration) -> MutexGuard<'a, T> {
        self.0.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A value that few owners need. It is allocated when it is first asked for, and not under a lock.
#[derive(Debug)]
pub(crate) struct Rare<T>(OnceLock<Box<T>>);

impl<T> Rare<T> {
    /// The value, if any thread has asked for it.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get().map(|value| &**value)
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Default> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        if self.0.get().is_none() {
            // Another thread may be faster. Then the value comes back and is freed here.
            drop(self.0.set(Box::default()));
        }
        self.0.get().expect("this thread or another one has set it")
    }
}

/// Locks a mutex, and makes sure that a list in its data has room for one more entry.
///
/// The list grows while the mutex is free: the user's allocator may emit an event, and that needs the same mutex.
pub(crate) fn lock_with_room<T, E>(
    mutex: &Mutex<T>,
    list: impl Fn(&mut T) -> &mut Vec<E>,
) -> MutexGuard<'_, T> {
    let mut spare = Vec::new();
    loop {
        let mut data = mutex.lock();
        let entries = list(&mut data);
        let mut has_room = entries.len() < entries.capacity();
        if has_room && spare.capacity() == 0 {
            return data;
        }
        if !has_room && spare.capacity() > entries.capacity() {
            spare.append(entries);
            std::mem::swap(entries, &mut spare);
            has_room = true;
        }
        let capacity = if has_room { 0 } else { (2 * entries.capacity()).max(4) };
        drop(data);
        // Frees the old list and allocates a larger one, if one is needed.
        spare = Vec::with_capacity(capacity);
    }
}

/// `std`'s cell with the interface of loom's, which checks each access.
#[cfg(not(mvx_loom))]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(mvx_loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline]
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    #[inline]
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_list_has_room_for_one_more() {
        let list = Mutex::new(Vec::new());
        for entry in 0..100 {
            let mut list = lock_with_room(&list, |list| list);
            assert!(list.len() < list.capacity());
            list.push(entry);
        }
        assert_eq!(*list.lock(), (0..100).collect::<Vec<_>>());
    }
}
