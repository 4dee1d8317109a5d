use syn::{Type, TypeTuple};

use crate::ast::Field;
use crate::attr::{Given, Source};
use crate::ctxt::Ctxt;
use crate::shape::{Bounded, Kind, label, no_label, written};

/// `Label` is implemented for tuples of up to this many labels.
const MOST_PARTS: usize = 4;

/// Whether `L` of `Breakdown<L, D>` can be a label; what `by` says is checked along with it.
pub fn check(cx: &Ctxt, field: &Field) -> bool {
    let Some(ty) = field.shape.arguments.first().filter(|_| field.shape.kind == Kind::Breakdown) else {
        return true;
    };
    let parts = field.feeds.iter().filter_map(|feed| feed.attrs.by.as_ref()).find_map(parts);
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
    if no_label(ty) {
        cx.error(
            ty,
            format!(
                "`{}` is not a label: use an enum with `#[derive(Label)]`, a string or an integer",
                written(ty)
            ),
        );
        return false;
    }
    let by = field.feeds.iter().any(|feed| feed.attrs.by.is_some());
    if by && field.attrs.limit.is_none() && label(ty) == Some(Bounded::No) {
        cx.error(
            ty,
            format!(
                "labels of type `{}` are unbounded: add `limit = <N>`, or use an enum with `#[derive(Label)]`",
                written(ty)
            ),
        );
    }
    true
}

fn parts(by: &Given<Source>) -> Option<&[Source]> {
    match &by.value {
        Source::Tuple(parts) => Some(parts),
        _ => None,
    }
}

fn parts_fit(cx: &Ctxt, field: &Field, tuple: &TypeTuple, by: Option<&[Source]>) -> bool {
    match tuple.elems.len() {
        1 => {
            let each = field.shape.arguments.get(1).map(written).unwrap_or_default();
            let label = written(&tuple.elems);
            let mut message = format!(
                "a label of one part needs no parentheses: write `Breakdown<{}, {each}>`",
                label.trim_end_matches(',')
            );
            if let Some([only]) = by {
                message = format!("{message} and `by = {}`", written(only));
            }
            cx.error(tuple, message);
        }
        number if number > MOST_PARTS => {
            cx.error(tuple, format!("tuples of labels have up to four parts, and this one has {number}"));
        }
        _ => return true,
    }
    false
}

fn sources_fit(cx: &Ctxt, parts: &[Source]) -> bool {
    match parts {
        [only] => {
            let message = format!("a label of one part needs no parentheses: write `by = {}`", written(only));
            cx.error(only, message);
        }
        [_, _, _, _, beyond, ..] => {
            let message = format!("tuples of labels have up to four parts, and this one has {}", parts.len());
            cx.error(beyond, message);
        }
        _ => return true,
    }
    false
}
