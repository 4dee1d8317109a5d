//! Breakdowns of a type that may be a metric. Trait bounds decide, so the code is the same for a metric and for a dimension.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Type, WherePredicate, parse2};

use super::context::Context;
use super::{constants, fields};
use crate::attr::LabelPart;
use crate::generics::{mentions, parameters};
use crate::resolved::{Event, Field, Verdict};
use crate::span::{ends, located_at};

/// Code for the field of a breakdown.
pub struct PerLabel<'a> {
    private: &'a TokenStream,
    field: &'a Field<'a>,
    label: &'a Type,
    inner: &'a Type,
}

impl<'a> PerLabel<'a> {
    /// `None` for every other field.
    pub fn of(private: &'a TokenStream, field: &'a Field<'a>) -> Option<Self> {
        field.per_label().map(|(label, inner)| Self { private, field, label, inner })
    }

    /// A function of the module, with the types of the breakdown.
    fn function(&self, name: &str) -> TokenStream {
        let Self { private, label, inner, .. } = self;
        let name = syn::Ident::new(name, located_at(inner.span()));
        quote_at!(private, located_at(inner.span()) => #private::per_label::#name::<#label, #inner>)
    }

    /// The same for a function with another parameter, which rustc finds out.
    fn generic_function(&self, name: &str) -> TokenStream {
        let Self { private, label, inner, .. } = self;
        let name = syn::Ident::new(name, located_at(inner.span()));
        quote_at!(private, located_at(inner.span()) => #private::per_label::#name::<#label, #inner, _>)
    }

    /// The same for a function that only needs what is kept for each label.
    fn function_of_inner(&self, name: &str) -> TokenStream {
        let Self { private, inner, .. } = self;
        let name = syn::Ident::new(name, located_at(inner.span()));
        quote_at!(private, located_at(inner.span()) => #private::per_label::#name::<#inner>)
    }

    /// The type of the field of the typed snapshot.
    pub fn output(&self) -> TokenStream {
        let Self { private, label, inner, .. } = self;
        quote_at!(private, located_at(inner.span()) => #private::per_label::OutputPerLabel<#label, #inner>)
    }

    /// The change that an event makes to the value of a label.
    pub fn feed(&self, event: &Type, target: &TokenStream) -> TokenStream {
        let Self { private, inner, .. } = self;
        quote_at!(private, located_at(inner.span()) => #private::per_label::feed::<#inner, #event>(#target, __e))
    }

    /// The descriptor of the field, a constant.
    fn declaration(&self, cx: &Context) -> TokenStream {
        let Self { private, field, label, .. } = self;
        let (name, help, declare) = (&field.name, &field.help, self.function("declare"));
        let by = field.feeds.iter().find_map(|feed| feed.options.by.as_ref());
        let labels = by.into_iter().flat_map(|by| &by.value.parts).filter_map(LabelPart::name);
        let limit = constants::limit(cx, field).filter(|_| field.verdict == Verdict::Valid);
        let limit =
            limit.map_or_else(|| quote!(#private::None), |limit| quote!(#private::limit::<#label>(#limit)));
        let span = located_at(self.inner.span());
        quote_spanned!(span=> #declare(#name, #help, const { &[#(#private::label_name(#labels)),*] }, #limit))
    }

    pub fn describe(&self, cx: &Context) -> TokenStream {
        let (declaration, describe) = (self.declaration(cx), self.function_of_inner("describe"));
        quote!(#describe(const { #declaration }, __prefix, __dimensions);)
    }

    /// Bounds on what is kept for each label, for all impls.
    pub fn bounds(&self) -> Vec<WherePredicate> {
        let Self { private, inner, .. } = self;
        let (_, last) = ends(inner);
        let bounds = [
            quote_at!(private, last => #inner: #private::per_label::PerLabel),
            quote_at!(private, last => #inner: #private::Default),
        ];
        bounds.into_iter().filter_map(|bound| parse2(bound).ok()).collect()
    }

    /// The bounds by which events reach it.
    pub fn bounds_of_feeds(&self, events: &[Event]) -> Vec<WherePredicate> {
        let Self { private, inner, field, .. } = self;
        let (_, last) = ends(inner);
        let mut bounds = Vec::new();
        for feed in &field.feeds {
            let event = &events[feed.event].ty;
            bounds.push(quote_at!(private, last =>
                #private::per_label::Listener<#inner>: #private::HandleEvent<#event>
            ));
        }
        if !field.feeds.is_empty() {
            bounds
                .push(quote_at!(private, last => #private::per_label::CountedAlone<#inner>: #private::Count));
        }
        bounds.into_iter().filter_map(|bound| parse2(bound).ok()).collect()
    }

    /// The entry in the list of names.
    pub fn names(&self) -> TokenStream {
        let (name, names) = (&self.field.name, self.function_of_inner("names"));
        quote!((#name, #names()))
    }

    pub fn values(&self) -> TokenStream {
        let (ident, name, zeros) = (self.field.ident, &self.field.name, self.field.options.zeros.is_none());
        let values = self.function("values");
        quote!(#values(&self.#ident, __prefix, #name, #zeros, __dimensions);)
    }

    pub fn read(&self) -> TokenStream {
        let (ident, zeros) = (self.field.ident, self.field.options.zeros.is_none());
        let read = self.function("read");
        quote!(#read(&self.#ident, #zeros))
    }

    pub fn invalid(&self) -> TokenStream {
        let (ident, invalid) = (self.field.ident, self.function("invalid"));
        quote!(#invalid(&self.#ident))
    }

    pub fn empty_shard(&self) -> TokenStream {
        let (ident, empty_shard) = (self.field.ident, self.function("empty_shard"));
        quote!(#ident: #empty_shard())
    }

    pub fn absorb(&self) -> TokenStream {
        let (ident, absorb) = (self.field.ident, self.function("absorb"));
        quote!(#absorb(&mut self.#ident, &mut __shard.#ident);)
    }

    /// The field of a typed snapshot as it is serialised.
    pub fn written(&self) -> TokenStream {
        let (ident, written) = (self.field.ident, self.function("Written"));
        quote!(#written(&self.#ident))
    }

    pub fn read_field(&self, index: usize) -> TokenStream {
        let (private, name, read) = (self.private, &self.field.name, self.generic_function("read_field"));
        quote! {
            if #read(__partial, (#index, #name), __name, __map)? {
                return #private::Ok(true);
            }
        }
    }

    pub fn require(&self, index: usize) -> TokenStream {
        let (name, require) = (&self.field.name, self.function("require"));
        quote!(#require(__partial, (#index, #name));)
    }

    pub fn take(&self, index: usize) -> TokenStream {
        let (ident, take) = (self.field.ident, self.function("take"));
        quote!(#ident: #take(__partial, #index))
    }

    pub fn merge(&self) -> TokenStream {
        let (ident, merge) = (self.field.ident, self.function("merge"));
        quote!(#merge(&mut self.#ident, &__other.#ident);)
    }

    pub fn since(&self) -> TokenStream {
        let (ident, since) = (self.field.ident, self.function("since"));
        quote!(self.#ident = #since(&self.#ident, &__earlier.#ident);)
    }

    pub fn has_fallen(&self) -> TokenStream {
        let (ident, has_fallen) = (self.field.ident, self.function("has_fallen"));
        quote!(#has_fallen(&self.#ident, &__earlier.#ident, __is_gone))
    }
}

/// Evaluates what does not depend on a type parameter: whether names differ, and whether breakdowns are declared well. One
/// constant for all, so that rustc reports a missing bound once.
pub fn checks(cx: &Context) -> Option<TokenStream> {
    let private = &cx.private;
    let parameters = parameters(&cx.metric.input.generics);
    let mut breakdowns =
        cx.metric.visible_fields().filter_map(|field| PerLabel::of(private, field)).peekable();
    breakdowns.peek()?;
    if cx.metric.fields.iter().any(|field| field.verdict != Verdict::Valid) {
        return None;
    }
    let declarations = breakdowns.map(|breakdown| breakdown.declaration(cx));
    let declarations = declarations.filter(|declaration| !mentions(declaration, &parameters));
    let first = cx.metric.visible_fields().find(|field| !field.is_one_dimension());
    let span = first.map_or_else(Span::call_site, |field| located_at(field.ident.span()));
    let names = (!fields::depends_on_parameters(cx)).then(|| fields::all_names(cx));
    let distinct = names.map(|names| quote_at!(private, span => #private::assert_distinct(&#names);));
    Some(quote! {
        const _: () = {
            #distinct
            #(#private::forget(#declarations);)*
        };
    })
}
