//! What generated code needs of the largest labels.

use crate::descriptor::DimensionDescriptor;
use crate::dimension::{Dimension, Top, Weighted};
use crate::label::{Label, ToLabel};
use crate::snapshot::{DimensionValue, MAX_KEPT_LABELS};

/// A `Top` that accepts labels of type `Q`.
#[diagnostic::on_unimplemented(
    message = "`keep` applies to `Top<L, D>` only, and `{Self}` is not one",
    label = "`keep` of a field that is no `Top`"
)]
pub trait TopByLabel<Q> {
    type Inner;

    fn update_keeping(
        &mut self,
        label: Q,
        keep: usize,
        update: impl FnOnce(&mut Self::Inner) -> bool,
    ) -> bool;
}

impl<L: Label, D: Weighted, Q: ToLabel<L>> TopByLabel<Q> for Top<L, D> {
    type Inner = D;

    #[inline]
    fn update_keeping(&mut self, label: Q, keep: usize, update: impl FnOnce(&mut D) -> bool) -> bool {
        self.update_within(label, keep, update)
    }
}

/// A `Top`, for the snapshots of a field with the option `keep`.
#[diagnostic::on_unimplemented(
    message = "`keep` applies to `Top<L, D>` only, and `{Self}` is not one",
    label = "`keep` of a field that is no `Top`"
)]
pub trait KeepsLabels: Dimension {
    /// Reads the labels. The snapshot shows how many there may be also before the first event.
    fn read_keeping(&self, keep: usize) -> Self::Output;

    /// The same without types.
    fn read_value_keeping(&self, keep: usize) -> DimensionValue;
}

impl<L: Label, D: Weighted> KeepsLabels for Top<L, D> {
    fn read_keeping(&self, keep: usize) -> Self::Output {
        Top::read_keeping(self, keep)
    }

    fn read_value_keeping(&self, keep: usize) -> DimensionValue {
        Self::value(Top::read_keeping(self, keep))
    }
}

/// The number of labels of the option `keep`.
///
/// # Panics
///
/// At compile time, when it is 0 or too large.
#[must_use]
#[track_caller]
pub const fn checked_keep(keep: usize) -> usize {
    assert!(keep > 0, "`keep` must be at least 1");
    assert!(keep <= MAX_KEPT_LABELS, "`keep` must be at most 65,536");
    keep
}

/// A descriptor with the number of labels of the option `keep`.
#[must_use]
pub const fn keeping(mut declared: DimensionDescriptor, keep: usize) -> DimensionDescriptor {
    declared.keep = Some(keep);
    declared
}
