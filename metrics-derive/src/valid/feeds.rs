//! Checks of the options inside of `on(..)`: how an event updates a field.

use syn::{Expr, ExprUnary, Ident, UnOp};

use super::between;
use super::top::is_weight;
use super::units;
use crate::attr::{FeedOptions, Keyed, Source};
use crate::ctxt::Ctxt;
use crate::resolved::{Feed, Field};
use crate::shape::{Cardinality, Kind, cardinality};
use crate::source_text::to_source;

/// Reports mistakes in the feeds of a field, one for each field.
pub fn check(cx: &Ctxt, field: &Field) {
    for feed in &field.feeds {
        let errors = cx.error_count();
        combinations(cx, &feed.options);
        if cx.error_count() == errors {
            between::feed(cx, field, &feed.options);
        }
        if cx.error_count() == errors {
            label_source(cx, field, feed);
        }
        if cx.error_count() == errors && feed.options.begin.is_none() && feed.options.end.is_none() {
            fitting(cx, field, &feed.options);
            units::check_from(cx, field, &feed.options);
        }
        if cx.error_count() > errors {
            return;
        }
    }
    between::check(cx, field);
    if field.shape.inner().kind == Kind::InFlight && !field.feeds.is_empty() {
        both_ways(cx, field);
    }
}

/// Reports options of one feed that exclude each other.
fn combinations(cx: &Ctxt, feed: &FeedOptions) {
    let value = feed.value.as_ref().map(|given| &given.key);
    let set = feed.set.as_ref().map(|given| &given.key);
    let add = feed.add.as_ref().map(|given| &given.key);
    let sub = feed.sub.as_ref().map(|given| &given.key);
    for (one, other) in [(add, value), (sub, value), (set, value), (set, add), (set, sub)] {
        if let (Some(one), Some(other)) = (one, other) {
            return cx.error(other, format!("`{one}` and `{other}` cannot be combined"));
        }
    }
}

fn label_source(cx: &Ctxt, field: &Field, feed: &Feed) {
    match (&feed.options.by, field.shape.kind) {
        (None, Kind::Breakdown | Kind::Top) => {
            let label = field.shape.arguments.first().map(|label| cardinality(label.ty));
            let number = match field.shape.kind {
                Kind::Top if field.options.keep.is_none() => ", keep = <N>",
                Kind::Breakdown
                    if field.options.limit.is_none() && label == Some(Some(Cardinality::Unbounded)) =>
                {
                    ", limit = <N>"
                }
                _ => "",
            };
            let ty = to_source(field.shape.ty);
            cx.error(field.shape.ty, format!("`{ty}` needs a label: add `by = <event field>{number}`"));
        }
        (Some(by), kind) if !matches!(kind, Kind::Breakdown | Kind::Top | Kind::Unknown) => {
            let ty = to_source(field.shape.ty);
            let is_top = field.options.keep.is_some() && is_weight(&field.shape);
            let of = if is_top { "Top" } else { "Breakdown" };
            let message = match by.value.parts.as_slice() {
                [label] if kind == Kind::Distinct && feed.options.value.is_none() => {
                    let source = to_source(&label.source);
                    format!("`Distinct` has no labels: write `value = {source}`, or the type `{of}<L, {ty}>`")
                }
                _ => format!("`{ty}` has no labels: write `{of}<L, {ty}>`"),
            };
            cx.error(&by.key, message);
        }
        _ => {}
    }
}

/// Reports options of one feed that do not fit the type of the dimension.
fn fitting(cx: &Ctxt, field: &Field, feed: &FeedOptions) {
    let inner = field.shape.inner().ty;
    let misfit = |key: &Ident, takes: &str| {
        cx.error(key, format!("`{key}` does not fit `{}`, which takes {takes}", to_source(inner)));
    };
    let first = |words: [Option<&Ident>; 2]| words.into_iter().flatten().next().cloned();
    let value = feed.value.as_ref().map(|given| &given.key);
    let set = feed.set.as_ref().map(|given| &given.key);
    let add = feed.add.as_ref().map(|given| &given.key);
    let sub = feed.sub.as_ref().map(|given| &given.key);
    match field.shape.inner().kind {
        Kind::Counter => {
            if let Some(key) = first([value, set]) {
                misfit(&key, "nothing, or `add = ..`; use `Sum<T>` to add up values");
            } else if let Some(key) = sub {
                misfit(key, "nothing, or `add = ..`; use `InFlight` to count what begins and ends");
            } else if let Some(amount) = feed.add.as_ref().and_then(negative) {
                cx.error(
                    amount,
                    "a `Counter` only grows: use `InFlight` to count what begins and ends, `Gauge<i64>` for a state",
                );
            }
        }
        Kind::InFlight => {
            match first([value, set]) {
                Some(key) => misfit(&key, "`add` and `sub`"),
                None if cancels_out(feed) => {
                    let key = feed.sub.as_ref().map(|given| &given.key);
                    let message =
                        "`add` and `sub` of one event cancel out: write `on(Started, add), on(Ended, sub)`";
                    cx.error(key, message);
                }
                None if add.is_none() && sub.is_none() => {
                    cx.error(inner, "`InFlight` needs `add` or `sub` for each event: write `on(Event, add), on(Event, sub)`");
                }
                None => {}
            }
        }
        Kind::Gauge => match first([add, sub]) {
            Some(key) => misfit(&key, "`set` or `value`; use `InFlight` to count what begins and ends"),
            None if value.is_none() && set.is_none() => {
                cx.error(inner, format!("`{}` needs a value: add `set = <event field>`", to_source(inner)));
            }
            None => {}
        },
        Kind::Sum | Kind::Min | Kind::Max | Kind::Mean | Kind::Histogram | Kind::Distinct => {
            match first([add, sub]).or_else(|| set.cloned()) {
                Some(key) => misfit(&key, "`value`"),
                None if value.is_none() => {
                    cx.error(
                        inner,
                        format!("`{}` needs a value: add `value = <event field>`", to_source(inner)),
                    );
                }
                None => {}
            }
        }
        Kind::Breakdown | Kind::Top | Kind::Recent | Kind::NotADimension | Kind::Unknown => {}
    }
}

/// An amount such as `-1`.
fn negative(given: &Keyed<Option<Source>>) -> Option<&Expr> {
    let Some(Source::Constant(amount)) = &given.value else { return None };
    matches!(amount, Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) if matches!(**expr, Expr::Lit(_)))
        .then_some(amount)
}

/// Whether an event adds and subtracts the same amount.
fn cancels_out(feed: &FeedOptions) -> bool {
    let (Some(add), Some(sub)) = (&feed.add, &feed.sub) else { return false };
    add.value.as_ref().map(to_source) == sub.value.as_ref().map(to_source)
}

/// Reports a field that only goes up or only goes down.
fn both_ways(cx: &Ctxt, field: &Field) {
    let add = field.feeds.iter().any(|feed| feed.options.add.is_some());
    let sub = field.feeds.iter().any(|feed| feed.options.sub.is_some());
    let (given, missing) = match (add, sub) {
        (true, false) => ("add", "sub"),
        (false, true) => ("sub", "add"),
        _ => return,
    };
    let bare = field.feeds.iter().find_map(|feed| {
        let amount = feed.options.add.as_ref().or(feed.options.sub.as_ref())?;
        Some((feed.bare_of.as_ref()?, amount))
    });
    if let Some((event, amount)) = bare {
        let given = match &amount.value {
            Some(source) => format!("{given} = {}", to_source(source)),
            None => given.to_owned(),
        };
        let message =
            format!("`InFlight` also needs `{missing}`: write `on({event}, {given}), on(Event, {missing})`");
        return cx.error(&amount.key, message);
    }
    cx.error(
        field.shape.ty,
        format!("`InFlight` needs `add` and `sub`: `{missing}` is missing, write `on(Event, {missing})`"),
    );
}
