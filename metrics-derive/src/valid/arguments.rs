//! Checks of the type arguments of dimensions.

use syn::Type;

use crate::ctxt::Ctxt;
use crate::shape::{Kind, TypeShape};
use crate::source_text::to_source;

/// Checks that the angle brackets of a type hold all its arguments, in their order.
pub fn check(cx: &Ctxt, shape: &TypeShape) -> bool {
    let errors = cx.error_count();
    if let Some(example) = missing_measure(shape) {
        report_missing(cx, shape.ty, example);
    } else if is_distinct_of_type(shape) {
        report_needless(cx, shape.ty);
    } else if shape.kind.has_labels() {
        breakdown(cx, shape);
    } else if shape.kind == Kind::Recent {
        recent(cx, shape);
    }
    cx.error_count() == errors
}

/// An example of a measure for a type that lacks one.
fn missing_measure(shape: &TypeShape) -> Option<&'static str> {
    match shape.kind {
        _ if !shape.arguments.is_empty() => None,
        Kind::Sum | Kind::Min | Kind::Max | Kind::Mean => Some("u64"),
        Kind::Gauge => Some("i64"),
        Kind::Histogram => Some("Duration"),
        Kind::Counter
        | Kind::InFlight
        | Kind::Distinct
        | Kind::Breakdown
        | Kind::Top
        | Kind::Recent
        | Kind::NotADimension
        | Kind::Unknown => None,
    }
}

fn report_missing(cx: &Ctxt, ty: &Type, example: &str) {
    let source = to_source(ty);
    cx.error(ty, format!("`{source}` needs the type of its values: write `{source}<{example}>`"));
}

/// Whether a type is written as `Distinct<u64>`.
fn is_distinct_of_type(shape: &TypeShape) -> bool {
    shape.kind == Kind::Distinct && !shape.arguments.is_empty()
}

fn report_needless(cx: &Ctxt, ty: &Type) {
    cx.error(ty, "`Distinct` takes values of every type that can be told apart: write `Distinct`");
}

fn breakdown(cx: &Ctxt, shape: &TypeShape) {
    let name = shape.name();
    let needs = format!("`{name}` needs a label and a dimension");
    match shape.arguments.as_slice() {
        [] => cx.error(shape.ty, format!("{needs}: write `{name}<L, Counter>`")),
        [label] => {
            let label = if is_dimension(label) { "L".to_owned() } else { to_source(label.ty) };
            cx.error(shape.ty, format!("{needs}: write `{name}<{label}, Counter>`"));
        }
        [first, second, ..] if is_dimension(first) && !is_dimension(second) => {
            let (first, second) = (to_source(first.ty), to_source(second.ty));
            let message = if shape.kind == Kind::Top {
                format!("the label of a `{name}` comes first: write `{name}<{second}, {first}>`")
            } else {
                format!("the label of a breakdown comes first: write `Breakdown<{second}, {first}>`")
            };
            cx.error(shape.ty, message);
        }
        [_, inner, ..] => match missing_measure(inner) {
            Some(example) => report_missing(cx, inner.ty, example),
            None if is_distinct_of_type(inner) => report_needless(cx, inner.ty),
            None if inner.kind == Kind::NotADimension => not_a_dimension(cx, inner),
            None if inner.kind == Kind::Recent => recent(cx, inner),
            None => {}
        },
    }
}

fn not_a_dimension(cx: &Ctxt, inner: &TypeShape) {
    let message = format!("`{}` is not a metric dimension: use `Counter`, `Sum<T>`, ..", to_source(inner.ty));
    cx.error(inner.ty, message);
}

/// Checks `D` and the seconds of `Recent<D, SECS>`.
fn recent(cx: &Ctxt, shape: &TypeShape) {
    let [inner, further @ ..] = shape.arguments.as_slice() else {
        let seconds = shape.constants.first().map_or_else(|| "60".to_owned(), to_source);
        let message =
            format!("`Recent` needs a dimension and its seconds: write `Recent<Counter, {seconds}>`");
        return cx.error(shape.ty, message);
    };
    let seconds = match (shape.constants.as_slice(), further) {
        ([seconds, ..], _) => to_source(seconds),
        ([], [constant, ..]) => to_source(constant.ty),
        ([], []) => "60".to_owned(),
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
    let source = to_source(inner.ty);
    if let Some(example) = missing_measure(inner) {
        report_missing(cx, inner.ty, example);
    } else if shape.constants.is_empty() && further.is_empty() {
        let message = format!("`Recent<{source}>` needs its seconds: write `Recent<{source}, 60>`");
        cx.error(shape.ty, message);
    } else if let [seconds, ..] = shape.constants.as_slice()
        && super::buckets::number(seconds) == Some(0.0)
    {
        let message = format!("a window has at least 1 second: write `Recent<{source}, 60>`");
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
        (Kind::Breakdown, [label]) => {
            format!("Breakdown<{}, Recent<Counter, {seconds}>>", to_source(label.ty))
        }
        (Kind::Breakdown, []) => format!("Breakdown<L, Recent<Counter, {seconds}>>"),
        (Kind::Recent, []) => format!("Recent<Counter, {seconds}>"),
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
    match shape.kind {
        Kind::Counter | Kind::InFlight | Kind::Distinct => shape.arguments.is_empty(),
        Kind::Breakdown | Kind::Top => shape.arguments.len() == 2,
        Kind::Recent => !shape.arguments.is_empty(),
        Kind::NotADimension | Kind::Unknown => false,
        _ => shape.measured().is_some(),
    }
}
