//! The switch between real and loom's primitives: loom runs the protocols of the queue and of the run queue.
//!
//! An emit takes these mutexes, and the allocator may be code that emits. So they are not `parking_lot`'s: a thread that
//! waits for one of those may allocate while it holds locks that are shared by all of them.

#[cfg(mvx_loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
    sync::{Arc, Mutex, MutexGuard},
};
use std::sync::PoisonError;
#[cfg(not(mvx_loom))]
pub(crate) use std::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
    sync::{Arc, Mutex, MutexGuard},
};

/// Locks a mutex of either kind. No panic can poison it: no user code runs under one of these.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a mutex whose data has a list with room for one more entry.
///
/// The list grows while the mutex is free: the allocator may be code that emits an event, which needs the same mutex.
pub(crate) fn lock_with_room<T, E>(
    mutex: &Mutex<T>,
    list: impl Fn(&mut T) -> &mut Vec<E>,
) -> MutexGuard<'_, T> {
    let mut spare = Vec::new();
    loop {
        let mut data = lock(mutex);
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
