//! Why a metric cannot be kept in parts, one for each thread.

use crate::descriptor::{DimensionDescriptor, DimensionKind};

/// Why a part of a metric needs the events of all threads in one order. Its threads cannot keep a part of it each.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedsOrder {
    /// The last value counts.
    Gauge,
    /// Values are forgotten by their time.
    Window,
    /// Only the user knows how two states become one.
    OwnType,
    /// One thread may begin what another one ends.
    BetweenEvents,
    /// A handler that the user has written may read all that events before it have changed.
    Handler,
    /// A field that is no dimension, so that nothing knows how two of them become one.
    Skipped,
}

impl NeedsOrder {
    pub(super) const fn of_kind(kind: DimensionKind) -> Option<Self> {
        if matches!(kind, DimensionKind::Gauge) { Some(Self::Gauge) } else { None }
    }

    /// Why a dimension does, as far as its descriptor tells.
    pub(crate) fn of(declared: &DimensionDescriptor) -> Option<Self> {
        if declared.window.is_some() {
            Some(Self::Window)
        } else if declared.merge_values.0.is_some() {
            Some(Self::OwnType)
        } else {
            Self::of_kind(declared.kind)
        }
    }

    /// The reason in words, for the part of a metric with this name.
    pub(crate) fn in_words(self, name: &str) -> String {
        let needs_order = "needs the events of all threads in one order";
        match self {
            Self::Gauge => format!("the gauge `{name}` {needs_order}"),
            Self::Window => format!("the window of `{name}` {needs_order}"),
            Self::OwnType => {
                format!("`{name}` is of a type outside of the library, which does not add up threads")
            }
            Self::BetweenEvents => format!("`{name}` with `begin` and `end` {needs_order}"),
            Self::Handler => format!("the handler `{name}` of `with` {needs_order}"),
            Self::Skipped => format!("the field `{name}` with `skip` cannot be split by threads"),
        }
    }
}
