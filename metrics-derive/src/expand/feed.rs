//! `impl HandleEvent`: the changes that events make to fields.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Type, parse_quote};

use super::between;
use super::constants;
use super::context::{Context, layout_name, max_buckets_name};
use super::per_label::PerLabel;
use super::source::{self, Constant};
use super::units;
use super::variant;
use crate::ast::Role;
use crate::attr::{FeedOptions, Keyed, Labels, Source};
use crate::resolved::{Event, Feed, Field};
use crate::shape::{Kind, Measure};
use crate::span::{ends, located_at, spread};

/// The most feeds of a handler that is inlined into the loop over a batch.
const MAX_INLINED_FEEDS: usize = 8;

/// `impl HandleEvent<Event>`: the changes that the events of one type make. `listed` are the positions of the type, and of its
/// variants, in [`Metric::events`](crate::resolved::Metric::events).
pub fn handle_event(cx: &Context, index: usize, ty: &Type, listed: &[usize]) -> TokenStream {
    let private = &cx.private;
    let implement = cx.implement(quote_at!(private, located_at(ty.span()) => #private::HandleEvent<#ty>));
    let changes: Vec<_> = listed.iter().map(|position| Changes::of(cx, *position)).collect();
    let count: usize = changes.iter().map(|changes| changes.feeds.len()).sum();
    let (enumeration, matched) = variants(cx, index, ty, &changes);
    let whole = changes.iter().find(|changes| changes.event.variant.is_none());
    let (when, with) = whole.map_or((&None, &None), |changes| (&changes.when, &changes.with));
    let feeds = whole.map_or(&[][..], |changes| &changes.feeds);
    let body = if with.is_none() && matched.is_none() && feeds.is_empty() {
        quote!(#when false)
    } else {
        quote! {
            #when
            let mut __accepted = false;
            #with
            #matched
            #(#feeds)*
            __accepted
        }
    };
    // A call would cost as much as two dimensions: `benches/instructions.txt`.
    let inline = if count <= MAX_INLINED_FEEDS { quote!(#[inline(always)]) } else { quote!(#[inline]) };
    quote! {
        #enumeration

        #implement {
            #inline
            fn handle(&mut self, __e: &#ty) -> #private::primitive::bool {
                #body
            }
        }
    }
}

/// The changes that one listed event makes: a type, or one variant of it.
struct Changes<'a> {
    event: &'a Event,
    sources: Vec<&'a Source>,
    when: Option<TokenStream>,
    with: Option<TokenStream>,
    feeds: Vec<TokenStream>,
}

impl<'a> Changes<'a> {
    fn of(cx: &Context<'a>, position: usize) -> Self {
        let private = &cx.private;
        let event = &cx.metric.events[position];
        let when = event.when.as_ref().map(|when| {
            let condition = source::condition(private, &when.value);
            quote!(if !#condition { return false; })
        });
        let with = event.with.as_ref().map(|with| with_handler(cx, with));
        let fields = cx.metric.fields.iter();
        let feeds = fields.flat_map(|field| field.feeds.iter().map(move |feed| (field, feed)));
        let (sources, feeds): (Vec<_>, Vec<_>) = feeds
            .filter(|(_, feed)| feed.event == position)
            .map(|(field, feed)| {
                let step = between::step(cx, field, feed).map(|accepted| fed(private, feed, &accepted));
                let change = step.unwrap_or_else(|| feed_field(cx, field, feed, &event.ty));
                (feed.options.sources(), change)
            })
            .unzip();
        let condition = event.when.iter().map(|when| &when.value);
        let sources = sources.into_iter().flatten().chain(condition).collect();
        Self { event, sources, when, with, feeds }
    }
}

/// The `match` with one arm for each listed variant, and the item that it needs.
fn variants(
    cx: &Context,
    index: usize,
    ty: &Type,
    changes: &[Changes],
) -> (Option<TokenStream>, Option<TokenStream>) {
    let arms = changes.iter().filter_map(|Changes { event, sources, when, with, feeds }| {
        Some((event.variant.as_ref()?, sources, quote!(#when #with #(#feeds)*)))
    });
    let mut arms = arms.peekable();
    if arms.peek().is_none() {
        return (None, None);
    }
    let (name, alias) = variant::name_in_patterns(cx, index, ty);
    let arms = arms.map(|(variant, sources, changes)| {
        let pattern = variant::pattern(&name, variant, sources);
        quote!(#pattern => { #changes })
    });
    (alias, Some(quote!(match __e { #(#arms)* _ => {} })))
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
    let arguments = quote!(self, __e);
    let (function, call) = match with.value.get_ident() {
        // In a call of an unknown word, rustc would advise to write `self.` in front of it.
        Some(word) => {
            let function = quote_spanned!(located_at(word.span())=> __handler);
            let call = source::call(&parse_quote!(#function), &arguments);
            (Some(quote!(let __handler = #word;)), call)
        }
        None => (None, source::call(&with.value, &arguments)),
    };
    let handled = quote_at!(private, located_at(with.value.span()) => {
        #function
        let __handled: #private::primitive::bool = #call;
        __handled
    });
    quote!(#(#prepare)* __accepted |= #handled;)
}

fn feed_field(cx: &Context, field: &Field, feed: &Feed, event: &Type) -> TokenStream {
    let private = &cx.private;
    let ident = field.ident;
    if field.role == Role::Flatten {
        let span = located_at(field.shape.ty.span());
        return quote_at!(private, span =>
            __accepted |= #private::HandleEvent::<#event>::handle(&mut self.#ident, __e);
        );
    }
    let target = if feed.options.by.is_some() { quote!(__each) } else { quote!(&mut self.#ident) };
    let steps = steps(private, field, &feed.options, &target, event);
    let place = |by: &Keyed<Labels>| {
        located_at(if field.inherits_labels { field.shape.ty.span() } else { by.value.span() })
    };
    let accepted = match (&feed.options.by, field.keep()) {
        (None, _) => steps,
        (Some(by), Some(keep)) => {
            let (label, keep) = (source::label(private, &by.value), checked_keep(private, keep));
            quote_at!(private, place(by) =>
                #private::TopByLabel::update_keeping(&mut self.#ident, #label, #keep, |__each| #steps)
            )
        }
        (Some(by), None) => {
            let (label, limit) = (source::label(private, &by.value), limit(cx, field, by));
            quote_at!(private, place(by) =>
                #private::ByLabel::update_within(&mut self.#ident, #label, #limit, |__each| #steps)
            )
        }
    };
    fed(private, feed, &accepted)
}

/// The statement that feeds a dimension if the condition of the feed holds.
fn fed(private: &TokenStream, feed: &Feed, accepted: &TokenStream) -> TokenStream {
    match &feed.options.when {
        None => quote!(__accepted |= #accepted;),
        Some(when) => {
            let condition = source::condition(private, &when.value);
            quote!(if #condition { __accepted |= #accepted; })
        }
    }
}

/// The calls that change a dimension. The expression is true if one of them accepted the event.
fn steps(
    private: &TokenStream,
    field: &Field,
    feed: &FeedOptions,
    target: &TokenStream,
    event: &Type,
) -> TokenStream {
    if let Some(per_label) = PerLabel::of(private, field) {
        return per_label.feed(event, target);
    }
    let target = declared(private, field, target);
    let constant = constant(private, field).filter(|_| feed.from.is_none());
    let by_reference = field.shape.inner().kind == Kind::Distinct;
    let step = |key: &Ident, method: TokenStream, value: Option<&Source>| {
        let (first, last) = value.map_or_else(|| ends(key), ends);
        let value = match value {
            Some(value) if by_reference => source::value_by_reference(private, value),
            Some(value) => {
                let taken = source::value(private, value, constant.as_ref());
                units::from_unit(private, feed, &taken, first).unwrap_or(taken)
            }
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

/// The dimension, with the buckets that its field declares, if it declares any.
pub fn declared(private: &TokenStream, field: &Field, target: &TokenStream) -> TokenStream {
    with_buckets(private, field, target).map_or_else(
        || target.clone(),
        |target| quote_spanned!(located_at(field.shape.ty.span())=> &mut #target),
    )
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

fn limit(cx: &Context, field: &Field, by: &Keyed<Labels>) -> TokenStream {
    let private = &cx.private;
    if let Some(limit) = constants::limit(cx, field) {
        return limit;
    }
    if field.shape.kind == Kind::Breakdown {
        return quote!(#private::primitive::usize::MAX);
    }
    let ty = field.shape.ty;
    quote_at!(private, located_at(by.key.span()) => #private::unlimited::<<#ty as #private::HasLabel>::Label>())
}
