//! The switch between `std` and loom. The queue uses these names, so that loom can run its protocol.

#[cfg(mvx_loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    hint::spin_loop,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
    sync::{Arc, Mutex, MutexGuard},
};
#[cfg(not(mvx_loom))]
pub(crate) use std::{
    hint::spin_loop,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
    sync::{Arc, Mutex, MutexGuard},
};

use std::sync::PoisonError;

/// Locks a mutex even if it is poisoned. Every critical section of this crate leaves its data whole, and catches panics of
/// user code inside.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
