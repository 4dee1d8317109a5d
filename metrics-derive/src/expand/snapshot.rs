//! The snapshot struct `<Name>Snapshot` of a metric, and its impls.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Generics, WherePredicate, parse_quote};

use super::context::Context;
use super::per_label::PerLabel;
use super::{bounds, fields, units};
use crate::ast::Role;
use crate::generics::{mentions, parameters};
use crate::resolved::{Field, Metric};
use crate::span::located_at;

/// The snapshot struct, which is as visible as the metric and as open to new fields, and its impls.
pub fn expand(cx: &Context) -> (TokenStream, TokenStream) {
    (declaration(cx), implementations(cx))
}

/// The name of the struct. At the location of the metric's name rustc would report a misspelt type once more for this struct.
pub fn ident(metric: &Metric) -> Ident {
    format_ident!("{}Snapshot", metric.input.ident.unraw(), span = Span::call_site())
}

/// The name of the field that counts values that could not be recorded. A dimension of that name keeps it.
pub fn invalid(metric: &Metric) -> Ident {
    let taken = |name: &str| {
        metric
            .visible_fields()
            .any(|field| field.ident.unraw() == name || field.name.text().is_some_and(|text| text == name))
    };
    let mut name = "invalid".to_owned();
    let mut others = 0;
    while taken(&name) {
        others += 1;
        name = if others == 1 { "invalid_values".to_owned() } else { format!("invalid_values_{others}") };
    }
    Ident::new(&name, Span::call_site())
}

/// The parameters of the metric that the types of its dimensions depend on. `private` is the module for generated code.
pub fn generics(cx: &Context, private: &TokenStream) -> Generics {
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
    let needed = cx.metric.visible_fields().flat_map(|field| bounds::of_field(private, field));
    let predicates: Vec<WherePredicate> = given.chain(needed).collect();
    if !predicates.is_empty() {
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}

fn declaration(cx: &Context) -> TokenStream {
    let root = &cx.metric.root;
    let private = quote!(#root::__private);
    let (vis, ident, invalid) = (&cx.metric.input.vis, ident(cx.metric), invalid(cx.metric));
    let generics = generics(cx, &private);
    let (_, _, where_clause) = generics.split_for_impl();
    let params = &generics.params;
    let doc = format!(" The state of [`{}`] at one moment.", cx.metric.input.ident);
    let fields = cx.metric.visible_fields().map(|field| {
        let (ident, ty) = (field.ident, field.shape.ty);
        let doc = documentation(field);
        if let Some(per_label) = PerLabel::of(&private, field) {
            let output = per_label.output();
            return quote_spanned!(located_at(ty.span())=> #[doc = #doc] #vis #ident: #output);
        }
        let output = if field.role == Role::Flatten { quote!(Flattened) } else { quote!(Output) };
        quote_at!(private, located_at(ty.span()) => #[doc = #doc] #vis #ident: #private::#output<#ty>)
    });
    let non_exhaustive =
        cx.metric.input.attrs.iter().find(|attribute| attribute.path().is_ident("non_exhaustive"));
    let params = if params.is_empty() { None } else { Some(quote!(<#params>)) };
    quote! {
        #[doc = #doc]
        #non_exhaustive
        #vis struct #ident #params #where_clause {
            #(#fields,)*
            #[doc = " How many values could not be recorded: numbers that are not finite, and ids that only began or only ended."]
            #vis #invalid: #private::primitive::u64,
            #[doc(hidden)]
            #vis __times: #private::Times,
        }
    }
}

fn documentation(field: &Field) -> String {
    if field.help.text.is_empty() {
        format!(" The dimension `{}`.", field.name.text().unwrap_or_else(|| field.ident.unraw().to_string()))
    } else {
        format!(" {}", field.help.text)
    }
}

fn implementations(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let (ident, invalid) = (ident(cx.metric), invalid(cx.metric));
    let generics = generics(cx, private);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let mut deserialize = generics.clone();
    deserialize.params.insert(0, parse_quote!('de));
    let (de_generics, _, _) = deserialize.split_for_impl();
    let (vis, metric) = (&cx.metric.input.vis, &cx.metric.input.ident);
    let since_doc = format!(
        " What [`{metric}`] has recorded after an earlier snapshot: counts subtract, gauges keep the later value, extremes are unknown."
    );
    let all: Vec<_> = cx.metric.visible_fields().map(|field| field.ident).chain([&invalid]).collect();
    let names = all.iter().map(|field| field.unraw().to_string());
    let text = ident.to_string();
    // `serialize` takes 0 for an unknown number of fields: the macro cannot see the fields of a flattened metric.
    let own = cx.metric.visible_fields().all(Field::is_one_dimension);
    let count = if own { cx.metric.visible_fields().count() } else { 0 };
    let invalid_name = invalid.to_string();
    let snapshot_fields = snapshot_fields(cx, &generics);
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::Clone for #ident #ty_generics #where_clause {
            #[inline]
            fn clone(&self) -> Self {
                Self { #(#all: #private::Clone::clone(&self.#all),)* __times: self.__times }
            }
        }

        impl #impl_generics #ident #ty_generics #where_clause {
            #[doc = #since_doc]
            #[doc = " When counting began anew meanwhile, the interval counts from 0."]
            #[must_use]
            #[inline]
            #vis fn since(&self, earlier: &Self) -> Self {
                #private::since(self, earlier)
            }

            #[doc = " Whether counting began anew after an earlier snapshot: the metric was replaced, or its program restarted."]
            #[must_use]
            #[inline]
            #vis fn restarted_since(&self, earlier: &Self) -> #private::primitive::bool {
                #private::restarted_since(self, earlier)
            }

            #[doc = " When a recorder took the snapshot; `None` when none did, or when the snapshot was read back."]
            #[must_use]
            #[inline]
            #vis fn taken_at(&self) -> #private::Option<#private::SystemTime> {
                self.__times.taken_at()
            }

            #[doc = " Since when the metric counts; `None` as for `taken_at`."]
            #[must_use]
            #[inline]
            #vis fn counting_since(&self) -> #private::Option<#private::SystemTime> {
                self.__times.counting_since()
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Merge for #ident #ty_generics #where_clause {
            #[inline]
            fn merge(&mut self, __other: &Self) {
                #private::merge(self, __other);
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Debug for #ident #ty_generics #where_clause {
            #[inline]
            fn fmt(&self, __formatter: &mut #private::Formatter<'_>) -> #private::FmtResult {
                #private::debug(__formatter, #text, &[#(#names),*], &[#(&self.#all),*])
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::PartialEq for #ident #ty_generics #where_clause {
            #[inline]
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
                #private::serialize(&#private::AllFields(self), #count, (#invalid_name, self.#invalid), __serializer)
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

        #snapshot_fields
    }
}

/// `impl SnapshotFields`: serde writes and reads the snapshot through it, and snapshots are combined through it.
fn snapshot_fields(cx: &Context, generics: &Generics) -> TokenStream {
    let private = &cx.private;
    let (ident, invalid) = (ident(cx.metric), invalid(cx.metric));
    let invalid_name = invalid.to_string();
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (writing, reading, combining) = (writing(cx), reading(cx), combining(cx));
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::SnapshotFields for #ident #ty_generics #where_clause {
            const INVALID: &'static #private::primitive::str = #invalid_name;

            #writing

            #reading

            #[inline]
            fn head(&self) -> (#private::primitive::u64, #private::Times) {
                (self.#invalid, self.__times)
            }

            #[inline]
            fn head_mut(&mut self) -> (&mut #private::primitive::u64, &mut #private::Times) {
                (&mut self.#invalid, &mut self.__times)
            }

            #combining
        }
    }
}

/// The method that serialises each field.
fn writing(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let names = cx.metric.visible_fields().map(|field| match field.role {
        Role::Flatten => field.prefix().to_token_stream(),
        _ => field.name.to_token_stream(),
    });
    let fields = cx.metric.visible_fields().map(|field| {
        let ident = field.ident;
        if let Some(per_label) = PerLabel::of(private, field) {
            per_label.written()
        } else if field.role == Role::Flatten {
            quote!(#private::AllFields(&self.#ident))
        } else if let Some(unit) = units::time_unit(private, field) {
            quote!(#private::ShownIn(#unit, &self.#ident))
        } else {
            quote!(self.#ident)
        }
    });
    quote! {
        fn write<__M: #private::SerializeMap>(
            &self,
            __prefix: #private::Prefix<'_>,
            __map: &mut __M,
        ) -> #private::Result<(), __M::Error> {
            #private::write(__map, __prefix, &[#(#names),*], &[#(&#fields),*])
        }
    }
}

/// The methods that read fields by name, and make a snapshot of them.
fn reading(cx: &Context) -> TokenStream {
    let (private, invalid) = (&cx.private, invalid(cx.metric));
    let fields: Vec<_> = cx.metric.visible_fields().collect();
    let mut names = HashSet::new();
    let own = fields.iter().enumerate().filter(|(_, field)| field.is_one_dimension());
    let own = own.filter(|(_, field)| field.name.text().is_none_or(|name| names.insert(name)));
    let own = own.map(|(index, field)| {
        let (name, ty) = (&field.name, field.shape.ty);
        if let Some(unit) = units::time_unit(private, field) {
            return quote!(#name => #private::read_in::<#private::Output<#ty>, __A>(#unit, __partial, #index, __map),);
        }
        quote!(#name => #private::read::<#private::Output<#ty>, __A>(__partial, #index, __map),)
    });
    let flattened = fields.iter().enumerate().filter(|(_, field)| !field.is_one_dimension());
    let flattened = flattened.map(|(index, field)| {
        if let Some(per_label) = PerLabel::of(private, field) {
            return per_label.read_field(index);
        }
        let (ty, prefix) = (field.shape.ty, field.prefix());
        quote! {
            if let #private::Some(__rest) = #private::primitive::str::strip_prefix(__name, #prefix) {
                if <#private::Flattened<#ty> as #private::SnapshotFields>::read(__partial.nested(#index, #prefix), __rest, __map)? {
                    return #private::Ok(true);
                }
            }
        }
    });
    let required = fields.iter().enumerate().filter(|(_, field)| field.is_one_dimension());
    let required = required.map(|(index, field)| {
        let name = &field.name;
        quote!((#index, #name))
    });
    let nested = fields.iter().enumerate().filter(|(_, field)| !field.is_one_dimension());
    let nested = nested.map(|(index, field)| {
        if let Some(per_label) = PerLabel::of(private, field) {
            return per_label.require(index);
        }
        let (ty, prefix) = (field.shape.ty, field.prefix());
        quote!(<#private::Flattened<#ty> as #private::SnapshotFields>::require(__partial.nested(#index, #prefix));)
    });
    let finish = fields.iter().enumerate().map(|(index, field)| {
        let ident = field.ident;
        if let Some(per_label) = PerLabel::of(private, field) {
            per_label.take(index)
        } else if field.role == Role::Flatten {
            let prefix = field.prefix();
            quote!(#ident: #private::SnapshotFields::finish(__partial.nested(#index, #prefix), 0))
        } else {
            quote!(#ident: #private::take(__partial, #index))
        }
    });
    quote! {
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

        #[inline]
        fn require(__partial: &mut #private::PartialSnapshot) {
            __partial.require(&[#(#required),*]);
            #(#nested)*
        }

        #[inline]
        fn finish(__partial: &mut #private::PartialSnapshot, __invalid: #private::primitive::u64) -> Self {
            Self { #(#finish,)* #invalid: __invalid, __times: #private::Times::default() }
        }
    }
}

/// The methods that combine each field with that of another snapshot.
fn combining(cx: &Context) -> TokenStream {
    let private = &cx.private;
    let fields = || cx.metric.visible_fields();
    let merge = fields().map(|field| {
        let (ident, ty) = (field.ident, field.shape.ty);
        if let Some(per_label) = PerLabel::of(private, field) {
            per_label.merge()
        } else if field.role == Role::Flatten {
            quote!(#private::SnapshotFields::merge_fields(&mut self.#ident, &__other.#ident);)
        } else {
            let rule = fields::merge_rule(private, field);
            quote!(<#ty as #private::Dimension>::merge_outputs(&mut self.#ident, &__other.#ident, #rule);)
        }
    });
    let subtract = fields().map(|field| {
        let (ident, ty) = (field.ident, field.shape.ty);
        if let Some(per_label) = PerLabel::of(private, field) {
            per_label.since()
        } else if field.role == Role::Flatten {
            quote!(#private::SnapshotFields::subtract_fields(&mut self.#ident, &__earlier.#ident);)
        } else {
            quote!(self.#ident = <#ty as #private::Dimension>::since(&self.#ident, &__earlier.#ident);)
        }
    });
    let has_fallen = fields().map(|field| {
        let (ident, ty) = (field.ident, field.shape.ty);
        if let Some(per_label) = PerLabel::of(private, field) {
            per_label.has_fallen()
        } else if field.role == Role::Flatten {
            quote!(#private::SnapshotFields::has_fallen(&self.#ident, &__earlier.#ident, __is_gone))
        } else {
            quote!(#private::has_fallen::<#ty>(&self.#ident, &__earlier.#ident, __is_gone))
        }
    });
    quote! {
        #[inline]
        fn merge_fields(&mut self, __other: &Self) {
            #(#merge)*
        }

        #[inline]
        fn subtract_fields(&mut self, __earlier: &Self) {
            #(#subtract)*
        }

        #[inline]
        fn has_fallen(&self, __earlier: &Self, __is_gone: #private::primitive::bool) -> #private::primitive::bool {
            false #(|| #has_fallen)*
        }
    }
}
