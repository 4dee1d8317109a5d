use syn::{Expr, ExprLit, ExprUnary, Lit, Type, UnOp};

use crate::ctxt::Ctxt;
use crate::shape::{last_word, written};

/// Bounds that are written as numbers; others are checked when constants are evaluated.
pub fn check(cx: &Ctxt, buckets: &Expr, measure: Option<&Type>) {
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
