//! Checks of `begin`, `end` and `at`: the time between two events.

use syn::Ident;

use crate::attr::FeedOptions;
use crate::ctxt::Ctxt;
use crate::resolved::Field;
use crate::shape::{Kind, Measure};
use crate::source_text::to_source;

/// Reports options of one feed that do not go together, and a type that takes no times.
pub fn feed(cx: &Ctxt, field: &Field, feed: &FeedOptions) {
    let begin = feed.begin.as_ref().map(|given| &given.key);
    let end = feed.end.as_ref().map(|given| &given.key);
    let Some(key) = begin.or(end) else {
        if let Some(at) = &feed.at {
            let message =
                "`at` belongs to `begin` and `end`: add `begin = <event field>` or `end = <event field>`";
            cx.error(&at.key, message);
        }
        return;
    };
    if let (Some(_), Some(end)) = (begin, end) {
        let message = "`begin` and `end` belong to different events: write `on(Event, begin = ..), on(Other, end = ..)`";
        return cx.error(end, message);
    }
    if let Some(other) = other(feed) {
        let message = if other == "by" {
            format!("`{key}` and `by` cannot be combined: remove `by`, and write `Histogram<Duration>`")
        } else {
            format!(
                "`{key}` and `{other}` cannot be combined: the time between the events is the value, remove `{other}`"
            )
        };
        return cx.error(other, message);
    }
    if !takes_times(field) {
        let ty = to_source(field.shape.ty);
        let message = format!(
            "`{key}` measures the time between two events: write `Histogram<Duration>` in place of `{ty}`"
        );
        return cx.error(field.shape.ty, message);
    }
    if feed.at.is_none() {
        let message = format!("`{key}` needs the time of the event, an `Instant`: add `at = <event field>`");
        cx.error(key, message);
    }
}

/// An option that gives a value or a label.
fn other(feed: &FeedOptions) -> Option<&Ident> {
    let by = feed.by.as_ref().map(|given| &given.key);
    let values = [&feed.value, &feed.set].map(|given| given.as_ref().map(|given| &given.key));
    let amounts = [&feed.add, &feed.sub].map(|given| given.as_ref().map(|given| &given.key));
    [by].into_iter().chain(values).chain(amounts).flatten().next()
}

/// Whether the field is a histogram of durations, as far as its spelling tells.
fn takes_times(field: &Field) -> bool {
    match field.shape.kind {
        Kind::Histogram => matches!(field.shape.measure(), Some(Measure::Duration | Measure::Unknown)),
        Kind::Unknown => true,
        _ => false,
    }
}

/// Reports a field with only one of `begin` and `end`, or without `limit`.
pub fn check(cx: &Ctxt, field: &Field) {
    let options = || field.feeds.iter().map(|feed| &feed.options);
    let begin = options().find_map(|feed| feed.begin.as_ref());
    let end = options().find_map(|feed| feed.end.as_ref());
    let (key, missing) = match (begin, end) {
        (Some(begin), None) => (&begin.key, "end"),
        (None, Some(end)) => (&end.key, "begin"),
        (Some(begin), Some(_)) if field.options.limit.is_none() => {
            let message = "`begin` needs the number of ids that may be open at once: add `limit = <N>`";
            return cx.error(&begin.key, message);
        }
        _ => return,
    };
    let message = format!(
        "`{key}` without `{missing}`: add `on(Event, {missing} = <event field>, at = <event field>)`"
    );
    cx.error(key, message);
}
