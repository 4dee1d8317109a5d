//! Labels: what a breakdown tells apart.

mod impls;

use std::borrow::Cow;
use std::hash::Hasher;

/// A type whose values name the parts of a [`Breakdown`](crate::Breakdown).
///
/// Derived for enums without data with [`#[derive(Label)]`](macro@crate::Label), which has examples; implemented for strings,
/// integers, `bool` and tuples of up to four labels. It is not meant to be implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a label: use an enum with `#[derive(Label)]`, a string, an integer, a `bool` or a tuple of these",
    label = "not a label"
)]
pub trait Label: ToLabel<Self> + Sized + 'static {
    /// How many label texts a value has: 1, and the number of parts for tuples.
    #[doc(hidden)]
    const PARTS: usize = 1;

    /// How many different values there are, when that is known and small.
    #[doc(hidden)]
    const CARDINALITY: Option<usize> = None;

    #[doc(hidden)]
    fn push_parts_of_index(index: usize, parts: &mut Vec<LabelPart>) {
        let _ = (index, parts);
    }
}

/// A label with a fixed number of values: a breakdown by it needs no `limit`.
#[diagnostic::on_unimplemented(
    message = "labels of type `{Self}` are unbounded: add `limit = <N>`, or use an enum with `#[derive(Label)]`",
    label = "an open label without `limit`"
)]
pub trait BoundedLabel: Label {}

/// A value that can stand for a label of type `L`: the label itself, a reference to it, or a string slice for a string.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` cannot be a label of type `{L}`",
    label = "expected a label of type `{L}`"
)]
pub trait ToLabel<L: Label> {
    #[doc(hidden)]
    fn index(&self) -> usize {
        0
    }

    #[doc(hidden)]
    fn hash_label<H: Hasher>(&self, hasher: &mut H);

    #[doc(hidden)]
    fn matches(&self, parts: &[LabelPart]) -> bool;

    #[doc(hidden)]
    fn push_parts(&self, parts: &mut Vec<LabelPart>);

    #[doc(hidden)]
    fn fits(&self) -> bool {
        true
    }
}

/// The label in which everything beyond a breakdown's limit is counted.
pub(crate) const OTHER: &str = "other";

/// Texts longer than this are counted in [`OTHER`], so that the limit on labels is a limit on memory as well.
const LONGEST_TEXT: usize = 256;

/// One part of a label as a breakdown keeps it.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelPart {
    Fixed(&'static str),
    Text(Box<str>),
    Unsigned(u64),
    Signed(i64),
}

impl LabelPart {
    pub(crate) fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Fixed(text) => Cow::Borrowed(text),
            Self::Text(text) => Cow::Owned(text.to_string()),
            Self::Unsigned(number) => Cow::Owned(number.to_string()),
            Self::Signed(number) => Cow::Owned(number.to_string()),
        }
    }

    fn is_text(&self, candidate: &str) -> bool {
        matches!(self, Self::Text(text) if **text == *candidate)
    }
}
