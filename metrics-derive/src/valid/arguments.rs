//! Checks of the type arguments of dimensions.

use crate::ctxt::Ctxt;
use crate::shape::{Kind, TypeShape};
use crate::source_text::to_source;

/// Checks that the types between the angle brackets are dimensions and labels, in their order. rustc reports a wrong number of them.
pub fn check(cx: &Ctxt, shape: &TypeShape) -> bool {
    let errors = cx.error_count();
    if let (Kind::Breakdown | Kind::Top, [label, inner]) = (shape.kind, shape.arguments.as_slice()) {
        breakdown(cx, shape, label, inner);
    } else if shape.kind == Kind::Recent {
        recent(cx, shape);
    }
    cx.error_count() == errors
}

fn breakdown(cx: &Ctxt, shape: &TypeShape, label: &TypeShape, inner: &TypeShape) {
    if is_dimension(label) && !is_dimension(inner) {
        let (first, second) = (to_source(label.ty), to_source(inner.ty));
        let message = if shape.kind == Kind::Top {
            format!("the label of a `Top` comes first: write `Top<{second}, {first}>`")
        } else {
            format!("the label of a breakdown comes first: write `Breakdown<{second}, {first}>`")
        };
        cx.error(shape.ty, message);
    } else if inner.kind == Kind::NotADimension {
        not_a_dimension(cx, inner);
    } else if inner.kind == Kind::Recent {
        recent(cx, inner);
    }
}

fn not_a_dimension(cx: &Ctxt, inner: &TypeShape) {
    let message = format!("`{}` is not a metric dimension: use `Counter`, `Sum<T>`, ..", to_source(inner.ty));
    cx.error(inner.ty, message);
}

/// Checks `D` and the seconds of `Recent<D, SECS>`.
fn recent(cx: &Ctxt, shape: &TypeShape) {
    let [inner, further @ ..] = shape.arguments.as_slice() else { return };
    let seconds = match (shape.constants.as_slice(), further) {
        ([seconds, ..], _) => to_source(seconds),
        ([], [constant, ..]) => to_source(constant.ty),
        ([], []) => return,
    };
    let mistake = match inner.kind {
        Kind::NotADimension => return not_a_dimension(cx, inner),
        Kind::Recent => Some("a window of a window"),
        Kind::Breakdown => Some("a window of a breakdown"),
        Kind::Top => Some("a `Top` has no window"),
        _ => None,
    };
    if let Some(mistake) = mistake {
        return cx.error(shape.ty, format!("{mistake}: write `{}`", windowed(inner, &seconds)));
    }
    if let [seconds, ..] = shape.constants.as_slice()
        && super::buckets::number(seconds) == Some(0.0)
    {
        let message = format!("a window has at least 1 second: write `Recent<{}, 60>`", to_source(inner.ty));
        cx.error(seconds, message);
    }
}

/// A dimension with its window in the one place where a window can be.
fn windowed(dimension: &TypeShape, seconds: &str) -> String {
    match (dimension.kind, dimension.arguments.as_slice()) {
        (Kind::Top, _) => to_source(dimension.ty),
        (Kind::Recent, [inner, ..]) => windowed(inner, seconds),
        (Kind::Breakdown, [label, inner, ..]) => {
            format!("Breakdown<{}, {}>", to_source(label.ty), windowed(inner, seconds))
        }
        _ => format!("Recent<{}, {seconds}>", to_source(dimension.ty)),
    }
}

/// Whether a breakdown is within another one. A snapshot can show it all the same.
pub fn report_nested(cx: &Ctxt, shape: &TypeShape) -> bool {
    let mistake = match (shape.kind, shape.inner().kind) {
        (Kind::Breakdown, Kind::Top) => {
            "a breakdown of a `Top`: use a `Top` by a tuple of labels, `by(a, b)`"
        }
        (Kind::Breakdown, Kind::Breakdown) => "a breakdown of breakdowns: use a tuple of labels, `by(a, b)`",
        _ => return false,
    };
    cx.error(shape.ty, mistake);
    true
}

/// Whether a type certainly is a dimension, and not a label of the same name.
fn is_dimension(shape: &TypeShape) -> bool {
    !matches!(shape.kind, Kind::NotADimension | Kind::Unknown)
}
