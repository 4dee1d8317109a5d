//! Lint attributes for generated code.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput};

/// Attributes for the generated code: they allow the lints that the user allows for the item, and deprecated items.
///
/// They allow no other lint: where the user forbids a lint, an attribute that allows it does not compile.
pub fn allowed(input: &DeriveInput) -> TokenStream {
    let lists = input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("allow") || attribute.path().is_ident("expect"))
        .filter_map(|attribute| Some(&attribute.meta.require_list().ok()?.tokens));
    let mut paths = input.attrs.iter().chain(parts(&input.data)).map(Attribute::path);
    let deprecated = paths.any(|path| path.is_ident("deprecated")).then(|| quote!(#[allow(deprecated)]));
    quote!(#(#[allow(#lists)])* #deprecated)
}

/// The attributes of the fields and variants.
fn parts(data: &Data) -> Vec<&Attribute> {
    match data {
        Data::Struct(data) => data.fields.iter().flat_map(|field| &field.attrs).collect(),
        Data::Enum(data) => {
            let fields = data.variants.iter().flat_map(|variant| &variant.fields);
            let fields = fields.flat_map(|field| &field.attrs);
            data.variants.iter().flat_map(|variant| &variant.attrs).chain(fields).collect()
        }
        Data::Union(_) => Vec::new(),
    }
}
