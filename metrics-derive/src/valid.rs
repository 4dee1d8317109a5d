use std::collections::HashMap;

use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, Type, UnOp};

use crate::ast::{Feed, Field, Metric, Role};
use crate::attr::{FeedAttrs, Given};
use crate::ctxt::Ctxt;
use crate::name;
use crate::shape::{Bounded, Kind, label, last_word, mentions, no_label, parameters, written};

/// Reports what is wrong with a metric. A field with a mistake is not fed, so that no other message follows from it.
pub fn validate(cx: &Ctxt, metric: &mut Metric) {
    name::check(cx, &metric.name);
    let parameters = parameters(&metric.input.generics);
    for field in &mut metric.fields {
        let mistakes = cx.count();
        field_role(cx, field);
        if field.role == Role::Dimension {
            dimension(cx, field, &parameters);
        }
        if field.broken || cx.count() > mistakes {
            field.unusable |= field.role == Role::Flatten && field.shape.kind != Kind::Unknown;
            field.feeds.clear();
            field.broken = true;
        }
    }
    distinct_names(cx, metric);
}

fn distinct_names(cx: &Ctxt, metric: &Metric) {
    let mut names: HashMap<String, &Field> = HashMap::new();
    for field in metric.fields.iter().filter(|field| field.role == Role::Dimension) {
        let name = field.name.value();
        if let Some(first) = names.get(&name) {
            cx.error(
                &field.name,
                format!("two dimensions are named `{name}`: give one of them another `name`"),
            );
            cx.error(&first.name, format!("`{name}` is first used here"));
        } else {
            names.insert(name, field);
        }
    }
}

/// `skip`, `flatten` and `manual` go with few other options.
fn field_role(cx: &Ctxt, field: &Field) {
    let attrs = &field.attrs;
    let (word, fitting): (&Ident, &[&str]) = if let Some(skip) = &attrs.skip {
        (&skip.word, &["skip"])
    } else if let Some(flatten) = &attrs.flatten {
        (&flatten.word, &["flatten"])
    } else if let Some(manual) = &attrs.manual {
        (&manual.word, &["manual", "unit", "buckets", "merge"])
    } else {
        return;
    };
    let mut words = attrs.words();
    words.extend(field.feeds.iter().flat_map(|feed| feed.attrs.words()));
    for other in words {
        if !fitting.iter().any(|fitting| other == fitting) {
            cx.error(other, format!("`{word}` and `{other}` cannot be combined"));
        }
    }
    if let (Some(_), true) = (&attrs.flatten, !matches!(field.shape.kind, Kind::Unknown)) {
        cx.error(
            field.ty,
            format!(
                "`flatten` applies to a struct with `#[derive(Metric)]` only, and `{}` is none",
                written(field.ty)
            ),
        );
    }
    if let Some(Given { value: Some(prefix), .. }) = &attrs.flatten {
        name::check(cx, prefix);
    }
    let on = if attrs.flatten.is_some() { None } else { attrs.on.first() };
    if let Some(on) = on {
        cx.error(&on.event, format!("`{word}` and `on` cannot be combined"));
    }
    if let (Some(name), false) = (&attrs.name, field.role == Role::Dimension) {
        cx.error(&name.word, format!("`{word}` and `name` cannot be combined"));
    }
}

fn dimension(cx: &Ctxt, field: &mut Field, parameters: &[String]) {
    if field.shape.kind == Kind::Foreign {
        return cx.error(
            field.ty,
            format!(
                "`{}` is not a metric dimension: use `Counter`, `Sum<T>`, .. or `#[dimension(skip)]`",
                written(field.ty)
            ),
        );
    }
    name::check(cx, &field.name);
    if field.broken {
        return;
    }
    field_options(cx, field);
    generic_buckets(cx, field, parameters);
    if !measure(cx, field) || !label_type(cx, field) {
        field.unusable = true;
        return;
    }
    for feed in &field.feeds {
        let mistakes = cx.count();
        combinations(cx, &feed.attrs);
        label_source(cx, field, feed);
        if cx.count() == mistakes {
            fitting(cx, field, &feed.attrs);
        }
        if cx.count() > mistakes {
            return;
        }
    }
    if field.each.kind == Kind::InFlight && !field.feeds.is_empty() {
        both_ways(cx, field);
    }
}

/// `T` of `Sum<T>` and the like.
fn measure(cx: &Ctxt, field: &Field) -> bool {
    let Some(ty) = field.each.measure() else { return true };
    let word = last_word(ty);
    let mistakes = cx.count();
    if field.each.kind == Kind::Gauge
        && matches!(word.as_str(), "u8" | "u16" | "u32" | "u64" | "u128" | "usize")
    {
        cx.error(ty, "a gauge is never unsigned: use `Gauge<i64>`, `Gauge<f64>` or `Gauge<Duration>`");
    } else if let Some(instead) = other_measure(&word) {
        cx.error(ty, format!("`{}` is not a measure: {instead}", written(ty)));
    }
    cx.count() == mistakes
}

/// `L` of `Breakdown<L, D>`.
fn label_type(cx: &Ctxt, field: &Field) -> bool {
    let Some(ty) = field.shape.arguments.first().filter(|_| field.shape.kind == Kind::Breakdown) else {
        return true;
    };
    if no_label(ty) {
        cx.error(
            ty,
            format!(
                "`{}` is not a label: use an enum with `#[derive(Label)]`, a string or an integer",
                written(ty)
            ),
        );
        return false;
    }
    let by = field.feeds.iter().any(|feed| feed.attrs.by.is_some());
    if by && field.attrs.limit.is_none() && label(ty) == Some(Bounded::No) {
        cx.error(
            ty,
            format!(
                "labels of type `{}` are unbounded: add `limit = <N>`, or use an enum with `#[derive(Label)]`",
                written(ty)
            ),
        );
    }
    true
}

/// Bounds are constants, and a constant cannot depend on a type parameter.
fn generic_buckets(cx: &Ctxt, field: &mut Field, parameters: &[String]) {
    if field.each.kind == Kind::Histogram && field.each.measure().is_some_and(|ty| mentions(ty, parameters)) {
        cx.error(field.ty, "the buckets of a histogram need a type that is known here: use `Histogram<f64>`");
        field.unusable = true;
    }
}

fn other_measure(word: &str) -> Option<&'static str> {
    match word {
        "u8" | "u16" | "u32" | "u128" | "usize" => Some("use `u64`"),
        "i8" | "i16" | "i32" | "i128" | "isize" => Some("use `i64`"),
        "f32" => Some("use `f64`"),
        "String" | "str" | "bool" | "char" | "Option" | "Vec" | "Instant" | "SystemTime" => {
            Some("use `u64`, `i64`, `f64` or `Duration`")
        }
        _ => None,
    }
}

fn field_options(cx: &Ctxt, field: &Field) {
    let attrs = &field.attrs;
    let kind = field.each.kind;
    let by = field.feeds.iter().any(|feed| feed.attrs.by.is_some());
    if let Some(limit) = &attrs.limit {
        let breakdown = matches!(field.shape.kind, Kind::Breakdown | Kind::Unknown);
        if !breakdown || (!by && !field.feeds.is_empty()) {
            cx.error(&limit.word, "`limit` needs `by`");
        } else if matches!(number(&limit.value), Some(limit) if limit < 1.0) {
            cx.error(&limit.value, "`limit` must be at least 1");
        }
    }
    if let Some(buckets) = &attrs.buckets {
        match kind {
            Kind::Histogram => check_buckets(cx, &buckets.value, field.each.measure()),
            Kind::Unknown => cx.error(
                &buckets.word,
                format!(
                    "`buckets` applies to `Histogram<T>` only: write that type instead of `{}`",
                    written(field.ty)
                ),
            ),
            _ => cx.error(&buckets.word, "`buckets` applies to `Histogram<T>` only"),
        }
    }
    let unit = attrs.unit.as_ref().map(|unit| &unit.value);
    let duration = field.each.measure().is_some_and(|ty| last_word(ty) == "Duration");
    if let Some(unit) = unit
        && name::check(cx, unit)
        && duration
        && unit.value() != "seconds"
    {
        cx.error(unit, "a `Duration` is always shown in seconds: leave `unit` out");
    }
    if kind == Kind::Histogram
        && attrs.buckets.is_none()
        && !duration
        && field.each.measure().is_some_and(|ty| ["u64", "i64", "f64"].contains(&last_word(ty).as_str()))
        && unit.is_none_or(|unit| unit.value() != "bytes")
    {
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
    if let Some(merge) = &attrs.merge {
        if !["sum", "min", "max"].iter().any(|rule| merge.value == rule) {
            cx.error(
                &merge.value,
                format!("unknown merge rule `{}`, expected `sum`, `min` or `max`", merge.value),
            );
        } else if !matches!(kind, Kind::Gauge | Kind::Unknown) {
            cx.error(&merge.word, "`merge` applies to `Gauge<T>` only");
        }
    }
}

/// Options of one feed that exclude each other.
fn combinations(cx: &Ctxt, feed: &FeedAttrs) {
    let value = feed.value.as_ref().map(|given| &given.word);
    let set = feed.set.as_ref().map(|given| &given.word);
    let add = feed.add.as_ref().map(|given| &given.word);
    let sub = feed.sub.as_ref().map(|given| &given.word);
    for (one, other) in [(add, value), (sub, value), (set, value), (set, add), (set, sub)] {
        if let (Some(one), Some(other)) = (one, other) {
            return cx.error(other, format!("`{one}` and `{other}` cannot be combined"));
        }
    }
}

fn label_source(cx: &Ctxt, field: &Field, feed: &Feed) {
    match (&feed.attrs.by, field.shape.kind) {
        (None, Kind::Breakdown) => {
            cx.error(field.ty, format!("`{}` needs a label: add `by = <event field>`", written(field.ty)));
        }
        (Some(by), kind) if !matches!(kind, Kind::Breakdown | Kind::Unknown) => {
            cx.error(&by.word, "`by` applies to `Breakdown<L, D>` only");
        }
        _ => {}
    }
    if field.each.kind == Kind::Breakdown {
        cx.error(field.ty, "a breakdown of breakdowns: use a tuple of labels, `by = (a, b)`");
    }
}

/// Whether the options of one feed suit the type of the dimension.
fn fitting(cx: &Ctxt, field: &Field, feed: &FeedAttrs) {
    let each =
        field.shape.arguments.get(1).filter(|_| field.shape.kind == Kind::Breakdown).unwrap_or(field.ty);
    let misfit = |word: &Ident, takes: &str| {
        cx.error(word, format!("`{word}` does not fit `{}`, which takes {takes}", written(each)));
    };
    let first = |words: [Option<&Ident>; 2]| words.into_iter().flatten().next().cloned();
    let value = feed.value.as_ref().map(|given| &given.word);
    let set = feed.set.as_ref().map(|given| &given.word);
    let add = feed.add.as_ref().map(|given| &given.word);
    let sub = feed.sub.as_ref().map(|given| &given.word);
    match field.each.kind {
        Kind::Counter => {
            if let Some(word) = first([value, set]).or_else(|| sub.cloned()) {
                misfit(&word, "nothing, or `add = ..`");
            }
        }
        Kind::InFlight => match first([value, set]) {
            Some(word) => misfit(&word, "`add` and `sub`"),
            None if add.is_none() && sub.is_none() => {
                cx.error(each, "`InFlight` needs `add` or `sub` for each event: write `on(Event, add)`");
            }
            None => {}
        },
        Kind::Gauge => match first([add, sub]) {
            Some(word) => misfit(&word, "`set` or `value`"),
            None if value.is_none() && set.is_none() => {
                cx.error(each, format!("`{}` needs a value: add `set = <event field>`", written(each)));
            }
            None => {}
        },
        Kind::Sum | Kind::Min | Kind::Max | Kind::Mean | Kind::Histogram => {
            match first([add, sub]).or_else(|| set.cloned()) {
                Some(word) => misfit(&word, "`value`"),
                None if value.is_none() => {
                    cx.error(each, format!("`{}` needs a value: add `value = <event field>`", written(each)));
                }
                None => {}
            }
        }
        Kind::Breakdown | Kind::Foreign | Kind::Unknown => {}
    }
}

fn both_ways(cx: &Ctxt, field: &Field) {
    let add = field.feeds.iter().any(|feed| feed.attrs.add.is_some());
    let sub = field.feeds.iter().any(|feed| feed.attrs.sub.is_some());
    let missing = match (add, sub) {
        (true, false) => "sub",
        (false, true) => "add",
        _ => return,
    };
    cx.error(
        field.ty,
        format!("`InFlight` needs `add` and `sub`: `{missing}` is missing, write `on(Event, {missing})`"),
    );
}

/// Bounds that are written as numbers; others are checked when constants are evaluated.
fn check_buckets(cx: &Ctxt, buckets: &Expr, measure: Option<&Type>) {
    let bounds = match buckets {
        Expr::Array(array) => &array.elems,
        Expr::Path(_) | Expr::Group(_) => return,
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
