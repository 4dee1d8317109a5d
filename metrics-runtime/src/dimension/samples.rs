//! Samples: a breakdown of users' own dimensions has no value before its first event, so it shows one for a catalogue.

use std::cell::Cell;

thread_local! {
    /// Whether this thread reads samples. A snapshot passes nothing to the breakdowns of its metric, so they have no other way to
    /// learn it.
    static SHOWN: Cell<bool> = const { Cell::new(false) };
}

/// Takes a snapshot in which a breakdown without labels has one entry, whose value is that of a new dimension.
pub(crate) fn with_samples<R>(snapshot: impl FnOnce() -> R) -> R {
    /// Ends it also when the user's code panics.
    struct Restore(bool);

    impl Drop for Restore {
        fn drop(&mut self) {
            SHOWN.set(self.0);
        }
    }

    let _restore = Restore(SHOWN.replace(true));
    snapshot()
}

pub(crate) fn are_shown() -> bool {
    SHOWN.get()
}
