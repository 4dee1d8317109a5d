use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Parser;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, GenericParam, Lifetime, LitStr, Member, Path, Variant,
    parse_quote, parse_quote_spanned,
};

use super::lints;
use crate::ast::{default_name, root};
use crate::attr::NameAttrs;
use crate::ctxt::Ctxt;
use crate::name;

/// A type with `#[metric_event]`.
pub struct Event {
    input: DeriveInput,
    root: Path,
    name: LitStr,
}

impl Event {
    pub fn from_syn(cx: &Ctxt, arguments: TokenStream, item: TokenStream) -> Option<Self> {
        let mut attrs = NameAttrs::default();
        let parsed = (|input: syn::parse::ParseStream| {
            attrs = NameAttrs::from_event(cx, input);
            Ok(())
        })
        .parse2(arguments);
        if let Err(error) = parsed {
            cx.push(error);
        }
        let input: DeriveInput = match syn::parse2(item.clone()) {
            Ok(input) => input,
            Err(error) => {
                match syn::parse2::<syn::Item>(item) {
                    Ok(item) => cx.error(first_token(&item), "`#[metric_event]` goes on a struct or an enum"),
                    Err(_) => cx.push(error),
                }
                return None;
            }
        };
        if let Data::Union(data) = &input.data {
            cx.error(data.union_token, "`#[metric_event]` goes on a struct or an enum");
            return None;
        }
        let name = attrs.name.map_or_else(|| default_name(&input.ident), |given| given.value);
        name::check(cx, &name);
        for lifetime in input.generics.lifetimes() {
            cx.error(&lifetime.lifetime, "metric events must be `'static`: own the data or use `Arc<str>`");
        }
        Some(Self { root: root(attrs.krate), name, input })
    }

    pub fn expand(&self) -> TokenStream {
        let Self { input, root, name } = self;
        let ident = &input.ident;
        let private = quote!(#root::__private);
        let facts = self.facts(&private);

        // A lifetime was reported; with `'static` in its place nothing else is.
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
                #[automatically_derived]
                impl #impl_generics #private::MetricEvent for #this #where_clause {
                    const EVENT_TYPE: &'static #private::primitive::str = #name;
                }

                #facts
            };
        }
    }

    /// Mentions every field, so that the compiler does not call a fact unused that no metric reads yet.
    fn facts(&self, private: &TokenStream) -> TokenStream {
        let ident = &self.input.ident;
        let (impl_generics, ty_generics, where_clause) = self.input.generics.split_for_impl();
        let body = match &self.input.data {
            Data::Struct(data) => {
                // Not a reference: the struct may be packed.
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

/// The fields whose place is known: what stands behind a conditional field of a tuple may have moved up.
fn known(fields: &Fields) -> impl Iterator<Item = (Member, &Field)> {
    let moves = |field: &Field| field.ident.is_none() && !conditions(&field.attrs).is_empty();
    fields.members().zip(fields).take_while(move |(_, field)| !moves(field))
}

/// `#[cfg(..)]` is not evaluated yet when an attribute macro runs.
fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

fn first_token(item: &syn::Item) -> TokenStream {
    use quote::ToTokens;
    let tokens = item.to_token_stream().into_iter();
    tokens
        .skip_while(|token| {
            matches!(token, proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Group(_))
        })
        .take(1)
        .collect()
}
