//! Labels: the values by which a breakdown splits a dimension.

mod impls;

use std::borrow::Cow;
use std::hash::Hasher;

/// A type of labels for a [`Breakdown`](crate::Breakdown).
///
/// Strings, integers, `bool` and tuples of two to four labels are labels. Enums without data become labels with
/// [`#[derive(Label)]`](macro@crate::Label), which has examples. Do not implement this trait by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a label: use an enum with `#[derive(Label)]`, a string, an integer, a `bool` or a tuple of these",
    label = "not a label"
)]
pub trait Label: ToLabel<Self> + Sized + 'static {
    /// The number of texts in a label: 1, or the number of parts of a tuple.
    #[doc(hidden)]
    const PARTS: usize = 1;

    /// The number of different labels, if the type has a fixed number of them.
    #[doc(hidden)]
    const CARDINALITY: Option<usize> = None;

    /// Adds the parts of the label with this [`ToLabel::index`].
    #[doc(hidden)]
    fn push_parts_of_index(index: usize, parts: &mut Vec<LabelPart>) {
        let _ = (index, parts);
    }

    /// Whether a label of this type can have these texts.
    #[doc(hidden)]
    #[must_use]
    fn has_texts(texts: &[Cow<'static, str>]) -> bool {
        let Some(count) = Self::CARDINALITY else {
            return texts.iter().all(|text| text.len() <= MAX_LABEL_BYTES);
        };
        let mut parts = Vec::with_capacity(Self::PARTS);
        (0..count).any(|index| {
            parts.clear();
            Self::push_parts_of_index(index, &mut parts);
            parts.iter().map(LabelPart::text).eq(texts.iter().cloned())
        })
    }
}

/// A type with a fixed number of labels. A breakdown by it needs no `limit`.
#[diagnostic::on_unimplemented(
    message = "labels of type `{Self}` are unbounded: add `#[derive(Label)]` to an enum, `limit = <N>` for any other type",
    label = "an open label without `limit`"
)]
pub trait BoundedLabel: Label {}

/// A value that can be used as a label of type `L`: the label itself, a reference to it, a `&str` for a string, or an `Option`
/// of these.
///
/// `None` is no label: a breakdown ignores it, and a look-up finds nothing. The same holds for a tuple with a `None`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` cannot be a label of type `{L}`",
    label = "expected a label of type `{L}`",
    note = "a type of your own becomes a label with `#[derive(Label)]`, as an enum without data"
)]
pub trait ToLabel<L: Label> {
    /// The position among all labels of the type, if their number is fixed.
    #[doc(hidden)]
    fn index(&self) -> usize {
        0
    }

    /// Hashes the label. All values that stand for one label have the same hash.
    #[doc(hidden)]
    fn hash_label<H: Hasher>(&self, hasher: &mut H);

    /// Whether the label has these parts.
    #[doc(hidden)]
    fn matches(&self, parts: &[LabelPart]) -> bool;

    /// Adds the label's parts.
    #[doc(hidden)]
    fn push_parts(&self, parts: &mut Vec<LabelPart>);

    /// Whether there is a label at all; `false` for `None` and for a tuple with a `None`.
    #[doc(hidden)]
    fn is_present(&self) -> bool {
        true
    }

    /// Whether no text is longer than 256 bytes.
    #[doc(hidden)]
    fn fits(&self) -> bool {
        true
    }
}

/// A label type with more values than this is looked up by hash: an array with a slot for each value would cost more.
const MAX_INDEXED_LABELS: usize = 4096;

/// Whether each label of the type has a slot of its own, so that it needs no limit.
pub(crate) const fn is_indexed<L: Label>() -> bool {
    matches!(L::CARDINALITY, Some(cardinality) if cardinality <= MAX_INDEXED_LABELS)
}

/// The label under which a breakdown counts all labels beyond its limit.
pub(crate) const OTHER: &str = "other";

/// Longer texts are counted under [`OTHER`], so that the limit on labels bounds the memory as well.
pub(crate) const MAX_LABEL_BYTES: usize = 256;

/// The texts of the parts of a label.
pub(crate) fn texts(parts: &[LabelPart]) -> Vec<Cow<'static, str>> {
    parts.iter().map(LabelPart::text).collect()
}

/// The texts of a label that is present.
pub(crate) fn texts_of<L: Label>(label: &impl ToLabel<L>) -> Vec<Cow<'static, str>> {
    let mut parts = Vec::with_capacity(L::PARTS);
    label.push_parts(&mut parts);
    texts(&parts)
}

/// The texts of the label with this [`ToLabel::index`].
pub(crate) fn texts_of_index<L: Label>(index: usize) -> Vec<Cow<'static, str>> {
    let mut parts = Vec::with_capacity(L::PARTS);
    L::push_parts_of_index(index, &mut parts);
    texts(&parts)
}

/// One part of a label, as a breakdown stores it.
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
