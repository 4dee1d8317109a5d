//! Checks of the labels of breakdowns.

use syn::{Type, TypeTuple};

use crate::attr::{Keyed, Source};
use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Cardinality, Kind, cardinality, is_not_a_label};
use crate::source_text::to_source;

/// Tuples of up to this many labels implement `Label`.
const MAX_LABEL_PARTS: usize = 4;

/// Whether `L` of `Breakdown<L, D>` can be a label. Also checks the sources in `by`.
pub fn check(cx: &Ctxt, field: &Field) -> bool {
    let Some(label) = field.shape.arguments.first().filter(|_| field.shape.kind == Kind::Breakdown) else {
        return true;
    };
    let ty = label.ty;
    let parts = field.feeds.iter().filter_map(|feed| feed.options.by.as_ref()).find_map(parts);
    if let Type::Tuple(tuple) = ty
        && !parts_fit(cx, field, tuple, parts)
    {
        return false;
    }
    if let Some(parts) = parts
        && !sources_fit(cx, parts)
    {
        return true;
    }
    if is_not_a_label(ty) {
        cx.error(
            ty,
            format!(
                "`{}` is not a label: use an enum with `#[derive(Label)]`, a string or an integer",
                to_source(ty)
            ),
        );
        return false;
    }
    let by = field.feeds.iter().any(|feed| feed.options.by.is_some());
    if by && field.options.limit.is_none() && cardinality(ty) == Some(Cardinality::Unbounded) {
        cx.error(
            ty,
            format!(
                "labels of type `{}` are unbounded: add `limit = <N>`, or use an enum with `#[derive(Label)]`",
                to_source(ty)
            ),
        );
    }
    true
}

fn parts(by: &Keyed<Source>) -> Option<&[Source]> {
    match &by.value {
        Source::Tuple(parts) => Some(parts),
        _ => None,
    }
}

fn parts_fit(cx: &Ctxt, field: &Field, tuple: &TypeTuple, by: Option<&[Source]>) -> bool {
    match tuple.elems.len() {
        1 => {
            let inner = to_source(field.shape.inner().ty);
            let label = to_source(&tuple.elems);
            let mut message = format!(
                "a label of one part needs no parentheses: write `Breakdown<{}, {inner}>`",
                label.trim_end_matches(',')
            );
            if let Some([only]) = by {
                message = format!("{message} and `by = {}`", to_source(only));
            }
            cx.error(tuple, message);
        }
        number if number > MAX_LABEL_PARTS => {
            cx.error(tuple, too_many_parts(number));
        }
        _ => return true,
    }
    false
}

fn sources_fit(cx: &Ctxt, parts: &[Source]) -> bool {
    match parts {
        [only] => {
            let message =
                format!("a label of one part needs no parentheses: write `by = {}`", to_source(only));
            cx.error(only, message);
        }
        [_, _, _, _, beyond, ..] => {
            cx.error(beyond, too_many_parts(parts.len()));
        }
        _ => return true,
    }
    false
}

fn too_many_parts(number: usize) -> String {
    format!("a tuple of labels has at most {MAX_LABEL_PARTS} parts, this one has {number}")
}
