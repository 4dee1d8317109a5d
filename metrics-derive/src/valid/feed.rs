use syn::Ident;

use crate::ast::{Feed, Field};
use crate::attr::FeedAttrs;
use crate::ctxt::Ctxt;
use crate::shape::{Kind, written};

/// Reports what is wrong with the ways a field is fed, one mistake for each field.
pub fn check(cx: &Ctxt, field: &Field) {
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
            let ty = written(field.ty);
            cx.error(&by.word, format!("`by` applies to `Breakdown<L, D>` only: write `Breakdown<L, {ty}>`"));
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
            if let Some(word) = first([value, set]) {
                misfit(&word, "nothing, or `add = ..`; values are added up by `Sum<T>`");
            } else if let Some(word) = sub {
                misfit(word, "nothing, or `add = ..`; what begins and ends is counted by `InFlight`");
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
            Some(word) => misfit(&word, "`set` or `value`; what begins and ends is counted by `InFlight`"),
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
