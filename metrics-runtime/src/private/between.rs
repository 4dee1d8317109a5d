//! What generated code needs of the time between two events.

use crate::descriptor::DimensionDescriptor;
use crate::dimension::IdKind;

/// The kind of the ids that a closure takes from an event. The closure is not called.
#[must_use]
pub fn id_of_begin<'a, E: 'a, L>(_source: impl FnOnce(&'a E) -> IdKind<L>) -> IdKind<L> {
    IdKind::new()
}

/// A descriptor whose field has this option `limit`: rustc evaluates the check with it.
#[must_use]
pub const fn with_open_limit(declared: DimensionDescriptor, _limit: usize) -> DimensionDescriptor {
    declared
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
