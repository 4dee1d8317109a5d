//! Code for `begin` and `end`: the time between two events.

use std::ptr;

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;

use super::context::Context;
use super::{feed, source, variant};
use crate::attr::Source;
use crate::resolved::{Feed, Field};
use crate::span::{located_at, respan};

/// The expression that begins or ends an id; `None` for a feed without these options.
pub fn step(cx: &Context, field: &Field, feed: &Feed) -> Option<TokenStream> {
    let (private, options) = (&cx.private, &feed.options);
    let at = &options.at.as_ref()?.value;
    let time = source::value(private, at, None);
    let time = quote_at!(private, located_at(at.span()) => #private::EventTime::event_time(#time));
    let id = &options.begin.as_ref().or(options.end.as_ref())?.value;
    let (ident, span) = (field.ident, located_at(id.span()));
    let target = respan(&feed::declared(private, field, &quote!(&mut self.#ident)), span);
    let id = same_id(cx, field, feed, id);
    if options.begin.is_none() {
        return Some(quote_at!(private, span => #private::EventId::end_in(#id, #target, #time)));
    }
    let limit = limit(private, field)?;
    Some(quote_at!(private, span => #private::EventId::begin_in(#id, #target, #time, #limit)))
}

/// The most ids that may be open, as a constant; `None` for a field without `begin`.
pub fn limit(private: &TokenStream, field: &Field) -> Option<TokenStream> {
    let limit = &field.options.limit.as_ref().filter(|_| field.is_between_events())?.value;
    Some(quote_at!(private, located_at(limit.span()) => const { #private::checked_open_limit(#limit) }))
}

/// The id. rustc compares its type with that of the field's first `begin`.
fn same_id(cx: &Context, field: &Field, feed: &Feed, id: &Source) -> TokenStream {
    let private = &cx.private;
    let taken = source::value_by_reference(private, id);
    let first = field.feeds.iter().find_map(|feed| Some((feed, &feed.options.begin.as_ref()?.value)));
    let Some((first, id_of_begin)) = first.filter(|(first, _)| !ptr::eq(*first, feed)) else {
        return taken;
    };
    let event = &cx.metric.events[first.event];
    let ty = &event.ty;
    let mut taken_there = source::value_by_reference(private, id_of_begin);
    if let (Some(name), Source::OfVariant(_)) = (&event.variant, id_of_begin) {
        let index = cx.metric.event_types().iter().position(|(_, listed)| listed.contains(&first.event));
        let (of_enum, _) = variant::name_in_patterns(cx, index.unwrap_or_default(), ty);
        let pattern = variant::pattern(&of_enum, name, &[id_of_begin]);
        taken_there = quote! {
            match __e {
                #pattern => #private::Some(#taken_there),
                _ => #private::None,
            }
        };
    }
    let kind = quote_at!(private, located_at(id_of_begin.span()) => #private::EventId::id_kind(#taken_there));
    quote_at!(private, located_at(id.span()) =>
        #private::EventId::of_kind(#private::id_of_begin::<#ty, _>(|__e| #kind), #taken)
    )
}
