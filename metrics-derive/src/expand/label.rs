//! The impls of `#[derive(Label)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, Generics, parse_quote};

use super::{import, lints};
use crate::ast::Label;

impl Label<'_> {
    /// The enum's generics. Labels are `'static`. An enum without data cannot use parameters, which rustc reports.
    fn generics(&self) -> Generics {
        let mut generics = self.input.generics.clone();
        if !generics.params.is_empty() {
            let (ident, (_, ty_generics, _)) = (&self.input.ident, self.input.generics.split_for_impl());
            generics.make_where_clause().predicates.push(parse_quote!(#ident #ty_generics: 'static));
        }
        generics
    }

    pub fn expand(&self) -> TokenStream {
        let (private, import) = (quote!(__private), import(&self.root));
        let ident = &self.input.ident;
        let generics = self.generics();
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        let texts = self.variants.iter().map(|variant| &variant.text);
        let count = self.variants.len();
        let arms = self.variants.iter().enumerate().map(|(index, variant)| {
            let ident = variant.ident;
            quote!(Self::#ident { .. } => #index)
        });
        let index = match &self.input.data {
            Data::Enum(_) if count == 0 => quote!(match *self {}),
            Data::Enum(_) => quote!(match self { #(#arms),* }),
            _ => quote!(0),
        };
        let lints = lints::allowed(self.input);
        quote! {
            #lints
            const _: () = {
                #import

                const __TEXTS: &[&#private::primitive::str] = &[#(#texts),*];

                #[automatically_derived]
                impl #impl_generics #private::Label for #ident #ty_generics #where_clause {
                    const CARDINALITY: #private::Option<#private::primitive::usize> = #private::Some(#count);

                    #[inline]
                    fn push_parts_of_index(
                        __index: #private::primitive::usize,
                        __parts: &mut #private::Vec<#private::LabelPart>,
                    ) {
                        #private::push_fixed(__parts, __TEXTS, __index);
                    }
                }

                #[automatically_derived]
                impl #impl_generics #private::BoundedLabel for #ident #ty_generics #where_clause {}

                #[automatically_derived]
                impl #impl_generics #private::DistinctValue for #ident #ty_generics #where_clause {
                    #[inline]
                    fn distinct_hash(&self) -> #private::Option<#private::DistinctHash> {
                        #private::hash_of_label(__TEXTS, #private::ToLabel::<Self>::index(self))
                    }
                }

                #[automatically_derived]
                impl #impl_generics #private::ToLabel<Self> for #ident #ty_generics #where_clause {
                    #[inline]
                    fn index(&self) -> #private::primitive::usize {
                        #index
                    }

                    fn hash_label<__H: #private::Hasher>(&self, __hasher: &mut __H) {
                        __hasher.write_usize(#private::ToLabel::<Self>::index(self));
                    }

                    #[inline]
                    fn matches(&self, __parts: &[#private::LabelPart]) -> #private::primitive::bool {
                        #private::is_fixed(__parts, __TEXTS, #private::ToLabel::<Self>::index(self))
                    }

                    #[inline]
                    fn push_parts(&self, __parts: &mut #private::Vec<#private::LabelPart>) {
                        #private::push_fixed(__parts, __TEXTS, #private::ToLabel::<Self>::index(self));
                    }
                }
            };
        }
    }
}
