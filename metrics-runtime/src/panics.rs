//! Panics of user code, caught where they happen.

use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code and turns a panic into its message.
///
/// Unwind safety is asserted. A metric that panicked gets no more events, and its snapshot says that it failed. User code
/// reaches no other state of the library that a panic could leave half changed.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Panic> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(result) => Ok(result),
        Err(payload) => Err(Panic::of_payload(payload)),
    }
}

/// Runs user code without a result. A panic ends here.
pub(crate) fn catch_and_ignore(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        drop_payload(payload);
    }
}

/// Drops the payload of a panic. Its `Drop` may panic again, and so may the `Drop` of that second payload, without end. So the
/// second payload is leaked, unless it is plain text.
fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
        && !(second.is::<&'static str>() || second.is::<String>())
    {
        std::mem::forget(second);
    }
}

/// A value of user code. If its `Drop` panics, the panic ends here.
#[derive(Clone)]
pub(crate) struct CatchDropPanic<T>(Option<T>);

impl<T> CatchDropPanic<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for CatchDropPanic<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("the value is there until it is dropped")
    }
}

impl<T> DerefMut for CatchDropPanic<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("the value is there until it is dropped")
    }
}

impl<T> Drop for CatchDropPanic<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        catch_and_ignore(|| drop(value));
    }
}

/// The message of a caught panic.
#[derive(Debug, Clone, thiserror::Error)]
#[error("panicked: {0}")]
pub(crate) struct Panic(String);

impl Panic {
    fn of_payload(payload: Box<dyn Any + Send>) -> Self {
        let message = payload
            .downcast_ref::<&'static str>()
            .map(|message| (*message).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panicked with a value that is not text".to_owned());
        drop_payload(payload);
        Self(message)
    }
}
