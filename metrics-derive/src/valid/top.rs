//! Checks of `Top<L, D>` and of its option `keep`.

use syn::{Expr, ExprLit, Lit};

use super::buckets::number;
use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Kind, Measure};
use crate::source_text::to_source;

/// A `Top` keeps at most this many labels.
const MAX_KEPT_LABELS: f64 = 65_536.0;

/// Reports a missing `keep`, a wrong number, and `keep` on a type that is no `Top`.
pub fn check(cx: &Ctxt, field: &Field) {
    let by = field.feeds.iter().any(|feed| feed.options.by.is_some());
    let Some(keep) = &field.options.keep else {
        // Without `by`, another message tells what to add.
        if field.shape.kind == Kind::Top && by && field.options.limit.is_none() {
            let source = to_source(field.shape.ty);
            let message = format!("`{source}` needs the number of labels that it keeps: add `keep = <N>`");
            cx.error(field.shape.ty, message);
        }
        return;
    };
    if let (Kind::Unknown, Some(limit)) = (field.shape.kind, &field.options.limit) {
        cx.error(&limit.key, "`keep` and `limit` cannot be combined");
    } else if !matches!(field.shape.kind, Kind::Top | Kind::Unknown) {
        cx.error(&keep.key, "`keep` applies to `Top<L, D>` only");
    } else if field.shape.kind == Kind::Unknown && !by {
        cx.error(&keep.key, "`keep` needs `by`");
    } else if matches!(&keep.value, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_))) {
        cx.error(&keep.value, "`keep` takes a whole number: write `keep = 100`");
    } else if matches!(number(&keep.value), Some(keep) if keep < 1.0) {
        cx.error(&keep.value, "`keep` must be at least 1");
    } else if matches!(number(&keep.value), Some(keep) if keep > MAX_KEPT_LABELS) {
        cx.error(&keep.value, "`keep` must be at most 65,536");
    }
}

/// Checks that `D` of `Top<L, D>` only grows, as far as its spelling tells.
pub fn check_weight(cx: &Ctxt, field: &Field) -> bool {
    let inner = field.shape.of_label();
    let only_grows = match inner.kind {
        _ if field.shape.kind != Kind::Top => true,
        Kind::Counter | Kind::Unknown => true,
        Kind::Sum => !matches!(inner.measure(), Some(Measure::I64 | Measure::F64)),
        _ => false,
    };
    if !only_grows {
        let source = to_source(inner.ty);
        let message =
            "`Top` compares labels by what only grows: use `Counter`, `Sum<u64>` or `Sum<Duration>`";
        cx.error(inner.ty, format!("{message} in place of `{source}`"));
    }
    only_grows
}
