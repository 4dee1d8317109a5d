mod arguments;
mod buckets;
mod feed;
mod labels;

use std::collections::HashMap;

use syn::{Expr, ExprLit, Ident, Lit, Path};

use crate::ast::{Field, Metric, Role};
use crate::attr::Given;
use crate::ctxt::Ctxt;
use crate::name;
use crate::shape::{Kind, last_word, mentions, parameters, written};

/// Reports what is wrong with a metric. A field with a mistake is not fed, so that no other message follows from it.
pub fn validate(cx: &Ctxt, metric: &mut Metric) {
    name::check(cx, &metric.name);
    let parameters = parameters(&metric.input.generics);
    for field in &mut metric.fields {
        let mistakes = cx.count();
        field_role(cx, field);
        if field.role == Role::Dimension {
            dimension(cx, field, &parameters, &metric.root);
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

fn dimension(cx: &Ctxt, field: &mut Field, parameters: &[String], root: &Path) {
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
    if !arguments::check(cx, field, root) {
        field.unusable = true;
        return;
    }
    if field.broken {
        return;
    }
    limit(cx, field);
    buckets::check(cx, field);
    unit(cx, field);
    merge(cx, field);
    generic_buckets(cx, field, parameters);
    if !measure(cx, field) || !labels::check(cx, field) {
        field.unusable = true;
        return;
    }
    feed::check(cx, field);
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

fn limit(cx: &Ctxt, field: &Field) {
    let Some(limit) = &field.attrs.limit else { return };
    let by = field.feeds.iter().any(|feed| feed.attrs.by.is_some());
    let breakdown = matches!(field.shape.kind, Kind::Breakdown | Kind::Unknown);
    if !breakdown || (!by && !field.feeds.is_empty()) {
        cx.error(&limit.word, "`limit` needs `by`");
    } else if matches!(buckets::number(&limit.value), Some(limit) if limit < 1.0) {
        cx.error(&limit.value, "`limit` must be at least 1");
    } else if matches!(&limit.value, Expr::Lit(ExprLit { lit, .. }) if !matches!(lit, Lit::Int(_))) {
        cx.error(&limit.value, "`limit` takes a whole number: write `limit = 100`");
    }
}

fn unit(cx: &Ctxt, field: &Field) {
    if let Some(unit) = &field.attrs.unit
        && name::check(cx, &unit.value)
        && field.each.measure().is_some_and(|ty| last_word(ty) == "Duration")
        && unit.value.value() != "seconds"
    {
        cx.error(&unit.value, "a `Duration` is always shown in seconds: leave `unit` out");
    }
}

fn merge(cx: &Ctxt, field: &Field) {
    let Some(merge) = &field.attrs.merge else { return };
    if !["sum", "min", "max"].iter().any(|rule| merge.value == rule) {
        cx.error(
            &merge.value,
            format!("unknown merge rule `{}`, expected `sum`, `min` or `max`", merge.value),
        );
    } else if !matches!(field.each.kind, Kind::Gauge | Kind::Unknown) {
        cx.error(&merge.word, "`merge` applies to `Gauge<T>` only");
    }
}
