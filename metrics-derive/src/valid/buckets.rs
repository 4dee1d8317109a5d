use syn::{Expr, ExprLit, ExprUnary, Lit, Type, UnOp};

use crate::ast::Field;
use crate::ctxt::Ctxt;
use crate::shape::{Kind, last_word, written};

/// Reports buckets where there can be none, or wrong ones, or none where they are needed.
pub fn check(cx: &Ctxt, field: &Field) {
    let kind = field.each.kind;
    match &field.attrs.buckets {
        Some(buckets) if kind == Kind::Histogram => bounds(cx, &buckets.value, field.each.measure()),
        Some(buckets) if kind == Kind::Unknown => cx.error(
            &buckets.word,
            format!(
                "`buckets` applies to `Histogram<T>` only: write that type instead of `{}`",
                written(field.ty)
            ),
        ),
        Some(buckets) => cx.error(&buckets.word, "`buckets` applies to `Histogram<T>` only"),
        None if kind == Kind::Histogram => default(cx, field),
        None => {}
    }
}

/// Durations have default buckets, and so have bytes.
fn default(cx: &Ctxt, field: &Field) {
    let unit = field.attrs.unit.as_ref().map(|unit| unit.value.value());
    let number =
        field.each.measure().is_some_and(|ty| ["u64", "i64", "f64"].contains(&last_word(ty).as_str()));
    if number && unit.as_deref() != Some("bytes") {
        let ty =
            field.shape.arguments.last().filter(|_| field.shape.kind == Kind::Breakdown).unwrap_or(field.ty);
        cx.error(
            ty,
            format!(
                "`{}` needs buckets: add `buckets = [..]`, or `unit = bytes` for powers of four",
                written(ty)
            ),
        );
    }
}

/// Bounds that are written as numbers; others are checked when constants are evaluated.
fn bounds(cx: &Ctxt, buckets: &Expr, measure: Option<&Type>) {
    let bounds = match buckets {
        Expr::Array(array) => &array.elems,
        Expr::Path(_) => return,
        other => {
            return cx.error(
                other,
                "`buckets` takes a list or the path of a constant: write `buckets = [1, 2, 4]`",
            );
        }
    };
    if bounds.is_empty() {
        return cx.error(buckets, "`buckets` is empty: name at least one bound");
    }
    let mut previous: Option<f64> = None;
    for (index, bound) in bounds.iter().enumerate() {
        if written(bound).ends_with("NAN") {
            return cx.error(bound, format!("bound {index} is NaN"));
        }
        if written(bound).ends_with("INFINITY") {
            return cx.error(
                bound,
                format!("bound {index} is infinite: the last bucket is there without a bound"),
            );
        }
        let Some(number) = number(bound) else {
            previous = None;
            continue;
        };
        if !number.is_finite() {
            return cx.error(bound, format!("bound {index} is not finite"));
        }
        if number < 0.0 && measure.is_some_and(|ty| ["Duration", "u64"].contains(&last_word(ty).as_str())) {
            return cx.error(bound, format!("bound {index} is negative"));
        }
        if previous.is_some_and(|previous| number <= previous) {
            return cx.error(bound, format!("bound {index} is not above the bound before it"));
        }
        previous = Some(number);
    }
}

/// The value of a number that is written out.
pub fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|number| -number),
        Expr::Group(group) => number(&group.expr),
        _ => None,
    }
}
