//! Labels that need no derive: strings, integers, `bool` and tuples.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{BoundedLabel, Label, LabelPart, MAX_LABEL_BYTES, ToLabel};

impl<L: Label> ToLabel<L> for &L {
    #[inline]
    fn index(&self) -> usize {
        L::index(self)
    }

    #[inline]
    fn hash_label<H: Hasher>(&self, hasher: &mut H) {
        L::hash_label(self, hasher);
    }

    #[inline]
    fn matches(&self, parts: &[LabelPart]) -> bool {
        L::matches(self, parts)
    }

    fn push_parts(&self, parts: &mut Vec<LabelPart>) {
        L::push_parts(self, parts);
    }

    #[inline]
    fn is_present(&self) -> bool {
        L::is_present(self)
    }

    #[inline]
    fn fits(&self) -> bool {
        L::fits(self)
    }
}

/// A label that an event may lack. A breakdown asks `is_present` before it asks anything else.
#[diagnostic::do_not_recommend]
impl<L: Label, V: ToLabel<L>> ToLabel<L> for Option<V> {
    #[inline]
    fn index(&self) -> usize {
        self.as_ref().map_or(0, V::index)
    }

    #[inline]
    fn hash_label<H: Hasher>(&self, hasher: &mut H) {
        if let Some(label) = self {
            label.hash_label(hasher);
        }
    }

    #[inline]
    fn matches(&self, parts: &[LabelPart]) -> bool {
        self.as_ref().is_some_and(|label| label.matches(parts))
    }

    fn push_parts(&self, parts: &mut Vec<LabelPart>) {
        if let Some(label) = self {
            label.push_parts(parts);
        }
    }

    #[inline]
    fn is_present(&self) -> bool {
        self.as_ref().is_some_and(V::is_present)
    }

    #[inline]
    fn fits(&self) -> bool {
        self.as_ref().is_none_or(V::fits)
    }
}

/// The field of an event, which a breakdown borrows.
#[diagnostic::do_not_recommend]
impl<'a, L: Label, V> ToLabel<L> for &'a Option<V>
where
    &'a V: ToLabel<L>,
{
    #[inline]
    fn index(&self) -> usize {
        self.as_ref().index()
    }

    #[inline]
    fn hash_label<H: Hasher>(&self, hasher: &mut H) {
        self.as_ref().hash_label(hasher);
    }

    #[inline]
    fn matches(&self, parts: &[LabelPart]) -> bool {
        self.as_ref().matches(parts)
    }

    fn push_parts(&self, parts: &mut Vec<LabelPart>) {
        self.as_ref().push_parts(parts);
    }

    #[inline]
    fn is_present(&self) -> bool {
        self.as_ref().is_present()
    }

    #[inline]
    fn fits(&self) -> bool {
        self.as_ref().fits()
    }
}

impl Label for String {}
impl Label for &'static str {}
impl Label for Box<str> {}
impl Label for Arc<str> {}
impl Label for Cow<'static, str> {}

macro_rules! text_view {
    ($($view:ty => $label:ty;)*) => {
        $(
            impl ToLabel<$label> for $view {
                fn hash_label<H: Hasher>(&self, hasher: &mut H) {
                    let text: &str = self;
                    text.hash(hasher);
                }

                fn matches(&self, parts: &[LabelPart]) -> bool {
                    parts.first().is_some_and(|part| part.is_text(self))
                }

                fn push_parts(&self, parts: &mut Vec<LabelPart>) {
                    let text: &str = self;
                    parts.push(LabelPart::Text(Box::from(text)));
                }

                fn fits(&self) -> bool {
                    self.len() <= MAX_LABEL_BYTES
                }
            }
        )*
    };
}

text_view! {
    &str => String;
    &str => Box<str>;
    &str => Arc<str>;
    &str => Cow<'static, str>;
    &'static str => &'static str;
    &&str => String;
    String => String;
    Cow<'_, str> => String;
    &Cow<'_, str> => String;
    Cow<'_, str> => Cow<'static, str>;
    Box<str> => Box<str>;
    &Box<str> => String;
    Arc<str> => Arc<str>;
    &Arc<str> => String;
}

macro_rules! number_label {
    ($($number:ty => $part:ident($wide:ty);)*) => {
        $(
            impl Label for $number {
                fn has_texts(texts: &[Cow<'static, str>]) -> bool {
                    let is_number = |text: &str| text.parse::<$number>().is_ok_and(|number| number.to_string() == *text);
                    texts.iter().all(|text| is_number(text))
                }
            }

            impl ToLabel<$number> for $number {
                #[inline]
                fn hash_label<H: Hasher>(&self, hasher: &mut H) {
                    self.hash(hasher);
                }

                #[inline]
                fn matches(&self, parts: &[LabelPart]) -> bool {
                    matches!(parts.first(), Some(LabelPart::$part(number)) if *number == *self as $wide)
                }

                fn push_parts(&self, parts: &mut Vec<LabelPart>) {
                    parts.push(LabelPart::$part(*self as $wide));
                }
            }
        )*
    };
}

number_label! {
    u8 => Unsigned(u64);
    u16 => Unsigned(u64);
    u32 => Unsigned(u64);
    u64 => Unsigned(u64);
    usize => Unsigned(u64);
    i8 => Signed(i64);
    i16 => Signed(i64);
    i32 => Signed(i64);
    i64 => Signed(i64);
    isize => Signed(i64);
}

impl Label for bool {
    const CARDINALITY: Option<usize> = Some(2);

    fn push_parts_of_index(index: usize, parts: &mut Vec<LabelPart>) {
        parts.push(LabelPart::Fixed(bool_text(index == 1)));
    }
}

impl ToLabel<bool> for bool {
    #[inline]
    fn index(&self) -> usize {
        usize::from(*self)
    }

    fn hash_label<H: Hasher>(&self, hasher: &mut H) {
        self.hash(hasher);
    }

    fn matches(&self, parts: &[LabelPart]) -> bool {
        matches!(parts.first(), Some(LabelPart::Fixed(text)) if *text == bool_text(*self))
    }

    fn push_parts(&self, parts: &mut Vec<LabelPart>) {
        parts.push(LabelPart::Fixed(bool_text(*self)));
    }
}

impl BoundedLabel for bool {}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

const fn product(left: Option<usize>, right: Option<usize>) -> Option<usize> {
    match (left, right) {
        (Some(left), Some(right)) => left.checked_mul(right),
        _ => None,
    }
}

macro_rules! tuple_label {
    ($($label:ident $view:ident $index:tt),*) => {
        impl<$($label: Label),*> Label for ($($label,)*) {
            const PARTS: usize = 0 $(+ $label::PARTS)*;
            const CARDINALITY: Option<usize> = {
                let cardinality = Some(1);
                $(let cardinality = product(cardinality, $label::CARDINALITY);)*
                cardinality
            };

            fn push_parts_of_index(index: usize, parts: &mut Vec<LabelPart>) {
                let mut rest = Self::CARDINALITY.unwrap_or(1);
                $(
                    let size = $label::CARDINALITY.unwrap_or(1);
                    rest /= size;
                    $label::push_parts_of_index(index / rest % size, parts);
                )*
                let _ = rest;
            }

            fn has_texts(texts: &[Cow<'static, str>]) -> bool {
                $(
                    let Some((head, texts)) = texts.split_at_checked($label::PARTS) else { return false };
                    if !$label::has_texts(head) {
                        return false;
                    }
                )*
                texts.is_empty()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($label: BoundedLabel),*> BoundedLabel for ($($label,)*) {}

        impl<$($label: Label, $view: ToLabel<$label>),*> ToLabel<($($label,)*)> for ($($view,)*) {
            #[inline]
            fn index(&self) -> usize {
                let index = 0;
                $(let index = index * $label::CARDINALITY.unwrap_or(1) + self.$index.index();)*
                index
            }

            fn hash_label<H: Hasher>(&self, hasher: &mut H) {
                $(self.$index.hash_label(hasher);)*
            }

            fn matches(&self, parts: &[LabelPart]) -> bool {
                $(
                    let Some((head, parts)) = parts.split_at_checked($label::PARTS) else { return false };
                    if !self.$index.matches(head) {
                        return false;
                    }
                )*
                parts.is_empty()
            }

            fn push_parts(&self, parts: &mut Vec<LabelPart>) {
                $(self.$index.push_parts(parts);)*
            }

            #[inline]
            fn is_present(&self) -> bool {
                $(self.$index.is_present())&&*
            }

            fn fits(&self) -> bool {
                $(self.$index.fits())&&*
            }
        }
    };
}

tuple_label!(A VA 0, B VB 1);
tuple_label!(A VA 0, B VB 1, C VC 2);
tuple_label!(A VA 0, B VB 1, C VC 2, D VD 3);
