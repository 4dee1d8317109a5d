//! `impl HandleEvent`: the changes that events make to fields.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Type};

use super::context::{Context, layout_name, max_buckets_name};
use super::source::{self, Constant};
use crate::ast::Role;
use crate::attr::{FeedOptions, Keyed, Labels, Source};
use crate::resolved::{Event, Feed, Field};
use crate::shape::{Kind, Measure};
use crate::span::{ends, located_at, spread};

/// The most feeds of a handler that is inlined into the loop over a batch.
const MAX_INLINED_FEEDS: usize = 8;

/// `impl HandleEvent<Event>`: the changes that one event makes.
pub fn handle_event(cx: &Context, index: usize, event: &Event) -> TokenStream {
    let private = &cx.private;
    let ty = &event.ty;
    let implement = cx.implement(quote_at!(private, located_at(ty.span()) => #private::HandleEvent<#ty>));
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
    // A call would cost as much as two dimensions: `benches/instructions.txt`.
    let inline = if feeds.len() <= MAX_INLINED_FEEDS { quote!(#[inline(always)]) } else { quote!(#[inline]) };
    quote! {
        #implement {
            #inline
            fn handle(&mut self, __event: &#ty) -> #private::primitive::bool {
                #body
            }
        }
    }
}

/// The call of a handler that the user has written. Histograms have their buckets before it runs.
fn with_handler(cx: &Context, with: &Keyed<syn::Path>) -> TokenStream {
    let private = &cx.private;
    let fields = cx.metric.fields.iter();
    let alone = fields.filter(|field| matches!(field.shape.kind, Kind::Histogram | Kind::Recent));
    let prepare = alone.filter_map(|field| {
        let ident = field.ident;
        with_buckets(private, field, &quote!(&mut self.#ident)).map(|target| quote!(#target.prepare();))
    });
    let call = source::call(&with.value, &quote!(self, __event));
    let handled = quote_at!(private, located_at(with.value.span()) => {
        let __handled: #private::primitive::bool = #call;
        __handled
    });
    quote!(#(#prepare)* __accepted |= #handled;)
}

fn feed_field(private: &TokenStream, field: &Field, feed: &Feed, event: &Type) -> TokenStream {
    let ident = field.ident;
    if field.role == Role::Flatten {
        let span = located_at(field.shape.ty.span());
        return quote_at!(private, span =>
            __accepted |= #private::HandleEvent::<#event>::handle(&mut self.#ident, __event);
        );
    }
    let target = if feed.options.by.is_some() { quote!(__each) } else { quote!(&mut self.#ident) };
    let steps = steps(private, field, &feed.options, &target);
    let accepted = match (&feed.options.by, field.keep()) {
        (None, _) => steps,
        (Some(by), Some(keep)) => {
            let (label, keep) = (source::label(private, &by.value), checked_keep(private, keep));
            quote_at!(private, located_at(by.value.span()) =>
                #private::TopByLabel::update_keeping(&mut self.#ident, #label, #keep, |__each| #steps)
            )
        }
        (Some(by), None) => {
            let (label, limit) = (source::label(private, &by.value), limit(private, field, by));
            quote_at!(private, located_at(by.value.span()) =>
                #private::ByLabel::update_within(&mut self.#ident, #label, #limit, |__each| #steps)
            )
        }
    };
    match &feed.options.when {
        None => quote!(__accepted |= #accepted;),
        Some(when) => {
            let condition = source::condition(private, &when.value);
            quote!(if #condition { __accepted |= #accepted; })
        }
    }
}

/// The calls that change a dimension. The expression is true if one of them accepted the event.
fn steps(private: &TokenStream, field: &Field, feed: &FeedOptions, target: &TokenStream) -> TokenStream {
    let target = with_buckets(private, field, target).map_or_else(
        || target.clone(),
        |target| quote_spanned!(located_at(field.shape.ty.span())=> &mut #target),
    );
    let constant = constant(private, field);
    let by_reference = field.shape.inner().kind == Kind::Distinct;
    let step = |key: &Ident, method: TokenStream, value: Option<&Source>| {
        let (first, last) = value.map_or_else(|| ends(key), ends);
        let value = match value {
            Some(value) if by_reference => source::value_by_reference(private, value),
            Some(value) => source::value(private, value, constant.as_ref()),
            None => quote!(1u64),
        };
        let (method, target) = (spread(&method, first, last), spread(&target, first, last));
        quote_at!(private, first => #private::#method(#target, #value))
    };
    let steps: Vec<_> = [
        feed.value.as_ref().map(|option| step(&option.key, quote!(Record::record), Some(&option.value))),
        feed.add.as_ref().map(|option| step(&option.key, quote!(Add::add), option.value.as_ref())),
        feed.sub.as_ref().map(|option| step(&option.key, quote!(Sub::sub), option.value.as_ref())),
        feed.set.as_ref().map(|option| step(&option.key, quote!(Set::set), Some(&option.value))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if steps.is_empty() {
        let (first, last) = ends(field.shape.ty);
        let (method, target) = (spread(&quote!(Count::count), first, last), spread(&target, first, last));
        return quote_at!(private, first => #private::#method(#target));
    }
    quote!(#(#steps)|*)
}

/// A histogram with the buckets that its field declares, if it declares any.
fn with_buckets(private: &TokenStream, field: &Field, target: &TokenStream) -> Option<TokenStream> {
    let span = located_at(field.shape.ty.span());
    if field.has_buckets() {
        let layout = layout_name(field);
        Some(quote_at!(private, span => #private::Bucketed::within(#target, &#layout)))
    } else if field.has_max_buckets() {
        let max_buckets = max_buckets_name(field);
        Some(quote_at!(private, span => #private::Bucketed::up_to(#target, #max_buckets)))
    } else {
        None
    }
}

/// The type of a constant such as `add = 1`.
fn constant(private: &TokenStream, field: &Field) -> Option<Constant> {
    let inner = field.shape.inner();
    match inner.kind {
        Kind::Counter | Kind::InFlight => {
            Some(Constant { ty: quote!(#private::primitive::u64), is_float: false })
        }
        _ => inner.measured().map(|measured| Constant {
            ty: measured.ty.to_token_stream(),
            is_float: measured.measure == Measure::F64,
        }),
    }
}

/// The number of the option `keep`, as a constant.
pub fn checked_keep(private: &TokenStream, keep: &Expr) -> TokenStream {
    quote_at!(private, located_at(keep.span()) => const { #private::checked_keep(#keep) })
}

fn limit(private: &TokenStream, field: &Field, by: &Keyed<Labels>) -> TokenStream {
    if let Some(limit) = &field.options.limit {
        return limit.value.to_token_stream();
    }
    if field.shape.kind == Kind::Breakdown {
        return quote!(#private::primitive::usize::MAX);
    }
    let ty = field.shape.ty;
    quote_at!(private, located_at(by.key.span()) => #private::unlimited::<<#ty as #private::HasLabel>::Label>())
}
