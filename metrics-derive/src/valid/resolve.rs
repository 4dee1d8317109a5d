//! Which event feeds which field: options outside of `on(..)` go to the one event that they can mean.

use syn::ext::IdentExt;
use syn::{Ident, Type};

use super::{events as event_types, variants};
use crate::ast::Role;
use crate::attr::{FeedOptions, FieldOn, Keyed, MetricOn, OptionSet, Source};
use crate::ctxt::Ctxt;
use crate::resolved::{Event, Feed};
use crate::source_text::to_source;

/// The events that the struct lists.
pub fn container_events(cx: &Ctxt, on: Vec<MetricOn>, parameters: &[String]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for MetricOn { event, options } in on {
        if !event_types::check(cx, &event) {
            continue;
        }
        let event = variants::event(cx, event, parameters);
        if let Some(first) = position(&events, &event) {
            cx.error(&event.listed, format!("duplicate event `{}`", to_source(&event.listed)));
            cx.error(&events[first].listed, "first listed here");
        } else {
            let mut event = Event { with: options.with, container_level: true, ..event };
            event.set_when(options.when);
            events.push(event);
        }
    }
    variants::report_overlap(cx, &events.iter().map(|event| (event, false)).collect::<Vec<_>>());
    events
}

/// Gives the condition of the whole metric to the only event that the metric listens to.
pub fn container_when(cx: &Ctxt, when: Keyed<Source>, events: &mut [Event]) {
    let container_level = events.iter().any(|event| event.container_level);
    let mut listed: Vec<_> =
        events.iter_mut().filter(|event| event.container_level == container_level).collect();
    match listed.as_mut_slice() {
        [only] if only.when.is_some() => cx.error(&when.key, "duplicate `when`"),
        [only] => only.set_when(Some(when)),
        [] => cx.error(&when.key, "no event for `when`: add `on(Event)`"),
        several => ambiguous(cx, &when.key, "metric", true, several.iter().map(|event| &event.listed)),
    }
}

/// The feeds of a field with `on(..)`. New events join the events of the metric.
pub fn own_feeds(
    cx: &Ctxt,
    events: &mut Vec<Event>,
    mut on: Vec<FieldOn>,
    bare: FeedOptions,
    parameters: &[String],
) -> Vec<Feed> {
    match (on.as_mut_slice(), bare.keys().first()) {
        ([only], _) => only.options.merge(cx, bare),
        (several, Some(key)) => ambiguous(cx, key, "field", true, several.iter().map(|on| &on.event)),
        (_, None) => {}
    }
    on.retain(|on| event_types::check(cx, &on.event));
    report_twice(cx, &on);
    let feeds = on.into_iter().map(|FieldOn { event, options, .. }| {
        let event = variants::event(cx, event, parameters);
        let event = position(events, &event).unwrap_or_else(|| {
            events.push(event);
            events.len() - 1
        });
        feed(events, event, options)
    });
    let feeds: Vec<_> = feeds.collect();
    let conditional = |feed: &Feed| feed.options.when.is_some();
    let listed = feeds.iter().map(|feed| (&events[feed.event], conditional(feed)));
    variants::report_overlap(cx, &listed.collect::<Vec<_>>());
    feeds
}

/// Reports an event that updates a field twice. With a condition in each `on(..)`, at most one of them may hold.
fn report_twice(cx: &Ctxt, on: &[FieldOn]) {
    for (index, second) in on.iter().enumerate() {
        let event = to_source(&second.event);
        let same = on[..index].iter().find(|first| to_source(&first.event) == event);
        if same.is_some_and(|first| first.options.when.is_none() || second.options.when.is_none()) {
            let message = format!(
                "this field listens to `{event}` twice: remove this `on(..)`, or write a `when` in each of them"
            );
            cx.error(&second.event, message);
        }
    }
}

/// The feed of one event. In that of a variant, names of fields mean those of the variant.
fn feed(events: &[Event], event: usize, mut options: FeedOptions) -> Feed {
    if events[event].variant.is_some() {
        variants::bind(&mut options);
    }
    Feed { event, options, bare_of: None }
}

/// The feeds of a field without `on(..)`: each event that the struct lists feeds it.
pub fn container_feeds(
    cx: &Ctxt,
    events: &mut Vec<Event>,
    ident: &Ident,
    role: Role,
    bare: FeedOptions,
) -> Vec<Feed> {
    let feeds = |event: &Event| event.container_level && (event.with.is_none() || role == Role::Flatten);
    let listed: Vec<_> = (0..events.len()).filter(|index| feeds(&events[*index])).collect();
    match (listed.as_slice(), bare.keys().first()) {
        ([], _) => {
            let field = ident.unraw();
            let mut message = format!("no event for `{field}`: add `on(Event)` here or on the struct");
            if events.iter().any(|event| event.with.is_some()) {
                message.push_str(", or `manual` if a `with` handler sets it");
            }
            cx.error(ident, message);
        }
        ([event], option) if role != Role::Flatten || option.is_some() => {
            let bare_of = Some(to_source(&events[*event].listed));
            return vec![Feed { bare_of, ..feed(events, *event, bare) }];
        }
        (several, Some(key)) => {
            ambiguous(cx, key, "metric", false, several.iter().map(|index| &events[*index].listed));
        }
        (_, None) => {}
    }
    let mut fed_by: Vec<usize> = Vec::new();
    for event in listed {
        let event = if role == Role::Flatten { whole_enum(events, event) } else { event };
        if !fed_by.contains(&event) {
            fed_by.push(event);
        }
    }
    fed_by.into_iter().map(|event| Feed { event, options: FeedOptions::default(), bare_of: None }).collect()
}

/// The enum of a listed variant. A flattened metric gets all events of it and chooses among them: else a variant that only the
/// flattened metric lists would count nothing, in silence.
fn whole_enum(events: &mut Vec<Event>, event: usize) -> usize {
    if events[event].variant.is_none() {
        return event;
    }
    let ty = events[event].ty.clone();
    let whole =
        Event { listed: ty.clone(), ty, variant: None, with: None, when: None, container_level: false };
    position(events, &whole).unwrap_or_else(|| {
        events.push(whole);
        events.len() - 1
    })
}

fn position(events: &[Event], event: &Event) -> Option<usize> {
    events.iter().position(|other| variants::are_equal(other, event))
}

/// Reports an option of several events. Some of them may be `listed_here`, beside the option.
fn ambiguous<'e>(
    cx: &Ctxt,
    key: &Ident,
    listener: &str,
    listed_here: bool,
    events: impl Iterator<Item = &'e Type>,
) {
    let events: Vec<_> = events.map(to_source).collect();
    let (first, events) = (events.first().cloned().unwrap_or_default(), events.join("` and `"));
    let in_place = if listed_here { format!(" in place of `on({first})`") } else { String::new() };
    cx.error(
        key,
        format!(
            "`{key}` is ambiguous: this {listener} listens to `{events}`; write `on({first}, {key} = ..)`{in_place}"
        ),
    );
}
