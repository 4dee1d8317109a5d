//! The key of a family: all values with this key belong to one family.

use std::borrow::Cow;

use super::family_type::FamilyType;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FamilyKey<'a> {
    /// Whether the library itself declares the family, in contrast to a metric that happens to have the same name.
    pub(super) of_library: bool,
    pub(super) metric: Cow<'a, str>,
    pub(super) dimension: Cow<'a, str>,
    pub(super) family_type: FamilyType,
    pub(super) unit: Option<Cow<'a, str>>,
}

impl FamilyKey<'_> {
    pub(super) fn to_static(&self) -> FamilyKey<'static> {
        let owned = |text: &str| Cow::Owned(text.to_owned());
        FamilyKey {
            of_library: self.of_library,
            metric: owned(&self.metric),
            dimension: owned(&self.dimension),
            family_type: self.family_type,
            unit: self.unit.as_deref().map(owned),
        }
    }

    /// The same as `==`, but faster for keys that refer to the very same texts, as most do.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.family_type == other.family_type
            && self.of_library == other.of_library
            && is_same_text(&self.dimension, &other.dimension)
            && is_same_text(&self.metric, &other.metric)
            && self.unit == other.unit
    }
}

fn is_same_text(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}
