//! The snapshot struct `<Name>Snapshot` of a metric, and its impls.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Generics, WherePredicate, parse_quote};

use super::bounds;
use super::context::Context;
use crate::ast::Role;
use crate::generics::{mentions, parameters};
use crate::resolved::{Field, Metric};
use crate::span::located_at;

/// The snapshot struct, which is as visible as the metric, and its impls.
pub fn expand(cx: &Context) -> (TokenStream, TokenStream) {
    (declaration(cx), implementations(cx))
}

pub fn ident(metric: &Metric) -> Ident {
    format_ident!("{}Snapshot", metric.input.ident.unraw())
}

/// The name of the field that counts values which were not finite. A dimension of that name keeps it.
pub fn invalid(metric: &Metric) -> Ident {
    let taken = |name: &str| {
        metric.visible_fields().any(|field| field.ident.unraw() == name || field.name.value() == name)
    };
    let mut name = "invalid".to_owned();
    let mut others = 0;
    while taken(&name) {
        others += 1;
        name = if others == 1 { "invalid_values".to_owned() } else { format!("invalid_values_{others}") };
    }
    Ident::new(&name, Span::call_site())
}

/// The parameters of the metric that the types of its dimensions depend on.
pub fn generics(cx: &Context) -> Generics {
    let all = &cx.metric.input.generics;
    let names = parameters(all);
    let mut kept: Vec<String> = names
        .iter()
        .filter(|name| {
            cx.metric.visible_fields().any(|field| mentions(field.shape.ty, std::slice::from_ref(name)))
        })
        .cloned()
        .collect();
    for param in &all.params {
        // A parameter may occur in the bounds of another one.
        let also = names.iter().filter(|name| mentions(param, std::slice::from_ref(name)));
        if mentions(param, &kept) {
            let also: Vec<_> = also.filter(|name| !kept.contains(name)).cloned().collect();
            kept.extend(also);
        }
    }
    let mut generics = Generics { where_clause: None, ..all.clone() };
    generics.params = generics.params.into_iter().filter(|param| mentions(param, &kept)).collect();
    let dropped: Vec<_> = names.into_iter().filter(|name| !kept.contains(name)).collect();
    let given = all.where_clause.iter().flat_map(|clause| &clause.predicates);
    let given = given.filter(|predicate| !mentions(predicate, &dropped)).cloned();
    let private = &cx.private;
    let needed = cx.metric.visible_fields().flat_map(|field| bounds::of_field(private, field));
    let predicates: Vec<WherePredicate> = given.chain(needed).collect();
    if !predicates.is_empty() {
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}

fn declaration(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let (vis, ident, invalid) = (&cx.metric.input.vis, ident(cx.metric), invalid(cx.metric));
    let generics = generics(cx);
    let (_, _, where_clause) = generics.split_for_impl();
    let params = &generics.params;
    let doc = format!(" The state of [`{}`] at one moment.", cx.metric.input.ident);
    let fields = cx.metric.visible_fields().map(|field| {
        let (ident, ty) = (field.ident, field.shape.ty);
        let doc = documentation(field);
        let output = if field.role == Role::Flatten { quote!(Flattened) } else { quote!(Output) };
        quote_at!(private, located_at(ty.span()) => #[doc = #doc] #vis #ident: #private::#output<#ty>)
    });
    let params = if params.is_empty() { None } else { Some(quote!(<#params>)) };
    quote! {
        #[doc = #doc]
        #vis struct #ident #params #where_clause {
            #(#fields,)*
            #[doc = " How many values could not be recorded because they were not finite."]
            #vis #invalid: #private::primitive::u64,
        }
    }
}

fn documentation(field: &Field) -> String {
    if field.help.is_empty() {
        format!(" The dimension `{}`.", field.name.value())
    } else {
        format!(" {}", field.help)
    }
}

fn implementations(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let (ident, invalid) = (ident(cx.metric), invalid(cx.metric));
    let generics = generics(cx);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let mut deserialize = generics.clone();
    deserialize.params.insert(0, parse_quote!('de));
    let (de_generics, _, _) = deserialize.split_for_impl();
    let all: Vec<_> = cx.metric.visible_fields().map(|field| field.ident).chain([&invalid]).collect();
    let names = all.iter().map(|field| field.unraw().to_string());
    let text = ident.to_string();
    // `serialize` takes 0 for an unknown number of fields: the macro cannot see the fields of a flattened metric.
    let own = cx.metric.visible_fields().all(|field| field.role == Role::Dimension);
    let count = if own { cx.metric.visible_fields().count() } else { 0 };
    let fields = fields(cx, &generics);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Clone for #ident #ty_generics #where_clause {
            fn clone(&self) -> Self {
                Self { #(#all: #private::Clone::clone(&self.#all)),* }
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Debug for #ident #ty_generics #where_clause {
            fn fmt(&self, __formatter: &mut #private::Formatter<'_>) -> #private::FmtResult {
                #private::debug(__formatter, #text, &[#((#names, &self.#all)),*])
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::PartialEq for #ident #ty_generics #where_clause {
            fn eq(&self, __other: &Self) -> #private::primitive::bool {
                #(self.#all == __other.#all)&&*
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Serialize for #ident #ty_generics #where_clause {
            fn serialize<__S: #private::Serializer>(
                &self,
                __serializer: __S,
            ) -> #private::Result<__S::Ok, __S::Error> {
                #private::serialize(self, #count, self.#invalid, __serializer)
            }
        }

        #[automatically_derived]
        impl #de_generics #private::Deserialize<'de> for #ident #ty_generics #where_clause {
            fn deserialize<__D: #private::Deserializer<'de>>(
                __deserializer: __D,
            ) -> #private::Result<Self, __D::Error> {
                #private::deserialize(__deserializer)
            }
        }

        #fields
    }
}

/// `impl SnapshotFields`: serde writes and reads the snapshot through it.
fn fields(cx: &Context, generics: &Generics) -> TokenStream {
    let private = &cx.private;
    let (ident, invalid) = (ident(cx.metric), invalid(cx.metric));
    let invalid_name = invalid.to_string();
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = cx.metric.visible_fields().collect();
    let write = fields.iter().map(|field| {
        let (ident, name) = (field.ident, &field.name);
        if field.role == Role::Flatten {
            let prefix = field.prefix();
            quote!(#private::SnapshotFields::write(&self.#ident, &#private::prefixed(__prefix, #prefix), __map)?;)
        } else {
            quote!(#private::write(__map, __prefix, #name, &self.#ident)?;)
        }
    });
    let mut names = HashSet::new();
    let own = fields.iter().enumerate().filter(|(_, field)| field.role == Role::Dimension);
    let own = own.filter(|(_, field)| names.insert(field.name.value()));
    let own = own.map(|(index, field)| {
        let (name, ty) = (&field.name, field.shape.ty);
        quote!(#name => #private::read::<#private::Output<#ty>, __A>(__partial, #index, __map),)
    });
    let flattened = fields.iter().enumerate().filter(|(_, field)| field.role == Role::Flatten);
    let flattened = flattened.map(|(index, field)| {
        let (ty, prefix) = (field.shape.ty, field.prefix());
        quote! {
            if let #private::Some(__rest) = #private::primitive::str::strip_prefix(__name, #prefix) {
                if <#private::Flattened<#ty> as #private::SnapshotFields>::read(__partial.nested(#index), __rest, __map)? {
                    return #private::Ok(true);
                }
            }
        }
    });
    let finish = fields.iter().enumerate().map(|(index, field)| {
        let (ident, name) = (field.ident, &field.name);
        if field.role == Role::Flatten {
            quote!(#ident: #private::SnapshotFields::finish(__partial.nested(#index), 0)?)
        } else {
            quote!(#ident: #private::finish(__partial, #index, #name)?)
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::SnapshotFields for #ident #ty_generics #where_clause {
            const INVALID: &'static #private::primitive::str = #invalid_name;

            fn write<__M: #private::SerializeMap>(
                &self,
                __prefix: &#private::primitive::str,
                __map: &mut __M,
            ) -> #private::Result<(), __M::Error> {
                #(#write)*
                #private::Ok(())
            }

            fn read<'de, __A: #private::MapAccess<'de>>(
                __partial: &mut #private::PartialSnapshot,
                __name: &#private::primitive::str,
                __map: &mut __A,
            ) -> #private::Result<#private::primitive::bool, __A::Error> {
                match __name {
                    #(#own)*
                    _ => {
                        #(#flattened)*
                        #private::Ok(false)
                    }
                }
            }

            fn finish<__E: #private::DeserializeError>(
                __partial: &mut #private::PartialSnapshot,
                __invalid: #private::primitive::u64,
            ) -> #private::Result<Self, __E> {
                #private::Ok(Self { #(#finish,)* #invalid: __invalid })
            }

            fn invalid(&mut self) -> &mut #private::primitive::u64 {
                &mut self.#invalid
            }
        }
    }
}
