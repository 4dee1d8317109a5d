use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Generics, Ident, LitStr, Path, parse_quote};

use super::lints;
use crate::ast::root;
use crate::attr::NameAttrs;
use crate::ctxt::Ctxt;
use crate::name::Rule;
use crate::shape::written;

/// An enum with `#[derive(Label)]`.
pub struct Label<'a> {
    input: &'a DeriveInput,
    root: Path,
    variants: Vec<Variant<'a>>,
}

struct Variant<'a> {
    ident: &'a Ident,
    text: LitStr,
}

impl<'a> Label<'a> {
    pub fn from_syn(cx: &Ctxt, input: &'a DeriveInput) -> Self {
        let attrs = NameAttrs::from_label(cx, &input.attrs);
        let rule = attrs.rename_all.map_or(Rule::Snake, |given| given.value);
        let mut variants: Vec<Variant> = Vec::new();
        if let Data::Enum(data) = &input.data {
            for variant in &data.variants {
                data_free(cx, variant);
                let given = NameAttrs::from_variant(cx, &variant.attrs).name.map(|given| given.value);
                let ident = &variant.ident;
                let text = given.unwrap_or_else(|| LitStr::new(&rule.apply(ident), ident.span()));
                if text.value().is_empty() {
                    cx.error(&text, "a label text must not be empty");
                }
                variants.push(Variant { ident, text });
            }
        } else {
            cx.error(&input.ident, "`Label` can only be derived for enums without data");
        }
        distinct_texts(cx, &variants);
        Self { input, root: root(attrs.krate), variants }
    }

    /// The enum's generics. Labels are `'static`; without data no parameter has a use, and rustc is the one to say so.
    fn generics(&self) -> Generics {
        let mut generics = self.input.generics.clone();
        if !generics.params.is_empty() {
            let (ident, (_, ty_generics, _)) = (&self.input.ident, self.input.generics.split_for_impl());
            generics.make_where_clause().predicates.push(parse_quote!(#ident #ty_generics: 'static));
        }
        generics
    }

    pub fn expand(&self) -> TokenStream {
        let root = &self.root;
        let private = quote!(#root::__private);
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
                const __TEXTS: &[&#private::primitive::str] = &[#(#texts),*];

                #[automatically_derived]
                impl #impl_generics #private::Label for #ident #ty_generics #where_clause {
                    const CARDINALITY: #private::Option<#private::primitive::usize> = #private::Some(#count);

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
                impl #impl_generics #private::ToLabel<Self> for #ident #ty_generics #where_clause {
                    #[inline]
                    fn index(&self) -> #private::primitive::usize {
                        #index
                    }

                    fn hash_label<__H: #private::Hasher>(&self, __hasher: &mut __H) {
                        __hasher.write_usize(#private::ToLabel::<Self>::index(self));
                    }

                    fn matches(&self, __parts: &[#private::LabelPart]) -> #private::primitive::bool {
                        #private::is_fixed(__parts, __TEXTS, #private::ToLabel::<Self>::index(self))
                    }

                    fn push_parts(&self, __parts: &mut #private::Vec<#private::LabelPart>) {
                        #private::push_fixed(__parts, __TEXTS, #private::ToLabel::<Self>::index(self));
                    }
                }
            };
        }
    }
}

fn data_free(cx: &Ctxt, variant: &syn::Variant) {
    let fields = match &variant.fields {
        Fields::Unit => return,
        fields => fields,
    };
    cx.error(
        fields,
        format!(
            "a `Label` has no data, and `{}` has: remove `{}`, or break down by a field of its own",
            variant.ident,
            written(fields)
        ),
    );
}

fn distinct_texts(cx: &Ctxt, variants: &[Variant]) {
    let mut texts: HashMap<String, &Variant> = HashMap::new();
    for variant in variants {
        let text = variant.text.value();
        if let Some(first) = texts.get(&text) {
            cx.error(
                &variant.text,
                format!("duplicate label text `{text}`: give one of the variants another `name`"),
            );
            cx.error(&first.text, format!("`{text}` is first used here"));
        } else {
            texts.insert(text, variant);
        }
    }
}
