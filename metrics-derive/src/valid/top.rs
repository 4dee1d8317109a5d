//! Checks of `Top<L, D>` and of its option `keep`.

use syn::{Expr, ExprLit, Lit};

use super::buckets::number;
use crate::attr::Keyed;
use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Kind, Measure, TypeShape};
use crate::source_text::to_source;

/// A `Top` keeps at most this many labels.
const MAX_KEPT_LABELS: f64 = 65_536.0;

/// Reports a missing `keep`, a wrong number, and `keep` on a type that is no `Top`.
pub fn check(cx: &Ctxt, field: &Field) {
    let Some(keep) = &field.options.keep else {
        // Without `by`, another message tells what to add.
        if field.shape.kind == Kind::Top && field.has_by() && field.options.limit.is_none() {
            let source = to_source(field.shape.ty);
            let message = format!("`{source}` needs the number of labels that it keeps: add `keep = <N>`");
            cx.error(field.shape.ty, message);
        }
        return;
    };
    if let (Kind::Unknown, Some(limit)) = (field.shape.kind, &field.options.limit) {
        let message = "`keep` and `limit` cannot be combined: a `Top` takes `keep`, a breakdown `limit`";
        cx.error(&limit.key, message);
    } else if field.shape.kind == Kind::Breakdown {
        let instead = if field.options.limit.is_some() { "remove it" } else { "write `limit = <N>`" };
        let message = format!("`keep` applies to `Top<L, D>` only: {instead}, or use a `Top`");
        cx.error(&keep.key, message);
    } else if !matches!(field.shape.kind, Kind::Top | Kind::Unknown) {
        // `feeds::check` reports a `by` of such a type.
        if !field.has_by() {
            cx.error(&keep.key, "`keep` applies to `Top<L, D>` only: remove it, or use a `Top` with `by`");
        }
    } else if field.shape.kind == Kind::Unknown && !field.has_by() {
        cx.error(&keep.key, "`keep` needs `by`: add `by = <event field>`");
    } else {
        check_keep(cx, Some(keep));
    }
}

/// Checks a number of labels that is written as a number.
pub fn check_keep(cx: &Ctxt, keep: Option<&Keyed<Expr>>) {
    let Some(Keyed { value, .. }) = keep else { return };
    if matches!(value, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_))) {
        cx.error(value, "`keep` takes a whole number: write `keep = 100`");
    } else if matches!(number(value), Some(keep) if keep < 1.0) {
        cx.error(value, "`keep` must be at least 1");
    } else if matches!(number(value), Some(keep) if keep > MAX_KEPT_LABELS) {
        cx.error(value, "`keep` must be at most 65,536");
    }
}

/// Checks that `D` of `Top<L, D>` only grows, as far as its spelling tells.
pub fn check_weight(cx: &Ctxt, field: &Field) -> bool {
    let inner = field.shape.of_label();
    let has_weight = field.shape.kind != Kind::Top || is_weight(inner);
    if !has_weight {
        let source = to_source(inner.ty);
        let message =
            "`Top` compares labels by a sum that only grows: use `Counter`, `Sum<u64>` or `Sum<Duration>`";
        cx.error(inner.ty, format!("{message} in place of `{source}`"));
    }
    has_weight
}

/// Whether a dimension can be `D` of `Top<L, D>`, as far as its spelling tells.
pub fn is_weight(dimension: &TypeShape) -> bool {
    match dimension.kind {
        Kind::Counter | Kind::Unknown => true,
        Kind::Sum => !matches!(dimension.measure(), Some(Measure::I64 | Measure::F64)),
        _ => false,
    }
}
