use syn::{Path, Type};

use crate::ast::Field;
use crate::ctxt::Ctxt;
use crate::shape::{Kind, Shape, written};

/// Whether what stands between the angle brackets of a type is complete and in its order.
pub fn check(cx: &Ctxt, field: &Field, root: &Path) -> bool {
    let mistakes = cx.count();
    if let Some(example) = measured(&field.shape) {
        missing(cx, field.ty, example);
    } else if field.shape.kind == Kind::Breakdown {
        breakdown(cx, field, root);
    }
    cx.count() == mistakes
}

/// What to measure, for example, where a type says nothing about it.
fn measured(shape: &Shape) -> Option<&'static str> {
    match shape.kind {
        _ if !shape.arguments.is_empty() => None,
        Kind::Sum | Kind::Min | Kind::Max | Kind::Mean => Some("u64"),
        Kind::Gauge => Some("i64"),
        Kind::Histogram => Some("Duration"),
        Kind::Counter | Kind::InFlight | Kind::Breakdown | Kind::Foreign | Kind::Unknown => None,
    }
}

fn missing(cx: &Ctxt, ty: &Type, example: &str) {
    let ty_written = written(ty);
    cx.error(ty, format!("`{ty_written}` needs the type of its values: write `{ty_written}<{example}>`"));
}

fn breakdown(cx: &Ctxt, field: &Field, root: &Path) {
    let of = |ty: &Type| Shape::of(ty, root);
    match field.shape.arguments.as_slice() {
        [] => cx.error(field.ty, "`Breakdown` needs a label and a dimension: write `Breakdown<L, Counter>`"),
        [label] => {
            let label = if is_dimension(&of(label)) { "L".to_owned() } else { written(label) };
            let message =
                format!("`Breakdown` needs a label and a dimension: write `Breakdown<{label}, Counter>`");
            cx.error(field.ty, message);
        }
        [first, second, ..] if is_dimension(&of(first)) && !is_dimension(&of(second)) => {
            let (first, second) = (written(first), written(second));
            cx.error(
                field.ty,
                format!("the label of a breakdown comes first: write `Breakdown<{second}, {first}>`"),
            );
        }
        [_, each, ..] => match measured(&field.each) {
            Some(example) => missing(cx, each, example),
            None if field.each.kind == Kind::Foreign => {
                let each_written = written(each);
                cx.error(
                    each,
                    format!("`{each_written}` is not a metric dimension: use `Counter`, `Sum<T>`, .."),
                );
            }
            None => {}
        },
    }
}

/// Whether a type is certainly a dimension, and not a label of the same name.
fn is_dimension(shape: &Shape) -> bool {
    match shape.kind {
        Kind::Counter | Kind::InFlight => shape.arguments.is_empty(),
        Kind::Breakdown => shape.arguments.len() == 2,
        Kind::Foreign | Kind::Unknown => false,
        _ => shape.measure().is_some(),
    }
}
