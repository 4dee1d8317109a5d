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
            None if inner.kind == Kind::NotADimension => {
                let source = to_source(inner.ty);
                let message = format!("`{source}` is not a metric dimension: use `Counter`, `Sum<T>`, ..");
                cx.error(inner.ty, message);
            }
            None => {}
        },
    }
}

/// Whether a type certainly is a dimension, and not a label of the same name.
fn is_dimension(shape: &TypeShape) -> bool {
    match shape.kind {
        Kind::Counter | Kind::InFlight | Kind::Distinct => shape.arguments.is_empty(),
        Kind::Breakdown | Kind::Top => shape.arguments.len() == 2,
        Kind::NotADimension | Kind::Unknown => false,
        _ => shape.measured().is_some(),
    }
}
