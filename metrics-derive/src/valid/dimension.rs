//! Checks of the type of a dimension and of the options outside of `on(..)`.

use syn::{Expr, ExprLit, Lit};

use super::{arguments, buckets, feeds, labels, top};
use crate::ctxt::Ctxt;
use crate::generics::mentions;
use crate::name;
use crate::resolved::{Field, Verdict};
use crate::shape::{Kind, Measure, TypeShape};
use crate::source_text::to_source;

/// Reports the mistakes of a dimension. Of a broken field only the name and the type are checked.
pub fn check(cx: &Ctxt, field: &Field, parameters: &[String]) -> Verdict {
    let ty = field.shape.ty;
    if field.shape.kind == Kind::NotADimension {
        let message = "is not a metric dimension: use `Counter`, `Sum<T>`, .. or `#[dimension(skip)]`";
        cx.error(ty, format!("`{}` {message}", to_source(ty)));
        return Verdict::Unusable;
    }
    let errors = cx.error_count();
    name::check(cx, &field.name);
    if !arguments::check(cx, &field.shape) {
        return Verdict::Unusable;
    }
    if field.verdict == Verdict::Broken || arguments::report_nested(cx, &field.shape) {
        return Verdict::Broken;
    }
    limit(cx, field);
    top::check(cx, field);
    buckets::check(cx, field);
    unit(cx, field);
    merge(cx, field);
    zeros(cx, field);
    let inner = field.shape.inner();
    if !top::check_weight(cx, field) {
        return Verdict::Unusable;
    }
    if !buckets_are_constant(cx, field, parameters) || !measure(cx, inner) || !labels::check(cx, field) {
        return Verdict::Unusable;
    }
    feeds::check(cx, field);
    if cx.error_count() > errors { Verdict::Broken } else { Verdict::Valid }
}

/// Checks `T` of `Sum<T>` and the like.
fn measure(cx: &Ctxt, inner: &TypeShape) -> bool {
    let Some(measured) = inner.measured() else { return true };
    let suggestion = match measured.measure {
        Measure::U64 | Measure::OtherUnsigned if inner.kind == Kind::Gauge => {
            let message = "a gauge is never unsigned: use `Gauge<i64>`, `Gauge<f64>` or `Gauge<Duration>`";
            cx.error(measured.ty, message);
            return false;
        }
        Measure::U64 | Measure::I64 | Measure::F64 | Measure::Duration | Measure::Unknown => return true,
        Measure::OtherUnsigned => "`u64`",
        Measure::OtherSigned => "`i64`",
        Measure::F32 => "`f64`",
        Measure::NotNumeric if inner.kind == Kind::Gauge => "`i64`, `f64` or `Duration`",
        Measure::NotNumeric => "`u64`, `i64`, `f64` or `Duration`",
    };
    cx.error(measured.ty, format!("`{}` is not a measure: use {suggestion}", to_source(measured.ty)));
    false
}

/// Bounds are constants, and a constant cannot depend on a type parameter.
fn buckets_are_constant(cx: &Ctxt, field: &Field, parameters: &[String]) -> bool {
    let inner = field.shape.inner();
    let generic =
        field.has_buckets() && inner.measured().is_some_and(|measured| mentions(measured.ty, parameters));
    let written = [field.options.buckets.as_ref(), field.options.max_buckets.as_ref()];
    let written: Vec<_> =
        written.into_iter().flatten().filter(|given| mentions(&given.value, parameters)).collect();
    if let [given, ..] = written.as_slice() {
        let message = format!(
            "`{}` cannot depend on a parameter of the metric: write numbers or a constant",
            given.key
        );
        cx.error(&given.value, message);
        return false;
    }
    if generic {
        let message = "the buckets of a histogram cannot depend on a type parameter: use a type such as `Histogram<f64>`";
        cx.error(field.shape.ty, message);
    }
    !generic
}

fn limit(cx: &Ctxt, field: &Field) {
    let Some(limit) = &field.options.limit else { return };
    if field.shape.kind == Kind::Top {
        let mistake = "`Top` keeps the largest labels, not those that were first";
        let write = if field.options.keep.is_some() { "remove `limit`" } else { "write `keep = <N>`" };
        cx.error(&limit.key, format!("{mistake}: {write}"));
    } else if !matches!(field.shape.kind, Kind::Breakdown | Kind::Unknown) {
        // `feeds::check` reports a `by` of such a type.
        if !field.has_by() {
            let ty = to_source(field.shape.ty);
            let message = format!(
                "`limit` applies to `Breakdown<L, D>` only: remove it, or write `Breakdown<L, {ty}>` with `by`"
            );
            cx.error(&limit.key, message);
        }
    } else if field.shape.kind == Kind::Unknown && !field.has_by() && !field.feeds.is_empty() {
        cx.error(&limit.key, "`limit` needs `by`: add `by = <event field>`");
    } else if matches!(buckets::number(&limit.value), Some(limit) if limit < 1.0) {
        cx.error(&limit.value, "`limit` must be at least 1");
    } else if matches!(&limit.value, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_))) {
        cx.error(&limit.value, "`limit` takes a whole number: write `limit = 100`");
    }
}

fn unit(cx: &Ctxt, field: &Field) {
    if let Some(unit) = &field.options.unit
        && name::check(cx, &unit.value)
        && field.shape.inner().measure() == Some(Measure::Duration)
        && unit.value.value() != "seconds"
    {
        cx.error(&unit.value, "a `Duration` is always shown in seconds: leave `unit` out");
    }
}

fn merge(cx: &Ctxt, field: &Field) {
    let Some(merge) = &field.options.merge else { return };
    let rule = &merge.value;
    if !["sum", "min", "max"].iter().any(|known| rule == known) {
        cx.error(rule, format!("unknown merge rule `{rule}`, expected `sum`, `min` or `max`"));
    } else if !matches!(field.shape.inner().kind, Kind::Gauge | Kind::Unknown) {
        cx.error(&merge.key, "`merge` applies to `Gauge<T>` only");
    }
}

fn zeros(cx: &Ctxt, field: &Field) {
    let Some(zeros) = &field.options.zeros else { return };
    if zeros.value != "off" {
        cx.error(
            &zeros.value,
            "`zeros` takes `off` only: leave it out to show all labels from the beginning",
        );
    } else if !matches!(field.shape.kind, Kind::Breakdown | Kind::Unknown) {
        cx.error(&zeros.key, "`zeros` applies to `Breakdown<L, D>` only");
    }
}
