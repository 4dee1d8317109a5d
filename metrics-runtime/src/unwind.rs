//! Panics of user code, caught where they happen.

use std::any::Any;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code and turns a panic into its message.
///
/// Unwind safety is asserted: what the code was changing is either given up by the caller (a failed metric gets no more
/// events, and its snapshot says that it failed) or not shared with it.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        let message = payload
            .downcast_ref::<&'static str>()
            .map(|message| (*message).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panicked with a value that is not text".to_owned());
        dispose(payload);
        Panic(message)
    })
}

/// Runs user code whose result nobody needs; a panic ends here.
pub(crate) fn contain(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        dispose(payload);
    }
}

/// Drops what a panic carried. It may itself panic on drop; then what that panic carried is leaked unless it is a message,
/// because there is no end to it.
fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
        && !(again.is::<&'static str>() || again.is::<String>())
    {
        std::mem::forget(again);
    }
}

/// Something of the user's whose `Drop` may panic; the panic ends here.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().expect("it is there until it is dropped")
    }
}

impl<T> Deref for Contained<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        contain(|| drop(value));
    }
}

/// The message of a caught panic.
#[derive(Debug, Clone, thiserror::Error)]
#[error("panicked: {0}")]
pub(crate) struct Panic(String);
