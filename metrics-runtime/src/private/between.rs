//! What generated code needs of the time between two events.

use std::marker::PhantomData;

use crate::dimension::{EqualTo, EventId};

/// The kind of the ids of `begin`.
#[derive(Debug)]
pub struct OfBegin<I>(PhantomData<fn(I)>);

/// The kind of the ids that a source takes from an event. The source is not called.
#[must_use]
pub fn id_of_begin<'a, E: 'a, I: EventId>(_source: impl FnOnce(&'a E) -> I) -> OfBegin<I> {
    OfBegin(PhantomData)
}

/// An id of the kind of that of `begin`.
pub trait SameId<B> {
    /// The id itself.
    #[must_use]
    fn same_as(self, begin: OfBegin<B>) -> Self;
}

impl<I: EventId<Like: EqualTo<B::Like>>, B: EventId> SameId<B> for I {
    #[inline]
    fn same_as(self, _begin: OfBegin<B>) -> Self {
        self
    }
}

/// The number of the option `limit` of a histogram with `begin`.
///
/// # Panics
///
/// At compile time, when it is 0.
#[must_use]
#[track_caller]
pub const fn checked_open_limit(limit: usize) -> usize {
    assert!(limit > 0, "`limit` must be at least 1");
    limit
}
