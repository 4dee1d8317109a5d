//! Checks of the buckets of histograms.

use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Kind, Measure};
use crate::source_text::to_source;

/// Reports buckets of a type that is no histogram, wrong bounds and missing buckets.
pub fn check(cx: &Ctxt, field: &Field) {
    let inner = field.shape.inner();
    match &field.options.buckets {
        Some(buckets) if inner.kind == Kind::Histogram => bounds(cx, &buckets.value, inner.measure()),
        Some(buckets) if inner.kind == Kind::Unknown => {
            let source = to_source(field.shape.ty);
            let message =
                format!("`buckets` applies to `Histogram<T>` only: write that type instead of `{source}`");
            cx.error(&buckets.key, message);
        }
        Some(buckets) => cx.error(&buckets.key, "`buckets` applies to `Histogram<T>` only"),
        None if inner.kind == Kind::Histogram => default_buckets(cx, field),
        None => {}
    }
}

/// Reports missing buckets. Only durations and bytes have default buckets.
fn default_buckets(cx: &Ctxt, field: &Field) {
    let inner = field.shape.inner();
    let is_number = matches!(inner.measure(), Some(Measure::U64 | Measure::I64 | Measure::F64));
    if is_number && field.options.unit.as_ref().is_none_or(|unit| unit.value.value() != "bytes") {
        let message = "needs buckets: add `buckets = [..]`, or `unit = bytes` for powers of four";
        cx.error(inner.ty, format!("`{}` {message}", to_source(inner.ty)));
    }
}

/// Checks bounds that are written as numbers. rustc checks all others when it evaluates the constant.
fn bounds(cx: &Ctxt, buckets: &Expr, measure: Option<Measure>) {
    let bounds = match buckets {
        Expr::Array(array) => &array.elems,
        Expr::Path(_) => return,
        other => {
            let message = "`buckets` takes a list or the path of a constant: write `buckets = [1, 2, 4]`";
            return cx.error(other, message);
        }
    };
    if bounds.is_empty() {
        return cx.error(buckets, "`buckets` is empty: name at least one bound");
    }
    let mut previous: Option<f64> = None;
    for (index, bound) in bounds.iter().enumerate() {
        if to_source(bound).ends_with("NAN") {
            return cx.error(bound, format!("bound {index} is NaN"));
        }
        if to_source(bound).ends_with("INFINITY") {
            let message =
                format!("bound {index} is infinite: leave it out, the last bucket has no upper bound anyway");
            return cx.error(bound, message);
        }
        let Some(number) = number(bound) else {
            previous = None;
            continue;
        };
        if !number.is_finite() {
            return cx.error(bound, format!("bound {index} is not finite"));
        }
        if number < 0.0 && matches!(measure, Some(Measure::U64 | Measure::Duration)) {
            return cx.error(bound, format!("bound {index} is negative"));
        }
        if previous.is_some_and(|previous| number <= previous) {
            return cx.error(bound, format!("bound {index} is not above the bound before it"));
        }
        previous = Some(number);
    }
}

/// The value of a number literal.
pub fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|number| -number),
        Expr::Group(group) => number(&group.expr),
        _ => None,
    }
}
