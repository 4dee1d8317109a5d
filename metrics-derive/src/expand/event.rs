//! The impls of `#[metric_event]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, Field, Fields, GenericParam, Lifetime, Member, Meta, Token, Variant, parse_quote,
    parse_quote_spanned,
};

use super::{import, lints};
use crate::ast::Event;

impl Event {
    pub fn expand(&self) -> TokenStream {
        let Self { input, root, name } = self;
        let ident = &input.ident;
        let (private, import) = (quote!(__private), import(root));
        let facts = self.facts(&private);

        // Validation has reported lifetimes. With `'static` in their place rustc reports nothing else.
        let mut generics = input.generics.clone();
        let mut arguments: Vec<syn::GenericArgument> = Vec::new();
        for param in &generics.params {
            arguments.push(match param {
                GenericParam::Lifetime(param) => {
                    let lifetime = Lifetime::new("'static", param.lifetime.span());
                    parse_quote!(#lifetime)
                }
                GenericParam::Type(param) => {
                    let ident = &param.ident;
                    parse_quote!(#ident)
                }
                GenericParam::Const(param) => {
                    let ident = &param.ident;
                    parse_quote!(#ident)
                }
            });
        }
        generics.params =
            generics.params.into_iter().filter(|param| !matches!(param, GenericParam::Lifetime(_))).collect();
        let this: syn::Type =
            if arguments.is_empty() { parse_quote!(#ident) } else { parse_quote!(#ident<#(#arguments),*>) };
        if !generics.params.is_empty() {
            let bound = parse_quote_spanned!(ident.span()=> #this: #private::Send + 'static);
            generics.make_where_clause().predicates.push(bound);
        }
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let lints = lints::allowed(input);
        quote! {
            #lints
            const _: () = {
                #import

                #[automatically_derived]
                impl #impl_generics #private::MetricEvent for #this #where_clause {
                    const EVENT_TYPE: &'static #private::primitive::str = #name;
                }

                #facts
            };
        }
    }

    /// Mentions every field, so that rustc does not warn of fields that no metric reads yet.
    fn facts(&self, private: &TokenStream) -> TokenStream {
        let ident = &self.input.ident;
        let (impl_generics, ty_generics, where_clause) = self.input.generics.split_for_impl();
        let body = match &self.input.data {
            Data::Struct(data) => {
                // No reference: the struct may be packed.
                let facts = known(&data.fields).map(|(member, field)| {
                    let cfgs = conditions(&field.attrs);
                    quote!(#(#cfgs)* let _ = &raw const self.#member;)
                });
                quote!(#(#facts)*)
            }
            Data::Enum(data) if data.variants.is_empty() => quote!(match *self {}),
            Data::Enum(data) => {
                let arms = data.variants.iter().map(arm);
                quote!(match self { #(#arms)* })
            }
            Data::Union(_) => TokenStream::new(),
        };
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::Facts for #ident #ty_generics #where_clause {
                #[inline]
                fn facts(&self) {
                    #body
                }
            }
        }
    }
}

fn arm(variant: &Variant) -> TokenStream {
    let (ident, cfgs) = (&variant.ident, conditions(&variant.attrs));
    let facts = known(&variant.fields).enumerate().map(|(index, (member, field))| {
        let (cfgs, fact) = (conditions(&field.attrs), format_ident!("__fact_{index}"));
        quote!(#(#cfgs)* #member: #fact)
    });
    quote!(#(#cfgs)* Self::#ident { #(#facts,)* .. } => {})
}

/// The fields with a known index. In a tuple, all fields after a conditional one may have another index.
fn known(fields: &Fields) -> impl Iterator<Item = (Member, &Field)> {
    let moves = |field: &Field| field.ident.is_none() && !conditions(&field.attrs).is_empty();
    fields.members().zip(fields).take_while(move |(_, field)| !moves(field))
}

/// The `#[cfg(..)]` attributes, also those in `#[cfg_attr(..)]`: rustc evaluates both after it has run attribute macros.
fn conditions(attributes: &[Attribute]) -> Vec<TokenStream> {
    attributes.iter().flat_map(|attribute| conditions_of(&attribute.meta)).collect()
}

fn conditions_of(meta: &Meta) -> Vec<TokenStream> {
    if meta.path().is_ident("cfg") {
        return vec![quote!(#[#meta])];
    }
    let Meta::List(list) = meta else { return Vec::new() };
    if !list.path.is_ident("cfg_attr") {
        return Vec::new();
    }
    let parsed = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).unwrap_or_default();
    let mut parts = parsed.into_iter();
    let Some(predicate) = parts.next() else { return Vec::new() };
    parts
        .filter(|part| part.path().is_ident("cfg"))
        .map(|cfg| quote!(#[cfg_attr(#predicate, #cfg)]))
        .collect()
}
