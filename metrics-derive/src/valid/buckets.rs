//! Checks of the buckets of histograms.

use syn::{Expr, ExprCall, ExprLit, ExprUnary, Lit, Path, UnOp};

use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Kind, Measure};
use crate::source_text::to_source;

/// The fewest and the most exponential buckets.
const MAX_BUCKETS: [f64; 2] = [4.0, 1024.0];

/// Reports buckets of a type that is no histogram, wrong bounds and wrong numbers of buckets.
pub fn check(cx: &Ctxt, field: &Field) {
    let inner = field.shape.inner();
    let options = &field.options;
    for key in
        [options.buckets.as_ref(), options.max_buckets.as_ref()].into_iter().flatten().map(|given| &given.key)
    {
        if inner.kind == Kind::Unknown {
            let source = to_source(field.shape.ty);
            let message =
                format!("`{key}` applies to `Histogram<T>` only: write that type instead of `{source}`");
            return cx.error(key, message);
        } else if inner.kind != Kind::Histogram {
            return cx.error(key, format!("`{key}` applies to `Histogram<T>` only"));
        }
    }
    match (&options.buckets, &options.max_buckets) {
        (Some(_), Some(max_buckets)) => {
            let message =
                "`buckets` and `max_buckets` cannot be combined: there are as many buckets as bounds";
            cx.error(&max_buckets.key, message);
        }
        (Some(buckets), None) => bounds(cx, &buckets.value, inner.measure()),
        (None, Some(written)) => max_buckets(cx, &written.value),
        (None, None) => {}
    }
}

/// Checks a number of buckets that is written as a number.
fn max_buckets(cx: &Ctxt, written: &Expr) {
    let [min, max] = MAX_BUCKETS;
    if matches!(written, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_))) {
        cx.error(written, "`max_buckets` takes a whole number: write `max_buckets = 160`");
    } else if number(written).is_some_and(|number| number < min) {
        let message = "`max_buckets` must be at least 4: two buckets each for positive and negative values";
        cx.error(written, message);
    } else if number(written).is_some_and(|number| number > max) {
        cx.error(written, "`max_buckets` must be at most 1,024");
    }
}

const EXPONENTIAL: &str =
    "`exponential` takes a start, a factor and a number of bounds: write `exponential(1, 2, 10)`";

/// Checks the numbers in `exponential(start, factor, n)`.
fn exponential(cx: &Ctxt, call: &ExprCall) {
    let arguments: Vec<_> = call.args.iter().collect();
    let [start, factor, count] = arguments.as_slice() else {
        return cx.error(call, EXPONENTIAL);
    };
    for argument in &call.args {
        if matches!(argument, Expr::Assign(_)) {
            return cx.error(call, EXPONENTIAL);
        } else if matches!(argument, Expr::Lit(ExprLit { lit: Lit::Str(_), .. })) {
            let message = "`exponential` takes numbers without quotation marks, seconds for a `Duration`";
            return cx.error(argument, message);
        }
    }
    if number(start).is_some_and(|start| start <= 0.0) {
        cx.error(start, "the start of `exponential` must be above 0");
    }
    if number(factor).is_some_and(|factor| factor <= 1.0) {
        cx.error(factor, "the factor of `exponential` must be above 1");
    }
    if matches!(count, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_))) {
        cx.error(count, "the number of bounds is a whole number");
    } else if number(count).is_some_and(|count| count < 1.0) {
        cx.error(count, "`exponential` has no bounds: name at least one");
    }
}

/// Whether an expression is the word `exponential`.
fn is_exponential(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("exponential"))
}

/// Whether a path is spelled like a function, not like a constant.
fn is_function(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(char::is_lowercase))
}

/// Checks bounds that are written as numbers. rustc checks all others when it evaluates the constant.
fn bounds(cx: &Ctxt, buckets: &Expr, measure: Option<Measure>) {
    let bounds = match buckets {
        Expr::Array(array) => &array.elems,
        Expr::Path(_) if is_exponential(buckets) => return cx.error(buckets, EXPONENTIAL),
        Expr::Path(path) if is_function(&path.path) => {
            let message =
                format!("`buckets` takes a list or a constant: write `buckets = {}()`", to_source(path));
            return cx.error(buckets, message);
        }
        Expr::Path(_) => return,
        Expr::Call(call) if is_exponential(&call.func) => return exponential(cx, call),
        // A `const fn`, whose list rustc checks.
        Expr::Call(call) if call.args.is_empty() => return,
        other => {
            let message = "`buckets` takes a list, a constant or `exponential(start, factor, n)`: write `buckets = [1, 2, 4]` or `buckets = exponential(1, 2, 10)`";
            return cx.error(other, message);
        }
    };
    if bounds.is_empty() {
        return cx.error(buckets, "`buckets` is empty: name at least one bound");
    }
    let mut previous: Option<f64> = None;
    for (index, bound) in bounds.iter().enumerate() {
        if matches!(bound, Expr::Call(call) if is_exponential(&call.func)) {
            let message = "`exponential` is a list of its own: write `buckets = exponential(1, 2, 10)`";
            return cx.error(bound, message);
        }
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
