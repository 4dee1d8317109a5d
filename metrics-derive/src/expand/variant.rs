//! Code for events of one variant of an enum: an arm in the `match` of the handler.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Member, PathArguments, Type};

use super::context::Context;
use crate::attr::Source;
use crate::generics::{mentions, parameters};
use crate::span::located_at;

/// The name of an enum in patterns, with the item that it needs.
///
/// With an alias rustc reports a misspelt enum once: it has another error for patterns than for types. An alias cannot name the
/// parameters of the metric.
pub fn name_in_patterns(cx: &Context, index: usize, ty: &Type) -> (TokenStream, Option<TokenStream>) {
    if !mentions(ty, &parameters(&cx.metric.input.generics)) {
        let alias = Ident::new(&format!("__EnumOfEvents{index}"), located_at(ty.span()));
        return (quote!(#alias), Some(quote!(type #alias = #ty;)));
    }
    let mut ty = ty.clone();
    if let Type::Path(path) = &mut ty {
        for segment in &mut path.path.segments {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                arguments.colon2_token = Some(syn::Token![::](arguments.span()));
            }
        }
    }
    (quote!(#ty), None)
}

/// The pattern of a variant. It binds the fields among the sources, each once.
pub fn pattern(name: &TokenStream, variant: &Ident, sources: &[&Source]) -> TokenStream {
    let mut bindings: Vec<Ident> = Vec::new();
    let mut fields = Vec::new();
    for source in sources {
        let Source::OfVariant(member) = source else { continue };
        let binding = binding(member);
        if !bindings.contains(&binding) {
            fields.push(quote_spanned!(located_at(member.span())=> #member: #binding,));
            bindings.push(binding);
        }
    }
    quote!(#name::#variant { #(#fields)* .. })
}

/// The variable for a field of the variant. The user's code does not see it.
pub fn binding(member: &Member) -> Ident {
    let name = match member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    };
    Ident::new(&format!("__field_{name}"), Span::mixed_site().located_at(member.span()))
}
