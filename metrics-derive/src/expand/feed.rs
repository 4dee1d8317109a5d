use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Type, parse_quote};

use super::metric::{Context, buckets_name, has_buckets, is_histogram};
use super::source;
use crate::ast::{Event, Feed, Field, Role};
use crate::attr::{FeedAttrs, Given, Source};
use crate::shape::Kind;
use crate::span::{at, moved};

/// `impl HandleEvent<Event>`: what one event does to the metric.
pub fn handle_event(cx: &Context, index: usize, event: &Event) -> TokenStream {
    let private = &cx.private;
    let ty = &event.ty;
    let implement = cx.implement(quote_at!(private, at(ty.span()) => #private::HandleEvent<#ty>));
    let when = event.when.as_ref().map(|when| {
        let condition = source::condition(private, &when.value);
        quote!(if !#condition { return false; })
    });
    let with = event.with.as_ref().map(|with| with_handler(cx, with));
    let fields = cx.metric.fields.iter();
    let feeds = fields.flat_map(|field| field.feeds.iter().map(move |feed| (field, feed)));
    let feeds: Vec<_> = feeds
        .filter(|(_, feed)| feed.event == index)
        .map(|(field, feed)| feed_field(private, field, feed, ty))
        .collect();
    let body = if with.is_none() && feeds.is_empty() {
        quote!(#when false)
    } else {
        quote! {
            #when
            let mut __accepted = false;
            #with
            #(#feeds)*
            __accepted
        }
    };
    quote! {
        #implement {
            #[inline]
            fn handle(&mut self, __event: &#ty) -> #private::primitive::bool {
                #body
            }
        }
    }
}

/// The call of a handler of the user's own, which finds the buckets of histograms in place.
fn with_handler(cx: &Context, with: &Given<syn::Path>) -> TokenStream {
    let private = &cx.private;
    let fields = cx.metric.fields.iter();
    let prepare = fields.filter(|field| is_histogram(field)).map(|field| {
        let (ident, buckets) = (field.ident, buckets_name(field));
        quote!(#private::Bucketed::within(&mut self.#ident, #buckets);)
    });
    let path = &with.value;
    let call = quote_at!(private, at(path.span()) => #private::handle_with(self, __event, #path));
    quote!(#(#prepare)* __accepted |= #call;)
}

fn feed_field(private: &TokenStream, field: &Field, feed: &Feed, event: &Type) -> TokenStream {
    let ident = field.ident;
    if field.role == Role::Flatten {
        let span = at(field.ty.span());
        return quote_at!(private, span =>
            __accepted |= #private::HandleEvent::<#event>::handle(&mut self.#ident, __event);
        );
    }
    let accepted = match &feed.attrs.by {
        None => steps(private, field, &feed.attrs, &quote!(&mut self.#ident)),
        Some(by) => {
            let label = source::label(private, &by.value);
            let steps = steps(private, field, &feed.attrs, &quote!(__each));
            let limit = limit(private, field, by);
            let span = at(by.value.span());
            quote_at!(private, span =>
                #private::ByLabel::update_within(&mut self.#ident, #label, #limit, |__each| #steps)
            )
        }
    };
    let when = feed.attrs.when.as_ref().map(|when| source::condition(private, &when.value));
    when.map_or_else(
        || quote!(__accepted |= #accepted;),
        |condition| quote!(if #condition { __accepted |= #accepted; }),
    )
}

/// The calls that change a dimension; the expression is true when one of them accepted the event.
fn steps(private: &TokenStream, field: &Field, feed: &FeedAttrs, target: &TokenStream) -> TokenStream {
    let target = if has_buckets(field) {
        let (buckets, span) = (buckets_name(field), at(field.ty.span()));
        quote_at!(private, span => &mut #private::Bucketed::within(#target, #buckets))
    } else {
        target.clone()
    };
    let constant = constant(private, field);
    let step = |word: &Ident, method: TokenStream, value: Option<&Source>| {
        let span = at(value.map_or(word.span(), Spanned::span));
        let value =
            value.map_or_else(|| quote!(1u64), |value| source::value(private, value, constant.as_ref()));
        let (method, target) = (moved(&method, span), moved(&target, span));
        quote_at!(private, span => #private::#method(#target, #value))
    };
    let steps: Vec<_> = [
        feed.value.as_ref().map(|given| step(&given.word, quote!(Record::record), Some(&given.value))),
        feed.add.as_ref().map(|given| step(&given.word, quote!(Add::add), given.value.as_ref())),
        feed.sub.as_ref().map(|given| step(&given.word, quote!(Sub::sub), given.value.as_ref())),
        feed.set.as_ref().map(|given| step(&given.word, quote!(Set::set), Some(&given.value))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if steps.is_empty() {
        let span = at(field.ty.span());
        let target = moved(&target, span);
        return quote_at!(private, span => #private::Count::count(#target));
    }
    quote!(#(#steps)|*)
}

/// The type of a constant such as `add = 1`.
fn constant(private: &TokenStream, field: &Field) -> Option<Type> {
    match field.each.kind {
        Kind::Counter | Kind::InFlight => Some(parse_quote!(#private::primitive::u64)),
        _ => field.each.measure().cloned(),
    }
}

fn limit(private: &TokenStream, field: &Field, by: &Given<Source>) -> TokenStream {
    if let Some(limit) = &field.attrs.limit {
        return limit.value.to_token_stream();
    }
    if field.shape.kind == Kind::Breakdown {
        return quote!(#private::primitive::usize::MAX);
    }
    let ty = field.ty;
    quote_at!(private, at(by.word.span()) => #private::unlimited::<<#ty as #private::HasLabel>::Label>())
}
